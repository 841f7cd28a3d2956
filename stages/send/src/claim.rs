//! The first leg, the claim. Each chunk is one transaction: it loads the facts under their locks,
//! decides each message, and records the claims and the ends.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use carriers::{AccountFault, Carrier, Client, Clients};
use domain::{
    gates::Memo,
    ids::{SenderId, TenantId},
    message::class::Lane,
};
use jiff::Timestamp;
use stage::{Batch, Cause, Cx, Fault, Outcome};
use store::{
    Scoped, Store,
    capacity::{
        pace,
        pairs::{self, PacedPair},
    },
    core::seal::Sealer,
    messages::claim::{self, ClaimSender, Claimant, Current, MadeClaim, ToClaim},
};
use tokio::sync::{Mutex, mpsc::UnboundedSender};
use uuid::Uuid;
use wire::Admitted;

use crate::{
    call::{Claimed, hand_on},
    config::SendConfig,
    decide::{Decision, Ending, Facts, decide, decide_queued, pair_of},
    end::End,
    load::{Loaded, current, load},
    pace::Paces,
    permits::{Permit, Permits, Taken},
    record,
    say::{self, MOVED_ON, wait},
    under_way::Payer,
};

/// How long the messages of one batch wait for permits before they make room for another.
const AT_ONCE: Duration = Duration::from_millis(250);

/// How soon a message that found no permit asks again.
const NO_PERMIT: Duration = Duration::from_millis(50);

/// Claims what may go, and answers what may not.
pub(crate) struct Claimer {
    store: Store,
    config: SendConfig,
    clients: Clients,
    permits: Arc<Permits>,
    /// One claim at a time in each lane: a claim that waits for the pace holds the recipients' rows
    /// locked, and an opt-out would wait with it.
    turns: [Mutex<()>; 2],
    /// Names the claims of this process.
    owner: Uuid,
    /// How many chunks this process has claimed: the number of the next.
    chunks: AtomicI64,
}

/// A sender as it is now, and the client of its account or why there is none.
struct Caller {
    sender: ClaimSender,
    client: Result<Client, AccountFault>,
}

/// Some messages of a batch by their indexes, those that may be called with their permits.
type Chunk = Vec<(usize, Option<Permit>)>;

/// Whether the messages' rows are read before they are claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Where a decision asks for one alone: all are taken for queued and nobody's.
    IfAsked,
    /// At each message before anything is decided.
    AtEach,
}

/// The senders of a chunk that are still there.
type Callers = HashMap<(TenantId, SenderId), Caller>;

/// One message of a chunk, and what is decided about it.
struct Item<'a> {
    /// Its index in the batch.
    index: usize,
    permit: Option<Permit>,
    message: &'a Admitted,
    current: Option<Current>,
    caller: Option<&'a Caller>,
    decision: Decision,
}

// === impl Claimer ===

impl Claimer {
    pub(crate) fn new(
        store: Store,
        owner: Uuid,
        sealer: Sealer,
        http: reqwest::Client,
        config: SendConfig,
    ) -> Self {
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        let (allow_hosts, timeout) = (config.allow_hosts.clone(), config.request_timeout);

        Self {
            store,
            clients: Clients::new(http, allow_hosts, timeout, open),
            permits: Permits::new(config.permits),
            turns: Default::default(),
            owner,
            chunks: AtomicI64::new(0),
            config,
        }
    }

    /// Claims the waiting messages of a batch, chunk by chunk, each as big as there are free
    /// permits, and hands those that are claimed on to their calls. What finds none in a moment
    /// waits for another batch, or stands in line where its account is slow.
    pub(crate) async fn claim_all(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        mut waiting: VecDeque<usize>,
        to_call: UnboundedSender<Claimed>,
    ) -> Result<(), Fault> {
        let items = batch.items();
        let lane = items.first().map_or(Lane::Bulk, |item| item.message.head.class.lane());
        let payer_of = |index: usize| payer(&items[index]);

        let until = tokio::time::Instant::now() + AT_ONCE;
        while !waiting.is_empty() {
            let Taken { with, without } =
                self.permits.take(lane, &mut waiting, until, payer_of).await;
            let with = with.into_iter().map(|(index, permit)| (index, Some(permit)));
            let chunk: Chunk = with.chain(without.into_iter().map(|index| (index, None))).collect();
            if chunk.is_empty() {
                break;
            }

            let turn = self.turns[lane as usize].lock().await;
            let claimed = self.claim(cx, batch, chunk).await?;
            drop(turn);

            for claimed in claimed {
                hand_on(&to_call, claimed);
            }
        }

        // The batch does not wait any longer: others may be in the next one.
        for index in waiting {
            batch.answer(index, wait(NO_PERMIT));
        }
        Ok(())
    }

    /// Claims what may go of a chunk, and answers the rest of it. Nearly all come for the first
    /// time and are queued, and the statement that claims passes over what is not: their rows are
    /// read where it does, or where a turn ends.
    async fn claim(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        chunk: Chunk,
    ) -> Result<Vec<Claimed>, Fault> {
        let tenants = chunk.iter().map(|(index, _)| &batch.items()[*index].message.head.tenant);
        self.note_slow(tenants, batch.items(), &chunk).await?;

        match self.try_claim(cx, batch, chunk, Look::IfAsked).await? {
            Ok(claimed) => Ok(claimed),
            // Never given back a second time: nothing of it is presumed.
            Err(chunk) => {
                Ok(self.try_claim(cx, batch, chunk, Look::AtEach).await?.unwrap_or_default())
            }
        }
    }

    /// The same in one transaction. Gives the chunk back, and nothing is recorded or answered,
    /// where messages that were taken for queued are not.
    async fn try_claim(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        chunk: Chunk,
        look: Look,
    ) -> Result<Result<Vec<Claimed>, Chunk>, Fault> {
        let messages: Vec<&Admitted> =
            chunk.iter().map(|(index, _)| &batch.items()[*index]).collect();
        let tenants = messages.iter().map(|message| &message.message.head.tenant);
        let mut tx = self.store.scoped(tenants).await?;

        // load
        let (mut loaded, mut paces) = load(&mut tx, &messages).await?;
        let callers = self.callers(std::mem::take(&mut loaded.senders));
        if look == Look::AtEach {
            loaded.current = Some(current(&mut tx, &messages).await?);
        }

        // decide, and once more with the rows where they are asked for
        let now = cx.later();
        let unasked = paces.clone();
        let mut items = self.decide_each(now, batch, chunk, &loaded, &callers, &mut paces);
        if loaded.current.is_none() && items.iter().any(Item::asks_for_row) {
            loaded.current = Some(current(&mut tx, &messages).await?);
            let chunk = items.into_iter().map(Item::into_waiting).collect();
            paces = unasked;
            items = self.decide_each(now, batch, chunk, &loaded, &callers, &mut paces);
        }

        // record: ends first, which lock counters, and messages only then
        let ends: Vec<End<'_>> = items.iter().filter_map(Item::end).collect();
        let ended = match ends.as_slice() {
            [] => Vec::new(),
            ends => record::ends(&mut tx, now, self.config.first_look(), ends).await?,
        };
        let began = Instant::now();
        let made = self.take(&mut tx, &items, paces).await?;
        let calls = items.iter().filter(|item| item.decision == Decision::Call).count();
        if loaded.current.is_none() && made.len() < calls {
            tx.rollback().await.map_err(store::fault)?;
            return Ok(Err(items.into_iter().map(Item::into_waiting).collect()));
        }
        tx.commit().await.map_err(store::fault)?;

        // say
        for (end, stored) in ends.iter().zip(&ended) {
            batch.answer(end.index, say::ended(end, stored.as_ref()));
        }
        Ok(Ok(answer_or_hand_on(batch, items, &made, began)))
    }

    fn callers(&self, senders: HashMap<(TenantId, SenderId), ClaimSender>) -> Callers {
        senders
            .into_iter()
            .map(|(key, sender)| {
                let client = self.clients.of(&sender.access);
                (key, Caller { sender, client })
            })
            .collect()
    }

    /// Decides each message of a chunk in turn: one that may go takes the pace that the next one
    /// asks for. Without their rows all are taken for queued.
    fn decide_each<'a>(
        &self,
        now: Timestamp,
        batch: &'a Batch<Admitted>,
        chunk: Chunk,
        loaded: &Loaded,
        callers: &'a Callers,
        paces: &mut Paces,
    ) -> Vec<Item<'a>> {
        let mut memo = Memo::new(now);
        let mut items = Vec::with_capacity(chunk.len());

        for (i, (index, permit)) in chunk.into_iter().enumerate() {
            let current = loaded.current.as_ref().and_then(|rows| rows[i].clone());
            let message = &batch.items()[index];
            let sender_key = (message.message.head.tenant.clone(), message.route.sender);
            let caller = callers.get(&sender_key);

            let facts = Facts {
                now,
                call_by: self.config.call_by,
                request_timeout: self.config.request_timeout,
                current: current.as_ref(),
                recipient_is_locked: loaded.locked.contains(&message.candidate().recipient()),
                sender: caller.map(|caller| &caller.sender.facts),
                account_fault: caller.and_then(Caller::fault),
                has_permit: permit.is_some(),
                gates: &loaded.facts,
            };
            let decision = match loaded.current {
                Some(_) => decide(message, &facts, &mut memo, paces),
                None => decide_queued(message, &facts, &mut memo, paces),
            };
            items.push(Item { index, permit, message, current, caller, decision });
        }
        items
    }

    /// Claims what was decided to be called. Answers the claims by index in the batch; a message
    /// that has moved on has none.
    async fn take(
        &self,
        tx: &mut Scoped,
        items: &[Item<'_>],
        paces: Paces,
    ) -> Result<HashMap<usize, MadeClaim>, Fault> {
        let to_call: Vec<&Item<'_>> =
            items.iter().filter(|item| item.decision == Decision::Call).collect();
        if to_call.is_empty() {
            return Ok(HashMap::new());
        }

        let to_claim: Vec<ToClaim<'_>> =
            to_call.iter().map(|item| to_claim(item.message)).collect();
        let made = claim::take(tx, self.claimant(), &to_claim, &paces.moved()).await?;

        let claimed = to_call.iter().zip(&made).filter(|(_, made)| made.is_some());
        let of_pairs = claimed.filter_map(|(item, _)| pair_of(item.message));
        let (pairs, intervals): (BTreeSet<PacedPair>, Vec<Duration>) = of_pairs.unzip();
        if let Some(interval) = intervals.into_iter().max() {
            pairs::take(tx, &pairs, interval).await?;
        }

        let taken = to_call.into_iter().zip(made);
        Ok(taken.filter_map(|(item, made)| Some((item.index, made?))).collect())
    }

    /// Notes how many calls a second the accounts can have that messages found no permit of. In a
    /// transaction of its own, so that their rows are not locked after others.
    async fn note_slow(
        &self,
        tenants: impl Iterator<Item = &TenantId>,
        items: &[Admitted],
        chunk: &[(usize, Option<Permit>)],
    ) -> Result<(), Fault> {
        let in_vain = |(index, permit): &(usize, Option<Permit>)| {
            permit.is_none().then(|| payer(&items[*index]))
        };
        let in_vain: Vec<Payer<'_>> = chunk.iter().filter_map(in_vain).collect();
        let rates = self.permits.slow_rates(&in_vain);
        if rates.is_empty() {
            return Ok(());
        }

        let mut tx = self.store.scoped(tenants).await?;
        pace::see(&mut tx, &rates).await?;
        tx.commit().await.map_err(store::fault)
    }

    /// Who claims the next chunk.
    fn claimant(&self) -> Claimant {
        let chunk = self.chunks.fetch_add(1, Ordering::Relaxed);
        Claimant { owner: self.owner, chunk, call_by: self.config.call_by }
    }
}

/// Whose call a message's would be.
fn payer(message: &Admitted) -> Payer<'_> {
    Payer { account: &message.route.account, tenant: &message.message.head.tenant }
}

/// What the claim of a message moves.
pub(crate) fn to_claim(message: &Admitted) -> ToClaim<'_> {
    let head = &message.message.head;
    ToClaim {
        tenant: &head.tenant,
        message: head.id,
        turn: head.turn,
        meter: (message.route.sender, head.class.lane()),
        segments: message.message.segments,
    }
}

/// Answers the messages that are not called, and gives those that are. A message whose turn has
/// ended is answered already, with the record of its end.
fn answer_or_hand_on(
    batch: &Batch<Admitted>,
    items: Vec<Item<'_>>,
    made: &HashMap<usize, MadeClaim>,
    began: Instant,
) -> Vec<Claimed> {
    let mut claimed = Vec::with_capacity(made.len());
    for item in items {
        let index = item.index;
        match &item.decision {
            Decision::Call => {
                let made = made.get(&index).copied();
                match made.and_then(|made| item.claimed(made, began)) {
                    Some(call) => claimed.push(call),
                    // It moved on before it could be claimed.
                    None => batch.answer(index, wait(MOVED_ON)),
                }
            }

            Decision::Wait(after) => batch.answer(index, wait(*after)),
            Decision::SayAgain => batch.answer(index, item.again()),
            Decision::Nothing => batch.answer(index, Outcome::DONE),
            Decision::Dead(cause) => batch.answer(index, Outcome::Dead { cause: Cause(cause) }),
            Decision::End(_) => {}
        }
    }
    claimed
}

// === impl Caller ===

impl Caller {
    /// The reason code of an account that cannot be called as it is set up.
    fn fault(&self) -> Option<&'static str> {
        self.client.as_ref().err().map(|fault| fault.code())
    }
}

// === impl Item ===

impl<'a> Item<'a> {
    /// The carrier of its sender, as far as this version knows it.
    fn carrier(&self) -> Option<Carrier> {
        Carrier::from_name(&self.caller?.sender.access.carrier)
    }

    /// Whether what was decided can be done without the message's row: where it was taken for
    /// queued, and goes or waits a moment.
    fn asks_for_row(&self) -> bool {
        match self.decision {
            Decision::Call | Decision::Wait(_) => false,
            Decision::End(_) | Decision::SayAgain | Decision::Nothing | Decision::Dead(_) => true,
        }
    }

    /// The message and its permit, with nothing decided.
    fn into_waiting(self) -> (usize, Option<Permit>) {
        (self.index, self.permit)
    }

    /// The end that was decided, where there is a row to record it in.
    fn end(&self) -> Option<End<'a>> {
        let (Decision::End(ending), Some(current)) = (&self.decision, &self.current) else {
            return None;
        };

        let Ending { state, gate, code, reason, due, wake } = ending.clone();
        Some(End {
            index: self.index,
            message: self.message,
            claim: (current.claim.map(|claim| claim.owner), current.attempt),
            state,
            gate,
            code: code.into(),
            reason,
            due,
            wake,
            opt_out: None,
            carrier: self.carrier(),
            label: code,
        })
    }

    /// Repeats what is stored.
    fn again(&self) -> Outcome {
        self.current.as_ref().map_or(Outcome::DONE, |current| {
            say::outcome(self.message, &current.message, self.carrier(), Cause("again"))
        })
    }

    /// The call that this claim allows.
    fn claimed(self, claim: MadeClaim, began: Instant) -> Option<Claimed> {
        let Caller { sender, client } = self.caller?;
        Some(Claimed {
            index: self.index,
            claim,
            began,
            from: sender.facts.number.clone(),
            account: sender.facts.account.clone(),
            client: client.as_ref().ok()?.clone(),
            permit: self.permit?,
        })
    }
}
