//! What may be done to a campaign in which state. Pure, and one table.

use wire::EventKind;

/// Something that is done to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// Freeze the audience and feed it.
    Start,
    /// Feed no more and hold what is under way.
    Pause,
    /// Go on where it was paused.
    Resume,
    /// Never feed again, and block what is under way.
    Stop,
}

/// What an act leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The campaign goes into this state.
    To(&'static str),
    /// It was done before: the same answer and the same event again.
    Repeat,
    /// The state does not allow it.
    Refused,
}

impl Act {
    /// Every act, in the order of a campaign's life.
    pub(super) const ALL: [Self; 4] = [Self::Start, Self::Pause, Self::Resume, Self::Stop];

    /// The name in paths and rows.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
        }
    }

    /// The act of this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == name)
    }

    /// The event that tells of it.
    pub(super) fn event(self) -> EventKind {
        match self {
            Self::Start => EventKind::CampaignStarted,
            Self::Pause => EventKind::CampaignPaused,
            Self::Resume => EventKind::CampaignResumed,
            Self::Stop => EventKind::CampaignStopped,
        }
    }

    /// What the act leads to. `done` says whether it was done to this campaign before.
    pub(super) fn step(self, state: &str, paused_from: Option<&str>, done: bool) -> Step {
        match (self, state) {
            (Self::Start, "draft") => Step::To("starting"),
            (Self::Pause, "starting" | "running") => Step::To("paused"),
            (Self::Resume, "paused") if paused_from == Some("starting") => Step::To("starting"),
            (Self::Resume, "paused") => Step::To("running"),
            (Self::Stop, "draft" | "starting" | "running" | "paused") => Step::To("stopped"),
            (Self::Start, _) if done => Step::Repeat,
            (Self::Pause, "paused") | (Self::Stop, "stopped") => Step::Repeat,
            (Self::Resume, "starting" | "running") if done => Step::Repeat,
            (Self::Start | Self::Pause | Self::Resume | Self::Stop, _) => Step::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_has_one_answer_in_each_state() {
        use Step::{Refused, Repeat, To};
        let table = [
            ("draft", [To("starting"), Refused, Refused, To("stopped")]),
            ("starting", [Repeat, To("paused"), Repeat, To("stopped")]),
            ("running", [Repeat, To("paused"), Repeat, To("stopped")]),
            ("paused", [Repeat, Repeat, To("running"), To("stopped")]),
            ("stopped", [Repeat, Refused, Refused, Repeat]),
            ("completed", [Repeat, Refused, Refused, Refused]),
        ];

        for (state, steps) in table {
            for (act, step) in Act::ALL.into_iter().zip(steps) {
                assert_eq!(act.step(state, None, true), step, "{act:?} when {state}");
            }
        }
    }

    #[test]
    fn nothing_is_repeated_that_was_never_done() {
        assert_eq!(Act::Start.step("stopped", None, false), Step::Refused);
        assert_eq!(Act::Resume.step("running", None, false), Step::Refused);
    }

    #[test]
    fn a_campaign_paused_while_its_audience_was_frozen_goes_on_freezing() {
        assert_eq!(Act::Resume.step("paused", Some("starting"), false), Step::To("starting"));
    }
}
