//! The passport: what each stage decided about a message, and on what grounds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::gates::model::Gate;

/// How many stamps a passport holds. A message deferred more often keeps its first stamps and
/// its latest ones.
pub const MAX_STAMPS: usize = 32;

/// What one stage decided about one message, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stamp {
    /// The stage that decided.
    pub stage: String,
    /// Time of the decision.
    pub at: Timestamp,
    /// What it decided, in one word: `enriched`, `admit`, `defer`, `hold`, `block`, `sent`, ...
    pub verdict: String,
    /// The gate that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub gate: Option<Gate>,
    /// The machine-readable reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// The reason in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The version of the policy that the gates went by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub policy_version: Option<i64>,
    /// Until when it waits, for a deferral; for a block from when on the gate would pass; for an
    /// admission until when it may be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub until: Option<Timestamp>,
}

/// The stamps of one message, in the order in which they were recorded. That is nearly the order of
/// time: a receipt may be recorded before the answer of the call that it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct Passport(Vec<Stamp>);

impl Passport {
    /// Adds a stamp. At the limit the oldest stamp of the second half makes room for it.
    pub fn stamp(&mut self, stamp: Stamp) {
        if self.0.len() == MAX_STAMPS {
            self.0.remove(MAX_STAMPS / 2);
        }
        self.0.push(stamp);
    }

    /// The stamps, in the order in which they were recorded.
    pub fn stamps(&self) -> &[Stamp] {
        &self.0
    }

    /// The stamps as people read them: oldest first.
    #[must_use]
    pub fn in_time_order(mut self) -> Self {
        self.0.sort_by_key(|stamp| stamp.at);
        self
    }
}

impl Stamp {
    /// A stamp with a verdict and nothing else.
    pub fn plain(stage: &str, at: Timestamp, verdict: &str) -> Self {
        Self {
            stage: stage.into(),
            at,
            verdict: verdict.into(),
            gate: None,
            code: None,
            reason: None,
            policy_version: None,
            until: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passport_is_bounded_and_keeps_its_first_and_its_latest_stamps() {
        let mut passport = Passport::default();
        for n in 0..100 {
            passport.stamp(Stamp::plain(&n.to_string(), Timestamp::UNIX_EPOCH, "defer"));
        }

        assert_eq!(passport.stamps().len(), MAX_STAMPS);
        assert_eq!(passport.stamps()[0].stage, "0");
        assert_eq!(passport.stamps()[MAX_STAMPS - 1].stage, "99");
    }

    #[test]
    fn people_read_stamps_in_the_order_of_time() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let mut passport = Passport::default();
        for (stage, second) in [("gate", 1), ("reconcile", 3), ("send", 2), ("notify", 3)] {
            passport.stamp(Stamp::plain(stage, at(second), "sent"));
        }

        let stages = passport.in_time_order().0.into_iter().map(|stamp| stamp.stage);
        assert_eq!(stages.collect::<Vec<_>>(), ["gate", "send", "reconcile", "notify"]);
    }
}
