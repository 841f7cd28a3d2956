//! Raises doubts: a claim whose call must be over, and whose owner never said how it ended.

use std::time::Duration;

use domain::message::{
    passport::Stamp,
    state::{CALL_UNANSWERED, CALL_UNANSWERED_REASON, MessageState},
};
use jiff::Timestamp;
use stage::{Fault, StageName};
use store::{
    Store,
    messages::in_doubt::{self, Raise},
};

use super::config::InDoubtSweepConfig;

/// How long after the last instant at which a call may have ended its claim is in doubt: the owner
/// of the claim still has to record how it ended.
const MARGIN: Duration = Duration::from_secs(1);

/// The most chunks of claims that one tick looks at.
const CHUNKS: i64 = 256;

/// Marks expired claims in doubt. Answers whether there may be more.
pub(super) async fn raise(
    store: &Store,
    config: &InDoubtSweepConfig,
    now: Timestamp,
) -> Result<bool, Fault> {
    let stamp = Stamp {
        code: Some(CALL_UNANSWERED.into()),
        reason: Some(CALL_UNANSWERED_REASON.into()),
        ..Stamp::plain(StageName::Reconcile.as_str(), now, MessageState::InDoubt.as_str())
    };
    let expired = Raise {
        past: config.request_timeout + MARGIN,
        first_look: config.first_look(),
        watch_after: config.receipt_fetch,
        now,
        stamp: &stamp,
        at_most: CHUNKS,
    };
    let raised = in_doubt::raise(store, &expired).await?;

    let messages = raised.messages;
    if messages > 0 {
        metrics::counter!("millrace_in_doubt_total").increment(messages as u64);
        tracing::warn!(messages, "carrier calls whose owner died are in doubt");
    }
    Ok(raised.more)
}
