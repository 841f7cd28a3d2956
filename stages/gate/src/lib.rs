//! Gate: decides whether a message may be sent, by whom and until when, and writes that down once.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.enriched.<lane>` |
//! | Emits | `msg.admitted.<lane>.<shard>`; events message.blocked, deferred, held, expired; by |
//! | | way of the outbox budget.warning and budget.exhausted |
//! | Reads | policies, switches, budgets, senders, standings, counters, lines, pace, the message's |
//! | | state |
//! | Writes | `messages` (the decision), `counters`, `lines`, `standings` (marketing), `parked`, |
//! | | `budget_alerts`, `unsaid_events` |
//! | Calls | nobody |
//! | Never | admits under facts that it could not read; decides twice in one turn |
//!
//! Locks are taken in one order everywhere: recipient statuses, counters, messages, each in key
//! order. Lines are written at the end, in key order too.

mod alerts;
mod decide;
mod load;
mod measure;
mod record;
mod say;
mod turn;

use std::time::Duration;

use domain::gates::{LEAD_TIME, Memo};
use jiff::SignedDuration;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{Scoped, Store};
use wire::{Enriched, Stream};

use decide::Ruled;
use load::{Arrived, Item, Restated};
use record::Recorded;

/// How long a message may take from the gates to its claim, as [`LEAD_TIME`] has it.
const TO_THE_CLAIM: SignedDuration = SignedDuration::from_millis(1_700);

/// The gate stage.
pub struct GateStage {
    store: Store,
    /// How much must be left of every window for the way to the carrier.
    lead: SignedDuration,
}

impl GateStage {
    /// A gate over this store.
    pub fn new(store: Store) -> Self {
        Self { store, lead: LEAD_TIME }
    }

    /// The same where a carrier call may take so long from its claim to its end,
    /// `MILLRACE_CALL_BY` and `MILLRACE_REQUEST_TIMEOUT` together.
    #[must_use]
    pub fn with_longest_call(self, longest: Duration) -> Self {
        let longest = SignedDuration::try_from(longest).unwrap_or(SignedDuration::MAX);
        Self { lead: longest.saturating_add(TO_THE_CLAIM), ..self }
    }
}

impl Stage for GateStage {
    const NAME: StageName = StageName::Gate;
    const FROM: &'static [Stream] = &[Stream::Enriched];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = Enriched;

    async fn handle(&self, cx: &Cx, batch: Batch<Enriched>) -> Result<(), Fault> {
        let messages = batch.items();

        // Nearly all come for the first time, so no look at their rows comes before the record,
        // which passes over what is decided. Where it does, or anything else is in the way but an
        // outage, that transaction has never been, and a look tells how far each has come.
        let tx = self.begin(messages).await?;
        let decided = match self.decide(cx, tx, load::presumed(messages)).await {
            Ok(Some(decided)) => decided,
            Err(outage @ Fault::Unavailable { .. }) => return Err(outage),
            Ok(None) | Err(Fault::Refused { .. } | Fault::Newer { .. } | Fault::Panicked(_)) => {
                let mut tx = self.begin(messages).await?;
                let arrived = load::arrived(&mut tx, messages).await?;
                // Never none: nothing of it is presumed.
                self.decide(cx, tx, arrived).await?.unwrap_or_default()
            }
        };
        measure::count(&decided.recorded);

        // say
        for item in decided.late {
            batch.answer(item.index, Outcome::DONE);
        }
        for item in decided.unknown {
            batch.answer(item.index, say::unknown());
        }
        for one in &decided.recorded {
            batch.answer(one.item.index, say::recorded(one));
        }
        for one in &decided.restated {
            batch.answer(one.item.index, say::restated(one));
        }
        Ok(())
    }
}

/// What has become of the messages of a batch.
#[derive(Default)]
struct Decided<'a> {
    /// What this batch has decided.
    recorded: Vec<Recorded<'a>>,
    /// What was decided before.
    restated: Vec<Restated<'a>>,
    late: Vec<Item<'a>>,
    unknown: Vec<Item<'a>>,
}

impl GateStage {
    async fn begin(&self, messages: &[Enriched]) -> Result<Scoped, Fault> {
        self.store.scoped(messages.iter().map(|one| &one.head.tenant)).await
    }

    /// Decides what is open of a batch, records it, and reads back what was decided before. None,
    /// and nothing is recorded, where messages were only presumed to be open and some are not.
    async fn decide<'a>(
        &self,
        cx: &Cx,
        mut tx: Scoped,
        arrived: Arrived<'a>,
    ) -> Result<Option<Decided<'a>>, Fault> {
        let Arrived { open, decided, late, unknown, is_presumed } = arrived;

        // load
        let memo = Memo::new(cx.now).with_lead(self.lead);
        let mut grounds = load::grounds(&mut tx, memo, &open).await?;

        // decide
        let ruled: Vec<Ruled<'_>> =
            open.into_iter().map(|item| decide::rule(item, &mut grounds)).collect();

        // record
        let (recorded, overtaken) = record::record(&mut tx, cx.now, &mut grounds, ruled).await?;
        if is_presumed && !overtaken.is_empty() {
            tx.rollback().await.map_err(store::fault)?;
            return Ok(None);
        }

        // load what was decided before, also by who came between our look and our write
        let restated = load::stored(&mut tx, &[decided, overtaken].concat()).await?;
        tx.commit().await.map_err(store::fault)?;
        Ok(Some(Decided { recorded, restated, late, unknown }))
    }
}
