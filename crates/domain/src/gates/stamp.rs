//! A decision as the passport keeps it: gate, code, the facts in words, the policy's version, and
//! until when.

use jiff::Timestamp;

use super::{
    model::{Decision, Verdict},
    pace,
};
use crate::message::passport::Stamp;

impl Decision {
    /// The stamp of the gates at this instant.
    pub fn stamp(&self, now: Timestamp) -> Stamp {
        let plain = Stamp {
            policy_version: self.policy_version,
            ..Stamp::plain("gate", now, self.verdict.as_str())
        };

        let (gate, code, reason, until) = match &self.verdict {
            Verdict::Admit { sendable_until, .. } => {
                return Stamp { until: Some(*sendable_until), ..plain };
            }
            Verdict::Defer { until, cause } => {
                (Some(cause.gate), cause.code, &cause.reason, Some(*until))
            }
            Verdict::AwaitPace { until } => {
                (None, pace::CODE, &pace::REASON.to_owned(), Some(*until))
            }
            Verdict::Hold { cause } => (Some(cause.gate), cause.code, &cause.reason, None),
            Verdict::Block { until, cause } => {
                (Some(cause.gate), cause.code, &cause.reason, *until)
            }
            Verdict::Expire { gate, code, reason } => (*gate, *code, reason, None),
        };
        Stamp { gate, code: Some(code.into()), reason: Some(reason.clone()), until, ..plain }
    }
}
