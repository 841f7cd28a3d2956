//! `analytics.<tenant>.<scope>[.<id>]`: the totals so far. The last value of a subject is kept; a
//! late receipt makes a new version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The totals of one scope as subscribers read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Business time of the latest event counted.
    pub as_of: Timestamp,
    /// How many events these totals count.
    pub watermark: i64,
    /// Raised by every change; a subscriber keeps the highest.
    pub version: i64,
    /// The campaign's id, where the scope is one campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Counts by name: each message state (`sent`, `delivered`, ...), `blocked.<gate>`, `segments`,
    /// `cost_micros`, `received`, `opt_outs`, `opt_ins`, `rejected`, `audience`.
    pub totals: BTreeMap<String, i64>,
}

/// The name under which a message blocked by a gate is counted, beside `blocked`.
pub fn blocked_by(gate: &str) -> String {
    format!("blocked.{gate}")
}
