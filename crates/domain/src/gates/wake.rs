//! What wakes a waiting message before its time.

use std::fmt;

use super::capacity::line::LineKey;
use crate::ids::{CampaignId, SenderId};

/// What wakes a waiting message. Its text is the cause key of the parked row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The platform's switch is on.
    Platform,
    /// The tenant's switch is on.
    Tenant,
    /// The campaign's switch is on, and it runs.
    Campaign(CampaignId),
    /// The sender's switch is on.
    Sender(SenderId),
    /// The sender is out of quarantine.
    Health(SenderId),
    /// The tenant has a policy that can be read.
    Policy,
    /// There is more of the capacity that the message waits in line for.
    Line(LineKey),
}

impl Wake {
    /// Whose switch it is, in a word.
    pub(super) fn whose(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Tenant => "tenant",
            Self::Campaign(_) => "campaign",
            Self::Sender(_) | Self::Health(_) => "sender",
            Self::Policy => "policy",
            Self::Line(_) => "capacity",
        }
    }
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("switch:platform"),
            Self::Tenant => f.write_str("switch:tenant"),
            Self::Campaign(id) => write!(f, "switch:campaign:{id}"),
            Self::Sender(id) => write!(f, "switch:sender:{id}"),
            Self::Health(id) => write!(f, "health:sender:{id}"),
            Self::Policy => f.write_str("policy"),
            Self::Line(key) => write!(f, "line:{key}"),
        }
    }
}
