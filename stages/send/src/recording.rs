//! The third leg, the record: some milliseconds of answers in one transaction.

use std::time::Duration;

use carriers::CarrierReply;
use domain::{
    ids::TenantId,
    message::{class::Lane, state::MessageState},
};
use jiff::Timestamp;
use stage::{Batch, Cx, Fault};
use store::{
    Store,
    capacity::pace::{self, Slowed},
    messages::{
        claim::{self, MadeClaim, ToClaim},
        row::StoredMessage,
    },
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, timeout},
};
use uuid::Uuid;
use wire::Admitted;

use crate::{
    answer::{self, Verdict},
    call::CallResult,
    claim::to_claim,
    end::End,
    outage::Outages,
    record::{self, Accepted},
    say::{self, wait},
    unrecorded::Unrecorded,
};

/// How long an answer of the bulk lane waits for others to be recorded with it; of the urgent lane
/// a quarter of it. The calls of a chunk end within some ten milliseconds, and each transaction
/// costs a commit, and a row that counts its moves for each of its tenants.
const LINGER: Duration = Duration::from_millis(12);

/// The most answers of one transaction.
const MOST: usize = 512;

/// Records what carriers answered.
pub(crate) struct Recorder {
    store: Store,
    /// Names the claims of this process.
    owner: Uuid,
    /// From a claim's `call_by` to the first look at the carrier's list.
    first_look: Duration,
    /// Accounts whose carriers do not answer.
    outages: Outages,
}

/// What the results of some calls come to.
#[derive(Default)]
struct Sorted<'a> {
    /// What the carrier took.
    accepted: Vec<Accepted<'a>>,
    /// What it refused or did not send, and what is in doubt.
    ends: Vec<End<'a>>,
    /// The pace rows to slow down, and for how long.
    slow: Vec<(Slowed, Duration)>,
    /// Calls that were not begun in time: their claims are given back.
    unbegun: Vec<&'a CallResult>,
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(store: Store, owner: Uuid, first_look: Duration) -> Self {
        Self { store, owner, first_look, outages: Outages::default() }
    }

    /// Records the results of calls until the calls are over. Those that the database could not
    /// take are kept in `unrecorded`.
    pub(crate) async fn record_all(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        mut results: UnboundedReceiver<CallResult>,
        unrecorded: &Unrecorded,
    ) -> Result<(), Fault> {
        let lane = batch.items().first().map_or(Lane::Bulk, |item| item.message.head.class.lane());
        let linger = if lane == Lane::Urgent { LINGER / 4 } else { LINGER };
        let mut outcome = Ok(());
        while let Some(heard) = gather(&mut results, linger).await {
            if let Err(fault) = self.record(cx, batch, &heard).await {
                unrecorded.keep(batch.items(), heard);
                outcome = outcome.and(Err(fault));
            }
        }
        outcome
    }

    async fn record(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        heard: &[CallResult],
    ) -> Result<(), Fault> {
        let items = batch.items();

        // decide
        let now = cx.later();
        let Sorted { accepted, ends, slow, unbegun } = self.sort(now, items, heard);
        let given_back: Vec<(ToClaim<'_>, MadeClaim)> =
            unbegun.iter().map(|one| (to_claim(&items[one.index]), one.claim)).collect();

        // record
        let tenants = || heard.iter().map(|one| &items[one.index].message.head.tenant);
        self.slow_down(tenants(), &slow).await?;
        let mut tx = self.store.scoped(tenants()).await?;
        if !given_back.is_empty() {
            claim::give_back(&mut tx, self.owner, &given_back).await?;
        }
        let mut sent: Vec<Option<StoredMessage>> = Vec::new();
        if !accepted.is_empty() {
            sent = record::accepted(&mut tx, self.owner, now, &accepted).await?;
        }
        let mut ended: Vec<Option<StoredMessage>> = Vec::new();
        if !ends.is_empty() {
            ended = record::ends(&mut tx, now, self.first_look, &ends).await?;
        }
        tx.commit().await.map_err(store::fault)?;

        // say
        for (one, stored) in accepted.iter().zip(&sent) {
            batch.answer(one.index, say::accepted(one, stored.as_ref()));
        }
        for (end, stored) in ends.iter().zip(&ended) {
            if stored.is_some() {
                tell(end);
            }
            batch.answer(end.index, say::ended(end, stored.as_ref()));
        }
        for one in unbegun {
            batch.answer(one.index, wait(Duration::ZERO));
        }
        Ok(())
    }

    /// Slows down what the carrier asked to be called less for. In a transaction of its own, so
    /// that pace rows are not locked after others.
    async fn slow_down(
        &self,
        tenants: impl Iterator<Item = &TenantId>,
        slow: &[(Slowed, Duration)],
    ) -> Result<(), Fault> {
        if slow.is_empty() {
            return Ok(());
        }
        let mut tx = self.store.scoped(tenants).await?;
        pace::slow(&mut tx, slow).await?;
        tx.commit().await.map_err(store::fault)
    }

    /// Sorts results by what has to be written about them.
    fn sort<'a>(
        &self,
        now: Timestamp,
        items: &'a [Admitted],
        heard: &'a [CallResult],
    ) -> Sorted<'a> {
        let mut sorted = Sorted::default();
        for one in heard {
            let message = &items[one.index];
            sorted.slow.extend(self.rest(message, one));
            match &one.answer {
                None => sorted.unbegun.push(one),
                Some(CarrierReply::Accepted { sid, segments }) => sorted.accepted.push(Accepted {
                    index: one.index,
                    message,
                    attempt: one.claim.attempt,
                    sid,
                    segments: *segments,
                }),

                Some(
                    answer @ (CarrierReply::Refused { .. }
                    | CarrierReply::NotSent { .. }
                    | CarrierReply::AuthFailed { .. }
                    | CarrierReply::Unknown { .. }),
                ) => {
                    let read = answer::read(answer, one.carrier, message, one.claim.attempt, now);
                    let Some(mut verdict) = read else { continue };

                    sorted.slow.extend(verdict.slow.take());
                    sorted.ends.push(self.end(one, message, verdict));
                }
            }
        }
        sorted
    }

    /// The rest of an account whose carrier has not answered for a while. A call that is recorded
    /// again has been counted when it was recorded first.
    fn rest(&self, message: &Admitted, one: &CallResult) -> Option<(Slowed, Duration)> {
        let answer = one.answer.as_ref().filter(|_| !one.is_again)?;
        let account = &message.route.account;
        let rest = self.outages.note(account, answer, Instant::now())?;
        tracing::warn!(account, seconds = rest.as_secs(), "the carrier is away; the account rests");
        Some((Slowed::Away(account.clone()), rest))
    }

    /// The end that a carrier's answer makes of a message's turn.
    fn end<'a>(&self, one: &CallResult, message: &'a Admitted, verdict: Verdict) -> End<'a> {
        let Verdict { state, code, reason, due, wake, slow: _, opt_out, label } = verdict;
        End {
            index: one.index,
            message,
            claim: (Some(self.owner), one.claim.attempt),
            state,
            gate: None,
            code,
            reason: reason.into(),
            due,
            wake,
            opt_out,
            carrier: Some(one.carrier),
            label,
        }
    }
}

/// Tells operators what they must know of an end that is recorded, without any number or text.
fn tell(end: &End<'_>) {
    let head = &end.message.message.head;
    let (tenant, account, code) = (&head.tenant, &end.message.route.account, &end.code);
    if end.state == MessageState::Held {
        tracing::error!(%tenant, account, code, "the carrier refuses the account; it is held");
    }
    if end.state == MessageState::InDoubt {
        metrics::counter!("millrace_in_doubt_total").increment(1);
        tracing::warn!(%tenant, message = %head.id, code, "a carrier call is in doubt");
    }
}

/// Waits for a result, and a moment for others. None when no more will come.
async fn gather(
    results: &mut UnboundedReceiver<CallResult>,
    linger: Duration,
) -> Option<Vec<CallResult>> {
    let mut heard = vec![results.recv().await?];

    let more = async {
        while heard.len() < MOST {
            match results.recv().await {
                Some(result) => heard.push(result),
                None => break,
            }
        }
    };

    // Late or complete: what has been heard by then is recorded together.
    let _ = timeout(linger, more).await;
    Some(heard)
}
