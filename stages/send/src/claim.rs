//! One chunk: load the facts under their locks, decide each message, record the claims and the
//! ends, all in one transaction.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use carriers::{Carrier, Client};
use domain::{
    gates::Memo,
    ids::{SenderId, TenantId},
};
use jiff::Timestamp;
use stage::{Batch, Cause, Cx, Fault, Outcome, machine};
use store::{
    Scoped,
    messages::claim::{self, ClaimSender, ToClaim},
};
use wire::Admitted;

use crate::{
    call::{Claimed, ClientsBySender, clients_of},
    decide::{Decision, Ending, Facts, decide},
    load::{Loaded, load},
    pace::Paces,
    permits::Permit,
    record::{self, End},
};

/// How soon a message is looked at again that moved on while it was being decided.
pub(crate) const MOVED_ON: Duration = Duration::from_millis(100);

impl crate::SendStage {
    /// Claims what may go of a chunk and answers the rest of it.
    pub(crate) async fn claim(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        chunk: Vec<(usize, Permit)>,
    ) -> Result<Vec<Claimed>, Fault> {
        let items: Vec<&Admitted> = chunk.iter().map(|(i, _)| &batch.items()[*i]).collect();
        let mut tx = self.store.scoped(items.iter().map(|item| &item.message.head.tenant)).await?;

        // load
        let (loaded, mut paces) = load(&mut tx, &items).await?;
        let clients = clients_of(&self.clients, &loaded.senders);

        // decide
        let now = cx.later();
        let mut memo = Memo::new(now);
        let decisions: Vec<Decision> = items
            .iter()
            .enumerate()
            .map(|(i, item)| {
                let facts = self.facts(now, &loaded, &clients, i, item);
                decide(item, &facts, &mut memo, &mut paces)
            })
            .collect();

        // record
        let began = Instant::now();
        let attempts = self.take(&mut tx, &items, &decisions, paces).await?;
        let ends = ends(&chunk, &items, &decisions, &loaded);
        let ended = match ends.as_slice() {
            [] => Vec::new(),
            ends => record::ends(&mut tx, now, self.config.first_look(), ends).await?,
        };
        tx.commit().await.map_err(store::fault)?;

        // say
        for (end, outcome) in ends.iter().zip(ended) {
            batch.answer(end.index, outcome.unwrap_or_else(|| wait(MOVED_ON)));
        }
        let mut claimed = Vec::with_capacity(attempts.len());
        for (i, (index, permit)) in chunk.into_iter().enumerate() {
            let call = match &decisions[i] {
                Decision::Call => attempts.get(&i).zip(caller(&loaded, &clients, items[i])),
                Decision::Wait(_)
                | Decision::SayAgain
                | Decision::Nothing
                | Decision::Dead(_)
                | Decision::End(_) => None,
            };
            match (call, outcome(&decisions[i], &loaded, i, items[i])) {
                (Some((&attempt, (sender, client))), _) => claimed.push(Claimed {
                    index,
                    attempt,
                    began,
                    from: sender.facts.number.clone(),
                    account: sender.facts.account.clone(),
                    client: client.clone(),
                    permit,
                }),
                (None, Some(outcome)) => batch.answer(index, outcome),
                (None, None) => {}
            }
        }
        Ok(claimed)
    }

    /// What is known about one message of the chunk.
    fn facts<'a>(
        &self,
        now: Timestamp,
        loaded: &'a Loaded,
        clients: &ClientsBySender,
        i: usize,
        item: &Admitted,
    ) -> Facts<'a> {
        let key = sender_key(item);
        Facts {
            now,
            call_by: self.config.call_by,
            request_timeout: self.config.request_timeout,
            current: loaded.current[i].as_ref(),
            recipient_is_locked: loaded.locked.contains(&item.candidate().recipient()),
            sender: loaded.senders.get(&key).map(|sender| &sender.facts),
            account_fault: clients
                .get(&key)
                .and_then(|client| client.as_ref().err().map(|fault| fault.code())),
            gates: &loaded.facts,
        }
    }

    /// Claims what was decided to be called. Answers the attempts by the index in the chunk.
    async fn take(
        &self,
        tx: &mut Scoped,
        items: &[&Admitted],
        decisions: &[Decision],
        paces: Paces,
    ) -> Result<HashMap<usize, i16>, Fault> {
        let calls: Vec<usize> =
            (0..items.len()).filter(|i| decisions[*i] == Decision::Call).collect();
        if calls.is_empty() {
            return Ok(HashMap::new());
        }

        let to_claim: Vec<ToClaim<'_>> = calls
            .iter()
            .map(|i| &items[*i].message.head)
            .map(|head| ToClaim { tenant: &head.tenant, message: head.id, turn: head.turn })
            .collect();
        let attempts = claim::take(tx, self.claimant(), &to_claim, &paces.moved()).await?;
        let taken = calls.into_iter().zip(attempts);
        Ok(taken.filter_map(|(i, attempt)| Some((i, attempt?))).collect())
    }
}

fn sender_key(item: &Admitted) -> (TenantId, SenderId) {
    (item.message.head.tenant.clone(), item.route.sender)
}

/// The sender of a message and the client of its account.
fn caller<'a>(
    loaded: &'a Loaded,
    clients: &'a ClientsBySender,
    item: &Admitted,
) -> Option<(&'a ClaimSender, &'a Client)> {
    let key = sender_key(item);
    loaded.senders.get(&key).zip(clients.get(&key)?.as_ref().ok())
}

/// The carrier of a message's sender, as far as this version knows it.
fn carrier_of(loaded: &Loaded, item: &Admitted) -> Option<Carrier> {
    let sender = loaded.senders.get(&sender_key(item))?;
    Carrier::from_name(&sender.access.carrier)
}

/// The answer to a message that is not called; none where recording its end has answered it.
fn outcome(decision: &Decision, loaded: &Loaded, i: usize, item: &Admitted) -> Option<Outcome> {
    match decision {
        // It moved on before it could be claimed.
        Decision::Call => Some(wait(MOVED_ON)),
        Decision::Wait(after) => Some(wait(*after)),
        Decision::SayAgain => Some(loaded.current[i].as_ref().map_or(Outcome::DONE, |current| {
            record::outcome(item, &current.message, carrier_of(loaded, item), Cause("again"))
        })),
        Decision::Nothing => Some(Outcome::DONE),
        Decision::Dead(cause) => Some(Outcome::Dead { cause: Cause(cause) }),
        Decision::End(_) => None,
    }
}

/// The ends that were decided, for the rows that are there.
fn ends<'a>(
    chunk: &[(usize, Permit)],
    items: &[&'a Admitted],
    decisions: &[Decision],
    loaded: &Loaded,
) -> Vec<End<'a>> {
    let mut ends = Vec::new();
    for (i, decision) in decisions.iter().enumerate() {
        if let (Decision::End(ending), Some(current)) = (decision, &loaded.current[i]) {
            let Ending { state, gate, code, reason, due, wake } = ending.clone();
            ends.push(End {
                index: chunk[i].0,
                message: items[i],
                claim: (current.claim.map(|claim| claim.owner), current.attempt),
                state,
                gate,
                code: code.into(),
                reason,
                due,
                wake,
                opt_out: None,
                carrier: carrier_of(loaded, items[i]),
                label: code,
            });
        }
    }
    ends
}

/// Hand it over again after this long.
pub(crate) fn wait(after: Duration) -> Outcome {
    Outcome::wait(machine::now(), after)
}
