//! `analytics.<tenant>.<scope>[.<id>]`: the totals so far. The last value of a subject is kept; a
//! late receipt makes a new version.

use std::collections::BTreeMap;

use domain::message::state::MessageState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The totals of one scope as subscribers read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Business time of the latest change counted.
    pub as_of: Timestamp,
    /// How many changes of messages and other events these totals count: the same number, however
    /// and in whatever groups they came.
    pub watermark: i64,
    /// Raised by every change; a subscriber keeps the highest.
    pub version: i64,
    /// The campaign's id, where the scope is one campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Counts by name: each message state (`sent`, `delivered`, ...) and `<state>.<detail>`,
    /// `released`, `segments`, `cost_micros`, `received`, `opt_outs`, `opt_ins`, `rejected`,
    /// `audience`.
    pub totals: BTreeMap<String, i64>,
}

/// The name under which messages of a state with a detail are counted, beside the state.
pub fn detailed(state: MessageState, detail: &str) -> String {
    format!("{}.{detail}", state.as_str())
}
