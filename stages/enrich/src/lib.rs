//! Enrich: makes a message complete: contact, text, segments, cost, place, candidate senders; and
//! stores it, once.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.submitted.<lane>` |
//! | Emits | `msg.enriched.<lane>`; events message.accepted, failed, rejected, cancelled |
//! | Reads | `tenants`, `contacts`, `campaigns`, `template_versions`, `pools`, `senders` |
//! | Writes | `messages`, `contacts` and `standings` that are missing, `message_conflicts`, `batch_keys`; takes `cancel_marks` |
//! | Calls | nobody |
//! | Never | changes a row that has a text; renders a stored message a second time |
//!
//! A message that cannot be rendered (unknown template or campaign, a variable without value and
//! fallback, too many segments) has been accepted, so it is stored as `failed` with the code, and
//! `message.failed` says so. `message.rejected` is for a second body under an id that exists: the
//! first stands, the second is listed in `message_conflicts`. So are the items of a batch whose key
//! another batch has taken.
//!
//! A message that was cancelled before it came here has a mark: it is stored as `cancelled`, and
//! `message.cancelled` says so. Its row and its mark never stand side by side.
//!
//! A repeat says again what was stored, until a later stage has recorded something. From then on it
//! says again only that the message was accepted.

mod batches;
mod decide;
mod item;
mod load;
mod record;
mod reopened;
mod say;

use stage::{Batch, Cx, Fault, Stage, StageName};
use store::Store;
use wire::{Stream, Submitted};

use item::Item;

/// The enrich stage.
pub struct EnrichStage {
    store: Store,
}

impl EnrichStage {
    /// An enrich over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for EnrichStage {
    const NAME: StageName = StageName::Enrich;
    const FROM: &'static [Stream] = &[Stream::Submitted];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = Submitted;

    async fn handle(&self, cx: &Cx, batch: Batch<Submitted>) -> Result<(), Fault> {
        let messages = batch.items();
        let mut tx = self.store.scoped(messages.iter().map(|one| &one.head.tenant)).await?;

        // load
        let (found, supplies) = load::load(&mut tx, cx.now, messages).await?;

        // decide
        let decide = |found| {
            let drafted = decide::draft(cx.now, &found, &supplies);
            Item::new(found, drafted)
        };
        let mut items: Vec<Item<'_>> = found.into_iter().map(decide).collect();

        // record
        record::record(&mut tx, cx.now, &mut items).await?;
        tx.commit().await.map_err(store::fault)?;

        // say
        for (index, item) in items.iter().enumerate() {
            batch.answer(index, say::outcome(cx.now, item));
        }
        Ok(())
    }
}
