//! Settles a pair in one transaction: texts are given to messages, absent ones go back to the gates
//! or end, what is past its last date ends, and the rest is looked at again.

use std::{collections::HashSet, time::Duration};

use domain::ids::{MessageId, TenantId};
use stage::Fault;
use store::{
    Store,
    messages::{
        in_doubt::{self, Open},
        row::StoredMessage,
    },
};

use super::{
    decide::{Decision, Look, decide, past_last_date},
    lists::Listed,
    load::{load, lock_open},
    pairs::Pair,
    record,
    say::Cleared,
};

/// Settles what a list of a pair says about its doubts.
pub(super) async fn settle(
    store: &Store,
    look: Look,
    pair: &Pair,
    listed: &Listed,
) -> Result<Cleared, Fault> {
    let mut tx = store.scoped([&pair.tenant]).await?;

    // load
    let loaded = load(&mut tx, pair, listed).await?;

    // decide
    let decisions = decide(&loaded, look);
    let mut found = Vec::new();
    let mut absent = Vec::new();
    for (one, decision) in loaded.open.iter().zip(decisions) {
        match decision {
            Decision::Found(record) => found.push((one, record)),
            Decision::Absent(end) => absent.push((one, end)),
            Decision::Wait => {}
        }
    }

    // record
    let mut ended = record::found(&mut tx, look.now, pair, &found).await?;
    ended.extend(record::without(&mut tx, look.now, pair, &absent).await?);
    let over: HashSet<MessageId> = ended.iter().map(|(message, _)| message.id).collect();
    let late = past_last_date(look, &loaded.open, &over);
    ended.extend(record::without(&mut tx, look.now, pair, &late).await?);
    let settled: Vec<&StoredMessage> = ended.iter().map(|(message, _)| message).collect();
    in_doubt::settled(&mut tx, &settled).await?;
    in_doubt::postpone(&mut tx, &left(look, pair, &loaded.open, &settled)).await?;
    tx.commit().await.map_err(store::fault)?;

    // say
    Ok(Cleared::of(ended))
}

/// Ends those doubts of a pair that are past their last date, where its list could not be read.
pub(super) async fn end_late(store: &Store, look: Look, pair: &Pair) -> Result<Cleared, Fault> {
    let mut tx = store.scoped([&pair.tenant]).await?;
    let open = lock_open(&mut tx, pair).await?.open;
    let late = past_last_date(look, &open, &HashSet::new());
    let ended = record::without(&mut tx, look.now, pair, &late).await?;
    let settled: Vec<&StoredMessage> = ended.iter().map(|(message, _)| message).collect();
    in_doubt::settled(&mut tx, &settled).await?;
    tx.commit().await.map_err(store::fault)?;
    Ok(Cleared::of(ended))
}

/// The messages that this look has not settled, each with the wait for the next one.
fn left<'a>(
    look: Look,
    pair: &'a Pair,
    open: &[Open],
    settled: &[&StoredMessage],
) -> Vec<(&'a TenantId, MessageId, Duration)> {
    let over: HashSet<MessageId> = settled.iter().map(|message| message.id).collect();
    open.iter()
        .filter(|one| !over.contains(&one.message.id))
        .map(|one| (&pair.tenant, one.message.id, look.wait(one)))
        .collect()
}
