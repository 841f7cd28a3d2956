//! Gate: decides whether a message may be sent, by whom and until when, and writes that down once.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.enriched.<lane>` |
//! | Emits | `msg.admitted.<lane>.<shard>`; events message.blocked, deferred, held, expired; owes |
//! | | budget.warning and budget.exhausted |
//! | Reads | policies, switches, budgets, senders, standings, counters, lines, the message's state |
//! | Writes | `messages` (the decision), `counters`, `lines`, `standings` (marketing), `parked`, |
//! | | `budget_alerts`, `unsaid_events` |
//! | Calls | nobody |
//! | Never | admits under facts that it could not read; decides twice in one turn |
//!
//! Locks are taken in one order everywhere: standings, counters, messages, each in key order. Lines
//! are written at the end, in key order too.

mod alerts;
pub mod decide;
mod say;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::{
    gates::{Counters, Facts, Memo, SenderFacts, capacity::alerts::TurnedAway, counter_keys},
    ids::{MessageId, SenderId, TenantId},
    message::{class::Channel, state::MessageState},
    phone::PhoneNumber,
};
use jiff::Timestamp;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Scoped, Store,
    capacity::{counters, lines},
    facts::{self, Rows, Wanted},
    messages::gate::{self, GateDecision, Marketed, StoredDecision},
    parked::park,
};
use wire::{Enriched, Stream};

use decide::{Ruling, rule};

/// The gate stage.
pub struct GateStage {
    store: Store,
}

impl GateStage {
    /// A gate over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for GateStage {
    const NAME: StageName = StageName::Gate;
    const FROM: Stream = Stream::Enriched;
    type In = Enriched;

    async fn handle(&self, cx: &Cx, batch: Batch<Enriched>) -> Result<(), Fault> {
        let messages = batch.items();
        let mut tx = self.store.scoped(messages.iter().map(|one| &one.head.tenant)).await?;
        let all: Vec<usize> = (0..messages.len()).collect();
        let turns = gate::turns(&mut tx, &keys(messages, &all)).await?;
        let mut open = Vec::with_capacity(messages.len());
        let mut once = HashSet::with_capacity(messages.len());
        let mut decided = Vec::new();
        let mut answers: Vec<(usize, Outcome)> = Vec::new();
        for (at, (message, found)) in messages.iter().zip(turns).enumerate() {
            match place(message, found) {
                Place::Open if once.insert(key(message)) => open.push(at),
                // A second copy says what was decided about the first.
                Place::Open | Place::Decided => decided.push(at),
                Place::Moved => answers.push((at, Outcome::DONE)),
                Place::Unknown => answers.push((at, say::unknown())),
            }
        }
        let mut new = decide_open(&mut tx, cx.now, messages, &open).await?;
        decided.append(&mut new.overtaken);
        let stored = stored(&mut tx, messages, &decided).await?;
        tx.commit().await.map_err(store::fault)?;

        answers.extend(new.rulings.iter().map(|one| (one.at, say::ruling(messages, one))));
        answers.extend(stored.iter().map(|one| (one.at, say::stored(&messages[one.at], one))));
        for (at, outcome) in answers {
            batch.answer(at, outcome);
        }
        Ok(())
    }
}

/// Where a message stands when it is handed over.
enum Place {
    /// No gate has decided it in this turn.
    Open,
    /// Something was decided in this turn.
    Decided,
    /// It is in a later turn: this delivery is late.
    Moved,
    /// It has no row, or its row is behind: the row is made and raised before it is published.
    Unknown,
}

fn place(message: &Enriched, found: Option<(u32, MessageState)>) -> Place {
    match found {
        None => Place::Unknown,
        Some((turn, _)) if turn > message.head.turn => Place::Moved,
        Some((turn, _)) if turn < message.head.turn => Place::Unknown,
        Some((_, MessageState::Accepted)) => Place::Open,
        Some(_) => Place::Decided,
    }
}

/// A decision made and recorded now.
struct New {
    at: usize,
    ruling: Ruling,
    row: store::messages::row::StoredMessage,
    sender: Option<SenderFacts>,
}

#[derive(Default)]
struct Recorded {
    rulings: Vec<New>,
    /// Messages that something else decided between our look and our write.
    overtaken: Vec<usize>,
}

/// Load, decide, record, for messages that no gate has decided yet.
async fn decide_open(
    tx: &mut Scoped,
    now: Timestamp,
    messages: &[Enriched],
    open: &[usize],
) -> Result<Recorded, Fault> {
    if open.is_empty() {
        return Ok(Recorded::default());
    }
    let wanted: Vec<Wanted<'_>> = open.iter().map(|at| wanted(&messages[*at])).collect();
    let mut facts = facts::load(tx, &wanted, Rows::Lock).await?;
    let mut memo = Memo::new(now);
    let mut counters = lock_counters(tx, messages, open, &facts, &mut memo).await?;
    facts::lines(tx, &mut facts).await?;
    let rulings: Vec<Ruling> =
        open.iter().map(|at| rule(&messages[*at], &facts, &mut counters, &mut memo)).collect();
    let decisions: Vec<GateDecision<'_>> =
        open.iter().zip(&rulings).map(|(at, ruling)| decided(&messages[*at], ruling)).collect();
    let rows = gate::record(tx, now, &decisions).await?;
    let mut result = Recorded::default();
    for ((&at, row), ruling) in open.iter().zip(rows).zip(rulings) {
        let Some(row) = row else {
            counters.give_back(&ruling.reserved);
            result.overtaken.push(at);
            continue;
        };
        let sender = ruling.admission.and_then(|admission| {
            let tenant = facts.tenants.get(&messages[at].head.tenant)?;
            tenant.senders.get(&admission.sender).cloned()
        });
        result.rulings.push(New { at, ruling, row, sender });
    }
    counters::add(tx, &counters.added()).await?;
    lines::move_on(tx, &counters.lines(), now).await?;
    let turned_away = turned_away(messages, &result.rulings);
    alerts::raise(tx, now, &facts, &counters, &mut memo, &turned_away).await?;
    gate::market(tx, now, &marketed(messages, &result.rulings)).await?;
    park::insert(tx, now, &parkings(messages, &result.rulings)).await?;
    Ok(result)
}

async fn lock_counters(
    tx: &mut Scoped,
    messages: &[Enriched],
    open: &[usize],
    facts: &Facts,
    memo: &mut Memo,
) -> Result<Counters, Fault> {
    let mut keys = BTreeSet::new();
    for at in open {
        keys.extend(counter_keys(&messages[*at].candidate(), facts, memo));
    }
    let keys: Vec<_> = keys.into_iter().collect();
    let used = counters::lock(tx, &keys).await?;
    let mut counters = Counters::default();
    for (key, used) in keys.into_iter().zip(used) {
        counters.load(key, used);
    }
    Ok(counters)
}

/// A decision that stands already, and the sender that it names.
struct Restated {
    at: usize,
    stored: Option<StoredDecision>,
    sender: Option<SenderFacts>,
}

async fn stored(
    tx: &mut Scoped,
    messages: &[Enriched],
    decided: &[usize],
) -> Result<Vec<Restated>, Fault> {
    if decided.is_empty() {
        return Ok(Vec::new());
    }
    let found = gate::stored(tx, &keys(messages, decided)).await?;
    let admitted = |stored: &Option<StoredDecision>| Some(stored.as_ref()?.admission?.sender);
    let senders: BTreeSet<(&TenantId, SenderId)> = decided
        .iter()
        .zip(&found)
        .filter_map(|(at, stored)| Some((&messages[*at].head.tenant, admitted(stored)?)))
        .collect();
    let senders = facts::senders(tx, &senders).await?;
    let known = decided.iter().zip(found).map(|(at, stored)| {
        let tenant = &messages[*at].head.tenant;
        let id = admitted(&stored);
        let sender = senders.iter().find(|(whose, one)| whose == tenant && Some(one.id) == id);
        Restated { at: *at, stored, sender: sender.map(|(_, sender)| sender.clone()) }
    });
    Ok(known.collect())
}

/// What the budgets did not let through.
fn turned_away<'a>(messages: &'a [Enriched], rulings: &[New]) -> Vec<TurnedAway<'a>> {
    let of_budget = |one: &&New| one.ruling.gate == Some(domain::gates::Gate::Budget);
    let away = rulings.iter().filter(of_budget).filter_map(|one| {
        let head = &messages[one.at].head;
        Some((&head.tenant, one.ruling.code?, head.campaign))
    });
    away.collect()
}

fn marketed<'a>(messages: &'a [Enriched], rulings: &[New]) -> Vec<Marketed<'a>> {
    let mut by_number: BTreeMap<(&TenantId, PhoneNumber, Channel), (bool, i32)> = BTreeMap::new();
    for one in rulings.iter().filter(|one| one.ruling.state == MessageState::Queued) {
        let head = &messages[one.at].head;
        if head.class.is_marketing() {
            let sum = by_number.entry((&head.tenant, head.to, head.channel)).or_default();
            sum.0 |= head.class == domain::message::class::MessageClass::Promo;
            sum.1 += 1;
        }
    }
    let marketed = by_number.into_iter().map(|((tenant, number, channel), (promo, count))| {
        Marketed { tenant, number, channel, promo, count }
    });
    marketed.collect()
}

fn parkings<'a>(messages: &'a [Enriched], rulings: &[New]) -> Vec<park::Parking<'a>> {
    let parkings = rulings.iter().filter_map(|one| decide::parking(&messages[one.at], &one.ruling));
    parkings.collect()
}

fn decided<'a>(message: &'a Enriched, ruling: &'a Ruling) -> GateDecision<'a> {
    GateDecision {
        tenant: &message.head.tenant,
        message: message.head.id,
        turn: message.head.turn,
        state: ruling.state,
        gate: ruling.gate,
        code: ruling.code,
        due: ruling.due,
        admission: ruling.admission,
        passport: &ruling.passport,
    }
}

fn wanted(message: &Enriched) -> Wanted<'_> {
    Wanted {
        tenant: &message.head.tenant,
        class: message.head.class,
        campaign: message.head.campaign,
        senders: &message.senders,
        number: message.head.to,
        channel: message.head.channel,
    }
}

fn key(message: &Enriched) -> (&TenantId, MessageId) {
    (&message.head.tenant, message.head.id)
}

fn keys<'a>(messages: &'a [Enriched], at: &[usize]) -> Vec<(&'a TenantId, MessageId)> {
    at.iter().map(|at| key(&messages[*at])).collect()
}
