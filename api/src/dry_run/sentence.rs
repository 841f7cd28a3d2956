//! What the gates said about a message, in one English sentence that a support agent can read out:
//! which gate, why, and until when.

use domain::{gates::Gate, message::passport::Stamp};
use jiff::Timestamp;

/// Whether it has happened, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Of a message that was submitted.
    Is,
    /// Of one that was only asked about.
    Would,
}

/// What a sentence rests on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Grounds<'a> {
    /// The gate that decided.
    pub(crate) gate: Option<Gate>,
    /// Its code, for where there is no reason.
    pub(crate) code: Option<&'a str>,
    /// Its reason, as a clause.
    pub(crate) reason: Option<&'a str>,
    /// Until when the message waits, or from when another would pass.
    pub(crate) until: Option<Timestamp>,
}

impl<'a> Grounds<'a> {
    /// Those of a stamp.
    pub(crate) fn of(stamp: &'a Stamp) -> Self {
        Self {
            gate: stamp.gate,
            code: stamp.code.as_deref(),
            reason: stamp.reason.as_deref(),
            until: stamp.until,
        }
    }

    /// `because of quiet hours: the reason`
    fn because(&self) -> String {
        let gate = self.gate.map_or(String::new(), |gate| format!(" because of {}", words(gate)));
        match self.reason.or(self.code) {
            Some(reason) => format!("{gate}: {}", reason.trim_end_matches('.')),
            None => gate,
        }
    }
}

/// It passes every gate.
pub(crate) fn admitted(mood: Mood) -> String {
    match mood {
        Mood::Is => "The message passed every gate and waits its turn at its sender.".into(),
        Mood::Would => "The message would be sent: every gate lets it pass.".into(),
    }
}

/// It waits for an instant.
pub(crate) fn deferred(mood: Mood, grounds: &Grounds<'_>) -> String {
    let waits = match mood {
        Mood::Is => "waits",
        Mood::Would => "would wait",
    };
    let until = grounds.until.map_or("later".to_owned(), minute);
    format!("The message {waits} until {until}{}.", grounds.because())
}

/// It waits for a cause to go away.
pub(crate) fn held(mood: Mood, grounds: &Grounds<'_>) -> String {
    let held = match mood {
        Mood::Is => "is",
        Mood::Would => "would be",
    };
    format!("The message {held} held{}.", grounds.because())
}

/// It is never sent.
pub(crate) fn blocked(mood: Mood, grounds: &Grounds<'_>) -> String {
    let sent = match mood {
        Mood::Is => "was not sent: it was blocked",
        Mood::Would => "would not be sent: it would be blocked",
    };
    let passes = grounds.until.map(minute);
    let passes = passes.map_or(String::new(), |at| format!("; another could pass from {at} on"));
    format!("The message {sent}{}{passes}.", grounds.because())
}

/// Its validity ends before it can be sent.
pub(crate) fn expired(mood: Mood, grounds: &Grounds<'_>) -> String {
    let sent = match mood {
        Mood::Is => "was not sent: its validity ended first",
        Mood::Would => "would not be sent: its validity would end first",
    };
    format!("The message {sent}{}.", grounds.because())
}

/// Its text cannot be made.
pub(crate) fn unmade(grounds: &Grounds<'_>) -> String {
    format!("The message would fail before the gates are asked{}.", grounds.because())
}

/// An instant to the minute, as people say it.
pub(crate) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A gate as people call it.
fn words(gate: Gate) -> &'static str {
    match gate {
        Gate::Eligible => "what must hold for every message",
        Gate::KillSwitch => "a kill switch",
        Gate::Budget => "the budget",
        Gate::Dnc => "do-not-contact",
        Gate::Suppression => "the pause between promotions",
        Gate::QuietHours => "quiet hours",
        Gate::Rate => "a sending limit",
        Gate::Warmup => "the senders' daily caps",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grounds(gate: Gate, reason: &str) -> Grounds<'_> {
        let until = "2026-03-03T14:00:30Z".parse().ok();
        Grounds { gate: Some(gate), code: Some("code"), reason: Some(reason), until }
    }

    #[test]
    fn each_verdict_names_the_gate_the_cause_and_until_when() {
        let night = grounds(Gate::QuietHours, "it is night there.");
        let forever = Grounds { until: None, ..grounds(Gate::Dnc, "the person opted out") };

        let said = [
            deferred(Mood::Is, &night),
            deferred(Mood::Would, &night),
            held(Mood::Is, &grounds(Gate::KillSwitch, "the tenant is paused")),
            held(Mood::Would, &grounds(Gate::KillSwitch, "the tenant is paused")),
            blocked(Mood::Is, &forever),
            blocked(Mood::Would, &grounds(Gate::Suppression, "a promotion went out")),
            expired(Mood::Is, &grounds(Gate::Budget, "all is spent")),
            expired(Mood::Would, &Grounds { gate: None, ..forever }),
            unmade(&Grounds { reason: Some("the text is empty"), ..Grounds::default() }),
            admitted(Mood::Is),
            admitted(Mood::Would),
        ];

        assert_eq!(
            said,
            [
                "The message waits until 2026-03-03 14:00 UTC because of quiet hours: it is night \
                 there.",
                "The message would wait until 2026-03-03 14:00 UTC because of quiet hours: it is \
                 night there.",
                "The message is held because of a kill switch: the tenant is paused.",
                "The message would be held because of a kill switch: the tenant is paused.",
                "The message was not sent: it was blocked because of do-not-contact: the person \
                 opted out.",
                "The message would not be sent: it would be blocked because of the pause between \
                 promotions: a promotion went out; another could pass from 2026-03-03 14:00 UTC \
                 on.",
                "The message was not sent: its validity ended first because of the budget: all is \
                 spent.",
                "The message would not be sent: its validity would end first: the person opted \
                 out.",
                "The message would fail before the gates are asked: the text is empty.",
                "The message passed every gate and waits its turn at its sender.",
                "The message would be sent: every gate lets it pass.",
            ]
        );
    }

    #[test]
    fn a_message_without_a_reason_says_its_code_and_every_gate_has_words() {
        let bare =
            Grounds { gate: Some(Gate::Rate), code: Some("quota_day"), ..Default::default() };
        let said = "The message waits until later because of a sending limit: quota_day.";
        assert_eq!(deferred(Mood::Is, &bare), said);
        let all: std::collections::BTreeSet<_> = Gate::ORDER.into_iter().map(words).collect();
        assert_eq!(all.len(), Gate::ORDER.len());
    }
}
