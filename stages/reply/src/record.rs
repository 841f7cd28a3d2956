//! Writes down what was decided about texts, unless something was decided before.

use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    conversations::replies::{self, ReplyDecided, ReplyDecision},
};

use crate::decide::{over, since};

/// Records a decision, and gives the one that stands: an earlier one about this text, or silence
/// where another process has used up the answers of the thread or the person.
pub(crate) async fn record(
    store: &Store,
    now: Timestamp,
    decision: &ReplyDecision,
) -> Result<ReplyDecided, Fault> {
    let mut tx = store.scoped([&decision.ask.tenant]).await?;
    let decided = replies::decide(&mut tx, decision, now, since(now), over).await?;
    tx.commit().await.map_err(store::fault)?;
    Ok(decided)
}

/// Records decisions not to answer, all at once, and gives those that stand, in their order.
pub(crate) async fn silence(
    store: &Store,
    now: Timestamp,
    silences: &[ReplyDecision],
) -> Result<Vec<ReplyDecided>, Fault> {
    let mut tx = store.scoped(silences.iter().map(|one| &one.ask.tenant)).await?;
    let decided = replies::silence(&mut tx, silences, now).await?;
    tx.commit().await.map_err(store::fault)?;
    Ok(decided)
}
