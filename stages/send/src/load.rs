//! Loads what the claim of a chunk goes by, under its locks: recipients, pace, messages. Decides
//! nothing.

use std::collections::{BTreeSet, HashMap};

use domain::{
    gates,
    ids::{MessageId, SenderId, TenantId},
    message::class::MessageClass,
};
use stage::Fault;
use store::{
    Scoped,
    capacity::{
        pace::{self, EVERY_ACCOUNT},
        pairs::{self, PacedPair},
    },
    facts::{self, Wanted},
    messages::claim::{self, ClaimSender, Current},
    recipients::status::{self, Recipients},
};
use wire::Admitted;

use crate::{decide::pair_of, pace::Paces};

/// What is known about the messages of a chunk.
pub(crate) struct Loaded {
    /// For the gates that are asked again.
    pub(crate) facts: gates::Facts,
    /// Recipients that have a row: only the lock of such a row holds an opt-out back until the
    /// claim is made.
    pub(crate) locked: BTreeSet<gates::RecipientKey>,
    /// The senders that the gates chose, as they are now.
    pub(crate) senders: HashMap<(TenantId, SenderId), ClaimSender>,
    /// The messages' rows, in the order of the chunk; none where nobody has looked.
    pub(crate) current: Option<Vec<Option<Current>>>,
}

/// Loads in the order of the locks. It reads switches and policies once it holds the locks that it
/// may have to wait for, so that no claim rests on a switch that was read long before.
pub(crate) async fn load(tx: &mut Scoped, items: &[&Admitted]) -> Result<(Loaded, Paces), Fault> {
    let keys: BTreeSet<_> = items.iter().map(|item| item.candidate().recipient()).collect();
    let recipients = status::lock(tx, &keys).await?;
    let locked = recipients.keys().cloned().collect();

    let senders = load_senders(tx, items).await?;
    let paces = lock_paces(tx, &senders, items).await?;
    let of_pairs: BTreeSet<PacedPair> =
        items.iter().filter_map(|item| Some(pair_of(item)?.0)).collect();
    let paces = paces.with_pairs(pairs::next_free(tx, &of_pairs).await?);

    let wanted: Vec<Wanted<'_>> = items.iter().map(|item| wanted(item)).collect();
    let recipients = with_compliance(recipients, items);
    let mut facts = facts::load_for_claim(tx, &wanted, recipients).await?;
    for ((tenant, id), sender) in &senders {
        if let Some(tenant) = facts.tenants.get_mut(tenant) {
            tenant.senders.insert(*id, sender.facts.clone());
        }
    }

    Ok((Loaded { facts, locked, senders, current: None }, paces))
}

/// Reads the messages' rows, in the order of the chunk. To be called under the locks of
/// [`load()`].
pub(crate) async fn current(
    tx: &mut Scoped,
    items: &[&Admitted],
) -> Result<Vec<Option<Current>>, Fault> {
    let ids: Vec<(&TenantId, MessageId)> =
        items.iter().map(|item| (&item.message.head.tenant, item.message.head.id)).collect();
    claim::current(tx, &ids).await
}

/// An answer that the law asks for goes out even where nothing is stored about its recipient: it
/// gets the status of somebody who has said nothing.
fn with_compliance(mut recipients: Recipients, items: &[&Admitted]) -> Recipients {
    for item in items.iter().filter(|item| item.message.head.class == MessageClass::Compliance) {
        recipients.entry(item.candidate().recipient()).or_default();
    }
    recipients
}

async fn load_senders(
    tx: &mut Scoped,
    items: &[&Admitted],
) -> Result<HashMap<(TenantId, SenderId), ClaimSender>, Fault> {
    let keys: BTreeSet<(TenantId, SenderId)> =
        items.iter().map(|item| (item.message.head.tenant.clone(), item.route.sender)).collect();
    let keys: Vec<(TenantId, SenderId)> = keys.into_iter().collect();
    let senders = claim::senders(tx, &keys).await?;

    let known = keys.into_iter().zip(senders);
    Ok(known.filter_map(|(key, sender)| Some((key, sender?))).collect())
}

/// Locks the pace rows of every sender that the chunk names, and of their accounts.
async fn lock_paces(
    tx: &mut Scoped,
    senders: &HashMap<(TenantId, SenderId), ClaimSender>,
    items: &[&Admitted],
) -> Result<Paces, Fault> {
    let of_senders: BTreeSet<(TenantId, SenderId)> =
        items.iter().map(|item| (item.message.head.tenant.clone(), item.route.sender)).collect();
    let of_accounts: BTreeSet<(String, bool)> = senders
        .values()
        .map(|sender| (sender.facts.account.clone(), sender.account_pace.is_some()))
        .collect();
    let turns: Vec<PacedTurn> =
        senders.iter().flat_map(|((tenant, _), sender)| turns_of(tenant, sender)).collect();
    let of_turns =
        turns.iter().map(|turn| (turn.account.clone(), turn.tenant.clone(), turn.weight));
    let of_turns: BTreeSet<(String, TenantId, u32)> = of_turns.collect();
    let locks = pace::lock_pace(tx, &of_senders, &of_accounts, &of_turns).await?;

    let paces = senders
        .values()
        .filter_map(|sender| Some((sender.facts.account.clone(), sender.account_pace?)));
    let rates = turns.into_iter().map(|turn| ((turn.account, turn.tenant), turn.rate));
    Ok(Paces::new(locks, paces.collect(), &rates.collect()))
}

/// A turn that a sender's texts have to wait for.
struct PacedTurn {
    account: String,
    tenant: TenantId,
    weight: u32,
    /// Segments per second.
    rate: f64,
}

/// The turns of a sender's texts: of its tenant on its account, and of its tenant by itself.
fn turns_of(tenant: &TenantId, sender: &ClaimSender) -> impl Iterator<Item = PacedTurn> {
    let turn = |account: &str, weight, rate| PacedTurn {
        account: account.to_owned(),
        tenant: tenant.clone(),
        weight,
        rate,
    };
    let at_account =
        sender.account_rate.map(|rate| turn(&sender.facts.account, sender.facts.weight, rate));
    let by_itself = sender.tenant_pace.map(|pace| turn(EVERY_ACCOUNT, 1, f64::from(pace)));
    at_account.into_iter().chain(by_itself)
}

fn wanted(item: &Admitted) -> Wanted<'_> {
    let head = &item.message.head;
    Wanted {
        tenant: &head.tenant,
        class: head.class,
        campaign: head.campaign,
        senders: std::slice::from_ref(&item.route.sender),
        address: &head.to,
        channel: head.channel,
    }
}
