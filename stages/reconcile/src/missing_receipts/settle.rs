//! Settles the looks of some watches in one transaction: merges what carriers said, ends what has
//! waited until the horizon, and tells when the rest is looked at next.

use stage::Fault;
use store::{
    Store,
    messages::{
        receipt::poll::{Next, ReceiptWatch},
        row::StoredMessage,
    },
};
use wire::frame::Outgoing;

use super::{
    ask::Asked,
    decide::{self, Waiting},
    load,
    plan::Times,
    record,
};
use crate::receipts;

/// Merges what was said, ends what is over, and says when the rest is looked at next.
pub(super) async fn settle(
    store: &Store,
    times: &Times,
    watches: &[ReceiptWatch],
    asked: &Asked,
) -> Result<(Vec<Outgoing>, Vec<Next>), Fault> {
    // load
    let looks = load::looks(watches);
    if looks.is_empty() {
        let nobody = Waiting::new();
        let next = watches.iter().map(|watch| decide::next(times, watch, asked, &nobody));
        return Ok((Vec::new(), next.collect()));
    }
    let mut tx = store.scoped(looks.keys().map(|key| &key.0)).await?;
    let rows = load::lock_rows(&mut tx, &looks).await?;

    // decide
    let reports = decide::reports(&looks, asked);
    let merged = decide::merge_all(&looks, &rows, &reports);
    let mut waiting = decide::still_waiting(&rows, &merged);
    let over = decide::take_over(times, &looks, &mut waiting);
    let next = watches.iter().map(|watch| decide::next(times, watch, asked, &waiting)).collect();

    // record
    let stored = receipts::record::record(&mut tx, &merged).await?;
    let ended = record::end(&mut tx, times, &over).await?;
    tx.commit().await.map_err(store::fault)?;

    // say
    merged.iter().for_each(receipts::record::notice);
    metrics::counter!("millrace_receipts_missing_total").increment(over.len() as u64);
    let events = receipts::say::events(&merged, &stored);
    let mut say: Vec<Outgoing> = events.into_values().flatten().collect();
    say.extend(ended.iter().filter_map(StoredMessage::event).map(|event| event.outgoing()));
    Ok((say, next))
}
