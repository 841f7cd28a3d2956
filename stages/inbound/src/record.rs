//! What texts make of the rows: each is stored once, and the first time one says stop or start, its
//! person's recipient status changes in the same transaction.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped, Store,
    conversations::inbound::{self, Meaning, NewText, Thread},
};
use uuid::Uuid;

use crate::{
    answering::{self, People},
    contacts,
    decide::{Arrived, Received, distinct, received, received_mut},
    media,
};

/// What is stored about the texts of a batch, as far as it decides what is said.
#[derive(Default)]
pub(crate) struct Recorded {
    /// The conversations, by text.
    pub(crate) threads: HashMap<Uuid, Thread>,
}

/// Stores the texts, each as its contact's, and reads what is needed to say what follows from them.
pub(crate) async fn record(
    store: &Store,
    now: Timestamp,
    arrived: &mut [Arrived],
) -> Result<Recorded, Fault> {
    let tenants: Vec<_> = received(arrived).map(|received| received.text.tenant.clone()).collect();
    if tenants.is_empty() {
        return Ok(Recorded::default());
    }
    let mut tx = store.scoped(tenants).await?;

    contacts::own(&mut tx, arrived).await?;
    let mut texts = distinct(arrived);
    let threads = inbound::receive(&mut tx, &mut texts).await?;
    let mut threads: HashMap<Uuid, Thread> =
        threads.into_iter().map(|thread| (thread.inbound, thread)).collect();
    contacts::as_stored(received_mut(arrived).map(|received| &mut received.text), &threads);
    contacts::as_stored(texts.iter_mut(), &threads);
    let arrived = &*arrived;

    let before = people(&mut tx, now, &texts, &threads).await?;
    change_recipients(&mut tx, now, &texts, &threads).await?;
    complete(&mut tx, &texts, &mut threads).await?;

    let by_carrier = answered_by_carrier(&mut tx, arrived).await?;
    media::record(&mut tx, arrived, &threads).await?;
    let answers = answering::decide(&texts, &threads, &by_carrier, before);
    store::conversations::answers::record(&mut tx, &answers).await?;
    for (_, text, answer) in answers {
        threads.entry(text).and_modify(|thread| thread.answer = Some(answer));
    }

    tx.commit().await.map_err(store::fault)?;
    Ok(Recorded { threads })
}

/// The people of new texts, as they were before these.
async fn people(
    tx: &mut Scoped,
    now: Timestamp,
    texts: &[NewText],
    threads: &HashMap<Uuid, Thread>,
) -> Result<People, Fault> {
    let asks = |text: &&NewText| match text.meaning {
        Meaning::OptOut | Meaning::OptIn | Meaning::Help => threads[&text.id].first,
        Meaning::Text | Meaning::Reaction | Meaning::Automatic => false,
    };
    let asking: Vec<&NewText> = texts.iter().filter(asks).collect();
    store::conversations::answers::people(tx, &asking, now).await
}

/// The texts to words that their carrier answers by itself, or says that it has answered.
async fn answered_by_carrier(tx: &mut Scoped, arrived: &[Arrived]) -> Result<HashSet<Uuid>, Fault> {
    let of_carrier: Vec<&Received> =
        received(arrived).filter(|received| received.keyword.is_some()).collect();
    if of_carrier.is_empty() {
        return Ok(HashSet::new());
    }

    let (tenants, accounts): (Vec<String>, Vec<String>) = of_carrier
        .iter()
        .map(|received| (received.text.tenant.to_string(), received.account.clone()))
        .unzip();
    let answering = inbound::self_answering(tx, &tenants, &accounts).await?;
    let answered = of_carrier
        .iter()
        .filter(|received| received.answered || answering.contains(&received.account));
    Ok(answered.map(|received| received.text.id).collect())
}

/// Changes the recipient status of people who say stop or start, with the first record of each
/// text: a repeat must not undo what they have said since.
async fn change_recipients(
    tx: &mut Scoped,
    now: Timestamp,
    texts: &[NewText],
    threads: &HashMap<Uuid, Thread>,
) -> Result<(), Fault> {
    let changing: Vec<&NewText> = texts
        .iter()
        .filter(|text| threads[&text.id].first)
        .filter(|text| matches!(text.meaning, Meaning::OptOut | Meaning::OptIn))
        .collect();

    if !changing.is_empty() {
        inbound::change_recipients(tx, now, &changing).await?;
    }
    Ok(())
}

/// Adds what answers depend on: the program that a stop left, and whether the person has said stop
/// after a start.
async fn complete(
    tx: &mut Scoped,
    texts: &[NewText],
    threads: &mut HashMap<Uuid, Thread>,
) -> Result<(), Fault> {
    let that_mean = |meaning: Meaning| -> Vec<&NewText> {
        texts.iter().filter(|text| text.meaning == meaning).collect()
    };

    let stops = that_mean(Meaning::OptOut);
    if !stops.is_empty() {
        for (text, program) in inbound::left(tx, &stops).await? {
            threads.entry(text).and_modify(|thread| thread.program = Some(program));
        }
    }

    let starts = that_mean(Meaning::OptIn);
    for text in inbound::overtaken(tx, &starts).await? {
        threads.entry(text).and_modify(|thread| thread.overtaken = true);
    }
    Ok(())
}
