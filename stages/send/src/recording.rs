//! The answers on their way into the rows: a few milliseconds of them in one transaction.

use std::time::Duration;

use carriers::CarrierReply;
use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use stage::{Batch, Cx, Fault, Outcome};
use store::{
    capacity::pace::{self, Slowed},
    messages::claim,
};
use tokio::{sync::mpsc::UnboundedReceiver, time::timeout};
use wire::Admitted;

use crate::{
    answer::{self, Verdict},
    call::CallResult,
    claim::{MOVED_ON, wait},
    record::{self, Accepted, End},
};

/// How long an answer waits for others to be recorded with it.
const LINGER: Duration = Duration::from_millis(3);

/// The most answers of one transaction.
const MOST: usize = 256;

impl crate::SendStage {
    /// Records what is heard until the calls are over. What could not be recorded is kept.
    pub(crate) async fn records(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        mut hearing: UnboundedReceiver<CallResult>,
    ) -> Result<(), Fault> {
        let mut result = Ok(());
        while let Some(heard) = gather(&mut hearing).await {
            if let Err(fault) = self.record(cx, batch, &heard).await {
                self.unrecorded.keep(batch.items(), heard);
                result = result.and(Err(fault));
            }
        }
        result
    }

    async fn record(
        &self,
        cx: &Cx,
        batch: &Batch<Admitted>,
        heard: &[CallResult],
    ) -> Result<(), Fault> {
        let items = batch.items();
        let taken = taken(items, heard);
        let now = cx.later();
        let (ends, slow) = self.refusals(now, items, heard);
        let unbegun: Vec<(&TenantId, MessageId, i16)> = heard
            .iter()
            .filter(|one| one.answer.is_none())
            .map(|one| (&items[one.index].message.head, one.attempt))
            .map(|(head, attempt)| (&head.tenant, head.id, attempt))
            .collect();
        let tenants = heard.iter().map(|one| &items[one.index].message.head.tenant);
        let mut tx = self.store.scoped(tenants).await?;
        let mut outcomes: Vec<(usize, Option<Outcome>)> = Vec::with_capacity(heard.len());
        if !taken.is_empty() {
            let said = record::accepted(&mut tx, self.owner, now, &taken).await?;
            outcomes.extend(taken.iter().map(|one| one.index).zip(said));
        }
        if !ends.is_empty() {
            let said = record::ends(&mut tx, now, self.config.first_look(), &ends).await?;
            outcomes.extend(ends.iter().map(|end| end.index).zip(said));
        }
        if !unbegun.is_empty() {
            claim::give_back(&mut tx, self.owner, &unbegun).await?;
        }
        if !slow.is_empty() {
            pace::slow(&mut tx, &slow).await?;
        }
        tx.commit().await.map_err(store::fault)?;

        for (index, outcome) in outcomes {
            batch.answer(index, outcome.unwrap_or_else(|| wait(MOVED_ON)));
        }
        for one in heard.iter().filter(|one| one.answer.is_none()) {
            batch.answer(one.index, wait(Duration::ZERO));
        }
        Ok(())
    }

    /// Everything that was answered but an acceptance, and the pace rows to slow down for it.
    fn refusals<'a>(
        &self,
        now: Timestamp,
        items: &'a [Admitted],
        heard: &[CallResult],
    ) -> (Vec<End<'a>>, Vec<(Slowed, Duration)>) {
        let (mut ends, mut slow) = (Vec::new(), Vec::new());
        for one in heard {
            let message = &items[one.index];
            let verdict = one
                .answer
                .as_ref()
                .and_then(|answer| answer::read(answer, one.carrier, message, one.attempt, now));
            let Some(verdict) = verdict else { continue };
            tell(message, &verdict);
            let Verdict { state, code, reason, due, wake, slow: asked, opt_out, label } = verdict;
            slow.extend(asked);
            ends.push(End {
                index: one.index,
                message,
                claim: (Some(self.owner), one.attempt),
                state,
                gate: None,
                code,
                reason: reason.into(),
                due,
                wake,
                opt_out,
                carrier: Some(one.carrier),
                label,
            });
        }
        (ends, slow)
    }
}

/// What the carrier took.
fn taken<'a>(items: &'a [Admitted], heard: &'a [CallResult]) -> Vec<Accepted<'a>> {
    heard
        .iter()
        .filter_map(|one| match &one.answer {
            Some(CarrierReply::Accepted { sid, segments }) => Some(Accepted {
                index: one.index,
                message: &items[one.index],
                attempt: one.attempt,
                sid,
                segments: *segments,
            }),
            Some(
                CarrierReply::Refused { .. }
                | CarrierReply::NotSent { .. }
                | CarrierReply::AuthFailed { .. }
                | CarrierReply::Unknown { .. },
            )
            | None => None,
        })
        .collect()
}

/// What a person must know now. Numbers and texts are not in it.
fn tell(message: &Admitted, verdict: &Verdict) {
    let head = &message.message.head;
    let (tenant, account, code) = (&head.tenant, &message.route.account, &verdict.code);
    if verdict.state == MessageState::Held {
        tracing::error!(%tenant, account, code, "the carrier refuses the account; it is held");
    }
    if verdict.state == MessageState::InDoubt {
        metrics::counter!("millrace_in_doubt_total").increment(1);
        tracing::warn!(%tenant, message = %head.id, code, "a carrier call is in doubt");
    }
}

/// Waits for an answer, and a moment for others. None when no more will come.
async fn gather(hearing: &mut UnboundedReceiver<CallResult>) -> Option<Vec<CallResult>> {
    let mut heard = vec![hearing.recv().await?];
    let more = async {
        while heard.len() < MOST {
            match hearing.recv().await {
                Some(answer) => heard.push(answer),
                None => break,
            }
        }
    };
    // Late or complete: what has been heard by then is recorded together.
    let _ = timeout(LINGER, more).await;
    Some(heard)
}
