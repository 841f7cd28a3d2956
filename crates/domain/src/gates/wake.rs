//! What wakes a waiting message before its time.

use std::fmt;

use super::capacity::line::LineKey;
use crate::ids::{CampaignId, SenderId};

/// What wakes a waiting message: the key of its parked row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The platform's switch.
    Platform,
    /// The tenant's switch.
    Tenant,
    /// A campaign's switch or state.
    Campaign(CampaignId),
    /// A sender's switch.
    Sender(SenderId),
    /// A policy that can be read.
    Policy,
    /// More of a capacity that the message stands in line for.
    Line(LineKey),
}

impl Wake {
    pub(super) fn whose(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Tenant => "tenant",
            Self::Campaign(_) => "campaign",
            Self::Sender(_) => "sender",
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
            Self::Policy => f.write_str("policy"),
            Self::Line(key) => write!(f, "line:{key}"),
        }
    }
}
