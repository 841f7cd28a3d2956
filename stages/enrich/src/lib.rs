//! Enrich: makes a message complete: contact, text, segments, cost, place, candidate senders; and
//! stores it, once.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.submitted.<lane>` |
//! | Emits | `msg.enriched.<lane>`; events message.accepted, failed, rejected, cancelled |
//! | Reads | `tenants`, `contacts`, `campaigns`, `template_versions`, `pools`, `senders`, `carrier_templates`, `template_syncs` |
//! | Writes | `messages`, `contacts` and `standings` that are missing, `message_conflicts`, `batch_keys`; takes `cancel_marks` |
//! | Calls | nobody |
//! | Never | changes a row that has a text; renders a stored message a second time |
//!
//! A message that cannot be rendered (unknown template or campaign, a variable without value and
//! fallback, too many segments) has been accepted, so it is stored as `failed` with the code, and
//! `message.failed` says so. `message.rejected` is for a second body under an id that exists: the
//! first stands, the second is listed in `message_conflicts`. So are the items of a batch whose key
//! another batch has taken. The first is the one that was accepted first, where one process has
//! both in hand (`firsts.rs`).
//!
//! A message that was cancelled before it came here has a mark: it is stored as `cancelled`, and
//! `message.cancelled` says so. Its row and its mark never stand side by side.
//!
//! A repeat says again what was stored, until a later stage has recorded something. From then on it
//! says again only that the message was accepted.

mod batches;
mod decide;
mod firsts;
mod item;
mod load;
mod record;
mod reopened;
mod say;

use jiff::SignedDuration;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::Store;
use wire::{Stream, Submitted};

use firsts::{Claim, Firsts};
use item::Item;

/// How long a message waits before it is seen whether an earlier body of its key is stored.
const WAIT_FOR_FIRST: SignedDuration = SignedDuration::from_millis(200);

/// The enrich stage.
pub struct EnrichStage {
    store: Store,
    firsts: Firsts,
}

impl EnrichStage {
    /// An enrich over this store.
    pub fn new(store: Store) -> Self {
        Self { store, firsts: Firsts::default() }
    }
}

impl Stage for EnrichStage {
    const NAME: StageName = StageName::Enrich;
    const FROM: &'static [Stream] = &[Stream::Submitted];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = Submitted;

    async fn handle(&self, cx: &Cx, batch: Batch<Submitted>) -> Result<(), Fault> {
        // What an earlier body takes the keys of meanwhile is claimed anew.
        loop {
            let claim = self.firsts.claim(cx.machine, batch.items());
            if self.store_claimed(cx, &batch, &claim).await? {
                return Ok(());
            }
        }
    }
}

impl EnrichStage {
    /// Stores and answers what a claim lets through; the others wait. Says whether it did: nothing
    /// is stored where an earlier body has taken one of its keys.
    async fn store_claimed(
        &self,
        cx: &Cx,
        batch: &Batch<Submitted>,
        claim: &Claim,
    ) -> Result<bool, Fault> {
        let messages = batch.items();
        let (waiting, going): (Vec<usize>, Vec<usize>) =
            (0..messages.len()).partition(|index| claim.waits(*index));
        let chosen: Vec<&Submitted> = going.iter().map(|index| &messages[*index]).collect();

        if !chosen.is_empty() {
            let mut tx = self.store.scoped(chosen.iter().map(|one| &one.head.tenant)).await?;

            // load
            let (found, supplies) = load::load(&mut tx, cx.now, &chosen).await?;

            // decide
            let decide = |found| {
                let drafted = decide::draft(cx.now, &found, &supplies);
                Item::new(found, drafted)
            };
            let mut items: Vec<Item<'_>> = found.into_iter().map(decide).collect();

            // record
            record::record(&mut tx, cx.now, &mut items).await?;
            if !self.firsts.stands(claim, messages) {
                return Ok(false);
            }
            tx.commit().await.map_err(store::fault)?;
            self.firsts.release(claim, messages);

            // say
            for (index, item) in going.iter().zip(&items) {
                batch.answer(*index, say::outcome(cx.now, item));
            }
        }

        let until = cx.machine + WAIT_FOR_FIRST;
        waiting.iter().for_each(|index| batch.answer(*index, Outcome::Wait { until }));
        Ok(true)
    }
}
