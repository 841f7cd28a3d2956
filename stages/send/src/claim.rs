//! One chunk: load the facts under their locks, decide each message, record the claims and the
//! ends, all in one transaction.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use carriers::twilio;
use domain::{
    gates::SwitchMode,
    ids::{SenderId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use stage::{Batch, Cause, Cx, Fault, Outcome, machine};
use store::{
    Scoped,
    capacity::pace,
    messages::claim::{self, Current, SenderFacts, Standing, StandingKey, SwitchKey, Wanted},
};
use wire::Admitted;

use crate::{
    Config,
    call::{Claimed, Clients},
    decide::{Decision, Ending, Facts, decide},
    pace::Pace,
    permits::Permit,
    record::{self, End},
};

/// How soon a message is looked at again that moved on while it was being decided.
pub(crate) const MOVED_ON: Duration = Duration::from_millis(100);

/// What is known about the messages of a chunk, in their order.
struct Loaded {
    standings: Vec<Option<Standing>>,
    senders: HashMap<(TenantId, SenderId), Sender>,
    switches: HashMap<SwitchKey, SwitchMode>,
    current: Vec<Option<Current>>,
}

struct Sender {
    facts: SenderFacts,
    client: Result<twilio::Client, &'static str>,
}

impl crate::Send {
    /// Claims what may go of a chunk and answers the rest of it.
    pub(crate) async fn claim(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        chunk: Vec<(usize, Permit)>,
    ) -> Result<Vec<Claimed>, Fault> {
        let items: Vec<&Admitted> = chunk.iter().map(|(at, _)| &batch.items()[*at]).collect();
        let mut tx = self.store.scoped(items.iter().map(|item| &item.message.head.tenant)).await?;
        let (loaded, mut pace) = load(&mut tx, &self.clients, &items).await?;
        let now = cx.later();
        let decisions: Vec<Decision> = (0..items.len())
            .map(|at| decide(items[at], &loaded.facts(now, &self.config, at, items[at]), &mut pace))
            .collect();
        let began = Instant::now();
        let attempts = self.take(&mut tx, &items, &decisions, pace).await?;
        let ends = ends(&chunk, &items, &decisions, &loaded);
        let ended = match ends.as_slice() {
            [] => Vec::new(),
            ends => record::ends(&mut tx, now, self.config.first_look(), ends).await?,
        };
        tx.commit().await.map_err(store::fault)?;

        for (end, outcome) in ends.iter().zip(ended) {
            batch.answer(end.index, outcome.unwrap_or_else(|| wait(MOVED_ON)));
        }
        let mut claimed = Vec::with_capacity(attempts.len());
        for (at, (index, permit)) in chunk.into_iter().enumerate() {
            match &decisions[at] {
                Decision::Call => match (attempts.get(&at), loaded.sender(items[at])) {
                    (Some(&attempt), Some(Sender { facts, client: Ok(client) })) => {
                        claimed.push(Claimed {
                            index,
                            attempt,
                            began,
                            from: facts.number.clone(),
                            account: facts.account.clone(),
                            client: client.clone(),
                            permit,
                        });
                    }
                    (_, _) => batch.answer(index, wait(MOVED_ON)),
                },
                Decision::Wait(after) => batch.answer(index, wait(*after)),
                Decision::SayAgain => batch.answer(index, loaded.say_again(at, items[at])),
                Decision::Nothing => batch.answer(index, Outcome::DONE),
                Decision::Dead(cause) => {
                    batch.answer(index, Outcome::Dead { cause: Cause(cause) });
                }
                Decision::End(_) => {}
            }
        }
        Ok(claimed)
    }

    /// Claims what was decided to be called. Answers the attempts by the place in the chunk.
    async fn take(
        &self,
        tx: &mut Scoped,
        items: &[&Admitted],
        decisions: &[Decision],
        pace: Pace,
    ) -> Result<HashMap<usize, i16>, Fault> {
        let mut calls: Vec<usize> =
            (0..items.len()).filter(|at| decisions[*at] == Decision::Call).collect();
        if calls.is_empty() {
            return Ok(HashMap::new());
        }
        let key = |at: &usize| (&items[*at].message.head.tenant, items[*at].message.head.id);
        calls.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        let wanted: Vec<Wanted<'_>> = calls
            .iter()
            .map(|at| &items[*at].message.head)
            .map(|head| Wanted { tenant: &head.tenant, message: head.id, turn: head.turn })
            .collect();
        let attempts = claim::take(tx, self.claimant(), &wanted, &pace.moved()).await?;
        let taken = calls.into_iter().zip(attempts);
        Ok(taken.filter_map(|(at, attempt)| Some((at, attempt?))).collect())
    }
}

/// Loads in the order of the locks: standings, pace, messages. Switches are read when nothing is
/// waited for any more, so that no claim rests on one that was looked at long ago.
async fn load(
    tx: &mut Scoped,
    clients: &Clients,
    items: &[&Admitted],
) -> Result<(Loaded, Pace), Fault> {
    let numbers: Vec<_> = items
        .iter()
        .map(|item| &item.message.head)
        .map(|head| StandingKey {
            tenant: &head.tenant,
            number: head.to.as_str(),
            channel: head.channel,
            class: head.class,
            campaign: head.campaign,
        })
        .collect();
    let standings = claim::lock_standings(tx, &numbers).await?;
    let keys: HashSet<(TenantId, SenderId)> =
        items.iter().map(|item| (item.message.head.tenant.clone(), item.route.sender)).collect();
    let keys: Vec<(TenantId, SenderId)> = keys.into_iter().collect();
    let facts = claim::senders(tx, &keys).await?;
    let accounts: HashSet<(TenantId, String)> = keys
        .iter()
        .zip(&facts)
        .filter_map(|((tenant, _), facts)| {
            Some((tenant.clone(), Pace::account_key(&facts.as_ref()?.account)))
        })
        .collect();
    let lines: Vec<_> =
        keys.iter().map(|(tenant, id)| (tenant.clone(), Pace::sender_key(*id))).collect();
    let (locks, now) =
        pace::lock_pace(tx, &lines, &accounts.into_iter().collect::<Vec<_>>()).await?;
    let switches = claim::switches(tx, &switch_keys(items)).await?;
    let ids: Vec<_> =
        items.iter().map(|item| (&item.message.head.tenant, item.message.head.id)).collect();
    let current = claim::current(tx, &ids).await?;
    let senders = keys.into_iter().zip(facts).filter_map(|(key, facts)| {
        let facts = facts?;
        let client = clients.of(&facts);
        Some((key, Sender { facts, client }))
    });
    let loaded = Loaded { standings, senders: senders.collect(), switches, current };
    Ok((loaded, Pace::new(now, locks)))
}

fn switch_keys(items: &[&Admitted]) -> Vec<SwitchKey> {
    let mut keys = HashSet::new();
    for item in items {
        let head = &item.message.head;
        keys.insert(SwitchKey::Tenant(head.tenant.clone()));
        keys.insert(SwitchKey::Sender(head.tenant.clone(), item.route.sender));
        keys.extend(head.campaign.map(|id| SwitchKey::Campaign(head.tenant.clone(), id)));
    }
    keys.into_iter().collect()
}

fn ends<'a>(
    chunk: &[(usize, Permit)],
    items: &[&'a Admitted],
    decisions: &[Decision],
    loaded: &Loaded,
) -> Vec<End<'a>> {
    let mut ends = Vec::new();
    for (at, decision) in decisions.iter().enumerate() {
        if let (Decision::End(ending), Some(current)) = (decision, &loaded.current[at]) {
            let Ending { state, gate, code, reason, due, wake } = ending.clone();
            ends.push(End {
                index: chunk[at].0,
                message: items[at],
                claim: (current.claim.map(|claim| claim.owner), current.attempt),
                state,
                gate,
                code: code.into(),
                reason,
                due,
                wake,
                opt_out: None,
                label: code,
            });
        }
    }
    ends
}

/// Hand it over again after this long.
pub(crate) fn wait(after: Duration) -> Outcome {
    let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::from_secs(1));
    Outcome::Wait { until: machine::now().checked_add(after).unwrap_or(Timestamp::MAX) }
}

// === impl Loaded ===

impl Loaded {
    fn sender(&self, item: &Admitted) -> Option<&Sender> {
        self.senders.get(&(item.message.head.tenant.clone(), item.route.sender))
    }

    fn facts<'a>(
        &'a self,
        now: Timestamp,
        config: &Config,
        at: usize,
        item: &Admitted,
    ) -> Facts<'a> {
        let sender = self.sender(item);
        Facts {
            now,
            call_by: config.call_by,
            request_timeout: config.request_timeout,
            current: self.current[at].as_ref(),
            standing: self.standings[at],
            sender: sender.map(|sender| &sender.facts),
            account_fault: sender.and_then(|sender| sender.client.as_ref().err().copied()),
            switches: &self.switches,
        }
    }

    fn say_again(&self, at: usize, item: &Admitted) -> Outcome {
        match &self.current[at] {
            Some(current) => record::outcome(item, &current.message, Cause("again")),
            None => Outcome::DONE,
        }
    }
}
