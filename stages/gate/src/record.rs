//! Writes the decisions of a batch, and what follows from them: counters, lines, budget alerts,
//! marketing that was admitted, parked rows.

use std::collections::BTreeMap;

use domain::{
    address::Address,
    gates::{Gate, SenderFacts, capacity::alerts::TurnedAway},
    ids::TenantId,
    message::{
        class::{Channel, MessageClass},
        state::MessageState,
    },
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    capacity::{counters, lines},
    messages::{
        gate::{self, GateDecision, Marketed},
        row::StoredMessage,
    },
    parked::park::{self, Parking},
};

use crate::{
    alerts,
    decide::{Ruled, Ruling, parking},
    load::{Grounds, Item},
};

/// A message that this batch has decided.
pub(crate) struct Recorded<'a> {
    pub(crate) item: Item<'a>,
    pub(crate) ruling: Ruling,
    /// The row as the decision has left it.
    pub(crate) row: StoredMessage,
    /// The sender of an admitted message.
    pub(crate) sender: Option<SenderFacts>,
}

/// Records the rulings of a batch. Gives those that stand, and the messages that something else has
/// decided since they were loaded.
pub(crate) async fn record<'a>(
    tx: &mut Scoped,
    now: Timestamp,
    grounds: &mut Grounds,
    ruled: Vec<Ruled<'a>>,
) -> Result<(Vec<Recorded<'a>>, Vec<Item<'a>>), Fault> {
    if ruled.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let (recorded, overtaken) = record_decisions(tx, now, grounds, ruled).await?;

    counters::add(tx, &grounds.counters.added()).await?;
    lines::move_on(tx, &grounds.counters.lines(), now).await?;
    alerts::raise(tx, now, grounds, &turned_away(&recorded)).await?;
    gate::market(tx, now, &marketed(&recorded)).await?;
    park::insert(tx, now, &parkings(&recorded)).await?;
    Ok((recorded, overtaken))
}

/// Writes each decision into its message's row, unless something else was decided first: then what
/// the decision took from the counters goes back.
async fn record_decisions<'a>(
    tx: &mut Scoped,
    now: Timestamp,
    grounds: &mut Grounds,
    ruled: Vec<Ruled<'a>>,
) -> Result<(Vec<Recorded<'a>>, Vec<Item<'a>>), Fault> {
    let decisions: Vec<GateDecision<'_>> = ruled.iter().map(decision).collect();
    let rows = gate::record(tx, now, &decisions).await?;

    let (mut recorded, mut overtaken) = (Vec::new(), Vec::new());
    for (Ruled { item, ruling }, row) in ruled.into_iter().zip(rows) {
        match row {
            Some(row) => {
                let sender = sender(grounds, item, &ruling);
                recorded.push(Recorded { item, ruling, row, sender });
            }
            None => {
                grounds.counters.give_back(&ruling.reserved);
                overtaken.push(item);
            }
        }
    }
    Ok((recorded, overtaken))
}

fn decision<'a>(Ruled { item, ruling }: &'a Ruled<'_>) -> GateDecision<'a> {
    GateDecision {
        tenant: &item.message.head.tenant,
        message: item.message.head.id,
        turn: item.message.head.turn,
        state: ruling.state,
        gate: ruling.gate,
        code: ruling.code,
        due: ruling.due,
        admission: ruling.admission,
        passport: &ruling.passport,
    }
}

/// The sender that an admission names.
fn sender(grounds: &Grounds, item: Item<'_>, ruling: &Ruling) -> Option<SenderFacts> {
    let admission = ruling.admission?;
    let tenant = grounds.facts.tenants.get(&item.message.head.tenant)?;
    tenant.senders.get(&admission.sender).cloned()
}

/// What the budgets did not let through.
fn turned_away<'a>(recorded: &[Recorded<'a>]) -> Vec<TurnedAway<'a>> {
    let by_budget = recorded.iter().filter(|one| one.ruling.gate == Some(Gate::Budget));
    let away = by_budget.filter_map(|one| {
        let head = &one.item.message.head;
        Some((&head.tenant, one.ruling.code?, head.campaign))
    });
    away.collect()
}

/// The marketing that was admitted, summed by recipient.
fn marketed<'a>(recorded: &[Recorded<'a>]) -> Vec<Marketed<'a>> {
    let admitted = recorded.iter().filter(|one| one.ruling.state == MessageState::Queued);
    let heads = admitted.map(|one| &one.item.message.head);

    let mut by_recipient: BTreeMap<(&TenantId, &Address, Channel), Marketed<'_>> = BTreeMap::new();
    for head in heads.filter(|head| head.class.is_marketing()) {
        let (tenant, address, channel) = (&head.tenant, &head.to, head.channel);
        let sum = by_recipient.entry((tenant, address, channel)).or_insert(Marketed {
            tenant,
            address,
            channel,
            promo: false,
            count: 0,
        });
        sum.promo |= head.class == MessageClass::Promo;
        sum.count += 1;
    }
    by_recipient.into_values().collect()
}

fn parkings<'a>(recorded: &[Recorded<'a>]) -> Vec<Parking<'a>> {
    recorded.iter().filter_map(|one| parking(one.item.message, &one.ruling)).collect()
}
