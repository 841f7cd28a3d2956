//! Rollup: what moved becomes totals, each move and each other event counted once.
//!
//! | | |
//! |---|---|
//! | Consumes | `events.*.counts.moved`, and the other events that it counts |
//! | Emits | event counts.moved; `analytics.<tenant>.<scope>[.<id>]`; by [`CountsTeller`] and |
//! | | [`TotalsPublisher`]; by way of the outbox sender.quarantined and sender.recovered, by |
//! | | [`SenderJudge`] |
//! | Reads | `moved_counts`, `total_heads`, `totals`, `policies`, `carrier_accounts` |
//! | Writes | `moved_counts`, `variant_totals`, `counted_events`, `totals`, `total_heads`, |
//! | | `timed_totals`, `sender_outcomes`, `sender_days`, `senders` (health), `wakes`, |
//! | | `unsaid_events` |
//! | Calls | nobody |
//! | Never | relies on the order of events, or on seeing each of them once |

mod health;
mod publish;
mod record;
mod sums;
mod tally;
mod tell;

use std::time::Duration;

use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::Store;
use wire::{Event, Stream};

pub use health::SenderJudge;
pub use publish::TotalsPublisher;
use tally::Tally;
pub use tell::CountsTeller;

/// The stage that counts.
pub struct RollupStage {
    store: Store,
}

impl RollupStage {
    /// A rollup over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for RollupStage {
    const NAME: StageName = StageName::Rollup;
    const FROM: &'static [Stream] = &[Stream::Events];
    type In = Event;
    const LINGER: Duration = Duration::from_millis(50);

    async fn handle(&self, cx: &Cx, batch: Batch<Event>) -> Result<(), Fault> {
        // decide: what the batch says, whatever was counted before
        let tally = Tally::of(batch.items());

        // record: what of it was not counted yet
        let mut tx = self.store.scoped(tally.tenants()).await?;
        record::record(&mut tx, cx.now, &tally).await?;
        tx.commit().await.map_err(store::fault)?;

        // say; the source publishes the totals
        for index in 0..batch.items().len() {
            batch.answer(index, Outcome::DONE);
        }
        Ok(())
    }
}
