//! The states of a campaign, and what is done to one.

use domain::gates::SwitchMode;

use crate::core::words::words;

/// Where a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignState {
    /// It was made, and nothing of it has been sent.
    Draft,
    /// Its audience is being frozen.
    Starting,
    /// Its audience is fed.
    Running,
    /// It feeds no more until it is resumed, and what is under way is held.
    Paused,
    /// It never feeds again, and what no carrier has of it is cancelled.
    Stopped,
    /// Everybody in its audience has been told, or will not be.
    Completed,
}

impl CampaignState {
    /// Every state, in the order of a campaign's life.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Starting, Self::Running, Self::Paused, Self::Stopped, Self::Completed];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Completed => "completed",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// What it means for the campaign's messages that are under way.
    pub fn switch(self) -> SwitchMode {
        match self {
            Self::Draft | Self::Starting | Self::Running | Self::Completed => SwitchMode::On,
            Self::Paused => SwitchMode::Paused,
            Self::Stopped => SwitchMode::Stopped,
        }
    }
}

/// Something that is done to a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignAct {
    /// Freeze the audience and feed it.
    Start,
    /// Feed no more and hold what is under way.
    Pause,
    /// Go on where it was paused.
    Resume,
    /// Never feed again, and cancel what no carrier has of it.
    Stop,
}

impl CampaignAct {
    /// Every act, in the order of a campaign's life.
    pub const ALL: [Self; 4] = [Self::Start, Self::Pause, Self::Resume, Self::Stop];

    /// The name in paths and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
        }
    }

    /// The act of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == name)
    }
}

words! {
    CampaignState = "state of a campaign",
    CampaignAct = "act on a campaign",
}

domain::described_words! {
    CampaignState, "Where a campaign stands. `starting`: its audience is being frozen; `stopped`: \
        it never goes on; `completed`: everybody in its audience has been told, or will not be.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for state in CampaignState::ALL {
            assert_eq!(CampaignState::from_name(state.as_str()), Some(state));
        }
        for act in CampaignAct::ALL {
            assert_eq!(CampaignAct::from_name(act.as_str()), Some(act));
        }
    }
}
