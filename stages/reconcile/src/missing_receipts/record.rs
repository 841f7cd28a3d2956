//! Writes the end of messages whose receipt has not come within the horizon.

use domain::message::{
    passport::Stamp,
    state::{MessageState, NO_RECEIPT},
};
use jiff::Timestamp;
use stage::{Fault, StageName};
use store::{
    Scoped,
    messages::{receipt, row::StoredMessage},
};

use super::plan::Times;
use crate::receipts::report::Key;

/// Ends messages that are past the horizon, each at the time of its look.
pub(super) async fn end(
    tx: &mut Scoped,
    times: &Times,
    over: &[(&Key, Timestamp)],
) -> Result<Vec<StoredMessage>, Fault> {
    if over.is_empty() {
        return Ok(Vec::new());
    }

    let stamps: Vec<Stamp> = over.iter().map(|(_, looked_at)| stamp(times, *looked_at)).collect();
    let rows: Vec<receipt::Merged<'_>> =
        over.iter().zip(&stamps).map(|((key, _), stamp)| ended(key, stamp)).collect();
    let stored = receipt::write(tx, &rows).await?;
    Ok(stored.into_iter().flatten().collect())
}

fn stamp(times: &Times, looked_at: Timestamp) -> Stamp {
    Stamp {
        code: Some(NO_RECEIPT.into()),
        reason: Some(format!("no receipt came within {}", times.horizon_in_words())),
        ..Stamp::plain(StageName::Reconcile.as_str(), looked_at, MessageState::Sent.as_str())
    }
}

fn ended<'a>(key: &'a Key, stamp: &'a Stamp) -> receipt::Merged<'a> {
    receipt::Merged {
        tenant: &key.0,
        message: key.1,
        state: MessageState::Sent,
        raised: true,
        code: stamp.code.clone(),
        sid: None,
        at: stamp.at,
        reserved_at: None,
        settled: None,
        repriced: false,
        stamp,
    }
}
