//! What texts make of the rows: each is stored once, and the first time one says stop or start, its
//! person's recipient status changes in the same transaction.

use std::collections::{HashMap, HashSet};

use stage::{Cx, Fault};
use store::{
    Store,
    conversations::inbound::{self, Meaning, NewText, Thread},
};
use uuid::Uuid;

use crate::load::{Arrived, received};

/// The threads by text, and the handles of accounts whose carrier answers its own words.
pub(crate) type Recorded = (HashMap<Uuid, Thread>, HashSet<String>);

/// Stores the texts, and reads what is needed to say what follows from them.
pub(crate) async fn record(
    store: &Store,
    cx: &Cx,
    arrived: &[Arrived],
    texts: &[NewText],
) -> Result<Recorded, Fault> {
    if texts.is_empty() {
        return Ok(Recorded::default());
    }
    let mut tx = store.scoped(texts.iter().map(|text| text.tenant.clone())).await?;

    let threads = inbound::receive(&mut tx, texts).await?;
    let mut threads: HashMap<Uuid, Thread> =
        threads.into_iter().map(|thread| (thread.inbound, thread)).collect();
    let changing: Vec<&NewText> = texts
        .iter()
        .filter(|text| threads[&text.id].first)
        .filter(|text| matches!(text.meaning, Meaning::OptOut | Meaning::OptIn))
        .collect();
    if !changing.is_empty() {
        inbound::change_recipients(&mut tx, cx.now, &changing).await?;
    }

    let stops: Vec<&NewText> =
        texts.iter().filter(|text| text.meaning == Meaning::OptOut).collect();
    if !stops.is_empty() {
        for (text, program) in inbound::left(&mut tx, &stops).await? {
            threads.entry(text).and_modify(|thread| thread.program = Some(program));
        }
    }
    let starts: Vec<&NewText> =
        texts.iter().filter(|text| text.meaning == Meaning::OptIn).collect();
    for text in inbound::overtaken(&mut tx, &starts).await? {
        threads.entry(text).and_modify(|thread| thread.overtaken = true);
    }

    let (tenants, accounts): (Vec<String>, Vec<String>) = received(arrived)
        .map(|received| (received.text.tenant.to_string(), received.account.clone()))
        .unzip();
    let self_answering = inbound::self_answering(&mut tx, &tenants, &accounts).await?;
    tx.commit().await.map_err(store::fault)?;
    Ok((threads, self_answering))
}
