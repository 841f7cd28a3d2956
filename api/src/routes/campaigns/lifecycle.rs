//! What may be done to a campaign in which state. Pure, and one table.

use store::campaigns::{CampaignAct, CampaignState};
use wire::EventKind;

/// What an act leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The campaign goes into this state.
    To(CampaignState),
    /// It was done before: the same answer and the same event again.
    Repeat,
    /// The state does not allow it.
    Refused,
}

/// The event that tells of an act.
pub(super) fn event(act: CampaignAct) -> EventKind {
    match act {
        CampaignAct::Start => EventKind::CampaignStarted,
        CampaignAct::Pause => EventKind::CampaignPaused,
        CampaignAct::Resume => EventKind::CampaignResumed,
        CampaignAct::Stop => EventKind::CampaignStopped,
    }
}

/// What an act leads to. `done` says whether it was done to this campaign before.
pub(super) fn step(
    act: CampaignAct,
    state: CampaignState,
    paused_from: Option<CampaignState>,
    done: bool,
) -> Step {
    use CampaignAct::{Pause, Resume, Start, Stop};
    use CampaignState::{Completed, Draft, Paused, Running, Starting, Stopped};
    match (act, state) {
        (Start, Draft) => Step::To(Starting),
        (Pause, Starting | Running) => Step::To(Paused),
        (Resume, Paused) if paused_from == Some(Starting) => Step::To(Starting),
        (Resume, Paused) => Step::To(Running),
        (Stop, Draft | Starting | Running | Paused) => Step::To(Stopped),
        (Start, Starting | Running | Paused) if done => Step::Repeat,
        (Pause, Paused) | (Stop, Stopped) => Step::Repeat,
        (Resume, Starting | Running) if done => Step::Repeat,
        (Start, Starting | Running | Paused | Stopped | Completed) => Step::Refused,
        (Pause, Draft | Stopped | Completed) => Step::Refused,
        (Resume, Draft | Starting | Running | Stopped | Completed) => Step::Refused,
        (Stop, Completed) => Step::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_has_one_answer_in_each_state() {
        use CampaignState::{Completed, Draft, Paused, Running, Starting, Stopped};
        use Step::{Refused, Repeat, To};
        let table = [
            (Draft, [To(Starting), Refused, Refused, To(Stopped)]),
            (Starting, [Repeat, To(Paused), Repeat, To(Stopped)]),
            (Running, [Repeat, To(Paused), Repeat, To(Stopped)]),
            (Paused, [Repeat, Repeat, To(Running), To(Stopped)]),
            (Stopped, [Refused, Refused, Refused, Repeat]),
            (Completed, [Refused, Refused, Refused, Refused]),
        ];

        for (state, steps) in table {
            for (act, expected) in CampaignAct::ALL.into_iter().zip(steps) {
                assert_eq!(step(act, state, None, true), expected, "{act:?} when {state:?}");
            }
        }
    }

    #[test]
    fn nothing_is_repeated_that_was_never_done() {
        let new = |act, state| step(act, state, None, false);
        assert_eq!(new(CampaignAct::Start, CampaignState::Stopped), Step::Refused);
        assert_eq!(new(CampaignAct::Resume, CampaignState::Running), Step::Refused);
    }

    #[test]
    fn a_campaign_paused_while_its_audience_was_frozen_goes_on_freezing() {
        let starting = CampaignState::Starting;
        let resumed = step(CampaignAct::Resume, CampaignState::Paused, Some(starting), false);
        assert_eq!(resumed, Step::To(starting));
    }
}
