//! What the settings alone say of a text at an instant, before any model is asked.

use std::collections::HashMap;

use jiff::Timestamp;

use super::settings::AssistantSettings;
use crate::{
    lexicon::wording,
    quiet_hours::{HoursDecision, window_decision},
    zones::Zone,
};

/// Whether an assistant works at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// It answers now.
    Open,
    /// It is outside its hours, or a holiday.
    Closed,
}

/// What the settings have for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreword<'a> {
    /// An answer of its own.
    Keyword(&'a str),
    /// A person is to go on.
    Escalated,
    /// It comes outside the hours: what is said then, if anything.
    Closed(Option<&'a str>),
    /// Nothing: the model is asked.
    None,
}

/// What settings listen for, as [`wording`] gives it: made once of settings, and compared with the
/// words of every text under them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cues {
    /// Whole texts, each with the index of its keyword.
    keywords: HashMap<String, usize>,
    /// What a text holds that goes to a person, with a blank on each side.
    escalations: Vec<String>,
}

impl Cues {
    /// What these settings listen for.
    pub fn of(settings: &AssistantSettings) -> Self {
        let mut keywords = HashMap::new();
        for (index, keyword) in settings.keywords.iter().enumerate() {
            for word in &keyword.words {
                keywords.entry(wording(word)).or_insert(index);
            }
        }
        let padded = |word: &String| format!(" {} ", wording(word));
        Self { keywords, escalations: settings.escalate_on.iter().map(padded).collect() }
    }

    /// Whether a text with these words goes to a person.
    fn escalates(&self, words: &str) -> bool {
        let padded = format!(" {words} ");
        self.escalations.iter().any(|word| padded.contains(word))
    }
}

/// Whether these settings' hours are open at an instant in the company's zone.
fn moment(settings: &AssistantSettings, now: Timestamp, zone: Zone) -> Moment {
    let today = now.to_zoned(zone.rules().clone()).date();
    let is_open = match window_decision(now, &[zone], &[settings.hours]) {
        HoursDecision::Open { .. } => true,
        HoursDecision::Closed { .. } | HoursDecision::Never => false,
    };
    if is_open && !settings.holidays.contains(&today) { Moment::Open } else { Moment::Closed }
}

impl AssistantSettings {
    /// What the settings have for a text with these words, as [`wording`] gives them, at an instant
    /// in the company's zone. `cues` are those of these settings.
    pub fn foreword(&self, cues: &Cues, words: &str, now: Timestamp, zone: Zone) -> Foreword<'_> {
        if let Some(answer) = self.keyword(cues, words) {
            return Foreword::Keyword(answer);
        }
        if cues.escalates(words) {
            return Foreword::Escalated;
        }
        match moment(self, now, zone) {
            Moment::Open => Foreword::None,
            Moment::Closed => Foreword::Closed(self.closed_answer.as_deref()),
        }
    }

    /// The fixed answer to a text whose whole words are these.
    fn keyword(&self, cues: &Cues, words: &str) -> Option<&str> {
        let keyword = self.keywords.get(*cues.keywords.get(words)?)?;
        Some(&keyword.answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &str) -> AssistantSettings {
        AssistantSettings::read(json).expect("readable")
    }

    #[test]
    fn hours_and_holidays_are_those_of_the_companys_zone() {
        let given = settings(r#"{"hours": "mon-fri 09:00-18:00", "holidays": ["2026-11-26"]}"#);
        let zone = Zone::parse("America/New_York").expect("a zone");
        let at = |text: &str| moment(&given, text.parse().expect("an instant"), zone);

        assert_eq!(at("2026-11-30T14:00:00Z"), Moment::Open, "nine on a Monday");
        assert_eq!(at("2026-11-30T13:59:00Z"), Moment::Closed, "a minute before nine");
        assert_eq!(at("2026-11-29T16:00:00Z"), Moment::Closed, "a Sunday");
        assert_eq!(at("2026-11-26T16:00:00Z"), Moment::Closed, "a holiday");
        assert_eq!(moment(&settings("{}"), Timestamp::UNIX_EPOCH, zone), Moment::Open);
    }

    #[test]
    fn a_keyword_is_the_whole_text_and_an_escalation_any_part_of_it() {
        let given = settings(
            r#"{"keywords": [{"words": ["hours", "open?"], "answer": "Nine to five."}],
                "escalate_on": ["a lawyer"]}"#,
        );
        let cues = Cues::of(&given);
        let answer = |text: &str| given.keyword(&cues, &wording(text));
        assert_eq!(answer("Hours!"), Some("Nine to five."));
        assert_eq!(answer("OPEN"), Some("Nine to five."));
        assert_eq!(answer("What are your hours?"), None);

        assert!(cues.escalates(&wording("I will call a LAWYER.")));
        assert!(!cues.escalates(&wording("I will call a lawyers office")));
    }
}
