//! `analytics.<tenant>.<scope>[.<id>]`: the totals so far. The last value of a subject is kept; a
//! late receipt makes a new version.

use std::collections::BTreeMap;

use domain::message::state::MessageState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::event::{CountedState, CountsData};

/// The totals of one scope as subscribers read them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Time of the latest change counted.
    pub as_of: Timestamp,
    /// How many changes of messages and other events these totals count: the same number, however
    /// and in whatever groups they came.
    pub watermark: i64,
    /// Raised by every change; a subscriber keeps the highest.
    pub version: i64,
    /// The campaign's id, where the scope is one campaign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<Uuid>,
    /// Counts by name: each message state (`sent`, `delivered`, ...) and `<state>.<detail>`,
    /// `released`, `segments`, `cost_micros`, `received`, `opt_outs`, `opt_ins`, `rejected`,
    /// `audience`.
    pub totals: BTreeMap<String, i64>,
}

/// The name of the total of messages that came into a second turn.
pub const RELEASED_NAME: &str = "released";

/// The name of the total of segments that the carrier took.
pub const SEGMENTS_NAME: &str = "segments";

/// The name of the total of what these cost, in micro-units.
pub const COST_NAME: &str = "cost_micros";

/// Whether messages count in the total of this name: a state, a state with a detail, or a sum over
/// messages. In the others events count, each once.
pub fn is_of_messages(name: &str) -> bool {
    let state = name.split_once('.').map_or(name, |(state, _)| state);
    let sums = [RELEASED_NAME, SEGMENTS_NAME, COST_NAME];
    sums.contains(&name) || MessageState::from_name(state).is_some()
}

/// The names under which a message is counted: its state, and its state with the detail.
pub fn names(counted: &CountedState) -> impl Iterator<Item = String> {
    let state = counted.state.as_str();
    let detailed = counted.detail.as_ref().map(|detail| format!("{state}.{detail}"));
    std::iter::once(state.to_owned()).chain(detailed)
}

/// By how much a group of changes raises the sums over messages, by the names of their totals.
pub fn sums(counts: &CountsData) -> impl Iterator<Item = (String, i64)> {
    let sums = [
        (RELEASED_NAME, counts.released),
        (SEGMENTS_NAME, counts.segments),
        (COST_NAME, counts.cost.0),
    ];
    sums.into_iter().map(|(name, by)| (name.to_owned(), by))
}

/// What a group of changes adds to its minute. A series tells how many came, wherever they went on
/// to.
pub fn came(counts: &CountsData) -> impl Iterator<Item = (String, i64)> {
    let came = names(&counts.to).map(|name| (name, counts.messages));
    came.chain(sums(counts)).filter(|(_, by)| *by != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_count_in_states_details_and_sums_and_in_nothing_else() {
        for name in
            ["sent", "sent.no_receipt", "blocked.dnc", "released", "segments", "cost_micros"]
        {
            assert!(is_of_messages(name), "{name}");
        }
        for name in ["received", "opt_outs", "audience", "clicked", "clicked.twice", "segments.x"] {
            assert!(!is_of_messages(name), "{name}");
        }
    }
}
