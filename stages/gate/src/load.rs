//! What the gates decide by, and what has been decided already.

use std::collections::{BTreeSet, HashSet};

use domain::{
    gates::{Counters, Facts, Memo, SenderFacts, counter_keys},
    ids::{MessageId, SenderId, TenantId},
};
use stage::Fault;
use store::{
    Scoped,
    capacity::counters,
    facts::{self, Rows, Wanted},
    messages::gate::{self, StoredDecision},
};
use wire::Enriched;

use crate::turn::TurnState;

/// A message of the batch, and the index to answer it by.
#[derive(Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) index: usize,
    pub(crate) message: &'a Enriched,
}

/// The messages of a batch, by how far each has come.
#[derive(Default)]
pub(crate) struct Arrived<'a> {
    /// No gate has decided them in this turn. A message is in here once.
    pub(crate) open: Vec<Item<'a>>,
    /// Decided before in this turn, and the second copies of open ones.
    pub(crate) decided: Vec<Item<'a>>,
    /// Late deliveries: the message is in a later turn by now.
    pub(crate) late: Vec<Item<'a>>,
    /// Messages without a row of their turn.
    pub(crate) unknown: Vec<Item<'a>>,
    /// Whether nobody has looked: they are taken for open.
    pub(crate) is_presumed: bool,
}

/// The messages of a batch, each taken for open, but for the second copy of one.
pub(crate) fn presumed(messages: &[Enriched]) -> Arrived<'_> {
    let mut arrived = Arrived { is_presumed: true, ..Arrived::default() };
    let mut is_open = HashSet::with_capacity(messages.len());
    for (index, message) in messages.iter().enumerate() {
        let is_first = is_open.insert(key(message));
        let list = if is_first { &mut arrived.open } else { &mut arrived.decided };
        list.push(Item { index, message });
    }
    arrived
}

/// Looks how far each message of a batch has come. Locks nothing.
pub(crate) async fn arrived<'a>(
    tx: &mut Scoped,
    messages: &'a [Enriched],
) -> Result<Arrived<'a>, Fault> {
    let keys: Vec<_> = messages.iter().map(key).collect();
    let rows = gate::turns(tx, &keys).await?;

    let mut arrived = Arrived::default();
    let mut is_open = HashSet::with_capacity(messages.len());
    for (index, (message, row)) in messages.iter().zip(rows).enumerate() {
        let item = Item { index, message };
        match TurnState::of(message, row) {
            TurnState::Open if is_open.insert(key(message)) => arrived.open.push(item),
            // A second copy says what was decided about the first.
            TurnState::Open | TurnState::Decided => arrived.decided.push(item),
            TurnState::Late => arrived.late.push(item),
            TurnState::Unknown => arrived.unknown.push(item),
        }
    }
    Ok(arrived)
}

/// What the decisions of one batch go by. Each admission is counted in here, so that the next
/// message sees it.
pub(crate) struct Grounds {
    pub(crate) facts: Facts,
    pub(crate) counters: Counters,
    pub(crate) memo: Memo,
}

/// Loads what open messages are decided by. Locks the recipient statuses of marketing, then the
/// counters.
pub(crate) async fn grounds(
    tx: &mut Scoped,
    mut memo: Memo,
    open: &[Item<'_>],
) -> Result<Grounds, Fault> {
    if open.is_empty() {
        return Ok(Grounds { facts: Facts::default(), counters: Counters::default(), memo });
    }

    let wanted: Vec<Wanted<'_>> = open.iter().map(|item| wanted(item.message)).collect();
    let mut facts = facts::load(tx, &wanted, Rows::Lock).await?;
    let counters = lock_counters(tx, open, &facts, &mut memo).await?;
    // Only now: until the counters are locked, another gate may move a line on, or admit.
    facts::lines(tx, &mut facts).await?;
    facts::meters(tx, &mut facts).await?;
    Ok(Grounds { facts, counters, memo })
}

async fn lock_counters(
    tx: &mut Scoped,
    open: &[Item<'_>],
    facts: &Facts,
    memo: &mut Memo,
) -> Result<Counters, Fault> {
    // Messages that differ in text, person and cost alone have the same counters.
    let (mut keys, mut asked) = (BTreeSet::new(), HashSet::new());
    for item in open {
        let one = item.message.candidate();
        if asked.insert((one.tenant, one.class, one.campaign, one.placed, one.senders)) {
            keys.extend(counter_keys(&one, facts, memo));
        }
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let used = counters::lock(tx, &keys).await?;

    let mut counters = Counters::default();
    for (key, used) in keys.into_iter().zip(used) {
        counters.load(key, used);
    }
    Ok(counters)
}

/// A message that was decided before, what was decided, and the sender that the decision names.
pub(crate) struct Restated<'a> {
    pub(crate) item: Item<'a>,
    /// None where the message has no row.
    pub(crate) stored: Option<StoredDecision>,
    /// None where it was not admitted, or the sender cannot be read any more.
    pub(crate) sender: Option<SenderFacts>,
}

/// Reads back what was decided before, with the senders as they are now.
pub(crate) async fn stored<'a>(
    tx: &mut Scoped,
    decided: &[Item<'a>],
) -> Result<Vec<Restated<'a>>, Fault> {
    if decided.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<_> = decided.iter().map(|item| key(item.message)).collect();
    let found = gate::stored(tx, &keys).await?;

    let admitted = |stored: &Option<StoredDecision>| Some(stored.as_ref()?.admission?.sender);
    let senders: BTreeSet<(&TenantId, SenderId)> = decided
        .iter()
        .zip(&found)
        .filter_map(|(item, stored)| Some((&item.message.head.tenant, admitted(stored)?)))
        .collect();
    let senders = facts::senders(tx, &senders).await?;

    let restated = decided.iter().zip(found).map(|(item, stored)| {
        let (tenant, id) = (&item.message.head.tenant, admitted(&stored));
        let sender = senders.iter().find(|(owner, one)| owner == tenant && Some(one.id) == id);
        Restated { item: *item, stored, sender: sender.map(|(_, sender)| sender.clone()) }
    });
    Ok(restated.collect())
}

fn wanted(message: &Enriched) -> Wanted<'_> {
    Wanted {
        tenant: &message.head.tenant,
        class: message.head.class,
        campaign: message.head.campaign,
        senders: &message.senders,
        address: &message.head.to,
        channel: message.head.channel,
    }
}

/// Names a message: its tenant and its id.
fn key(message: &Enriched) -> (&TenantId, MessageId) {
    (&message.head.tenant, message.head.id)
}
