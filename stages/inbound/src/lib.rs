//! Inbound: what people write becomes opt-outs, opt-ins, help answers and conversations.
//!
//! | | |
//! |---|---|
//! | Consumes | `carrier.*.*.inbound` and `.mixed` |
//! | Emits | `inbound.<tenant>`; `msg.submitted.urgent` (confirmations, HELP answers); events |
//! | | message.received, conversation.opened, contact.opted_out, contact.opted_in; by way of the |
//! | | outbox conversation.reopened, conversation.replied, conversation.taken_over, |
//! | | message.cancelled |
//! | Reads | `carrier_accounts`, `policies`, `campaigns`, `tenants`, `senders`, `pools`, |
//! | | `inboxes`, `ai_replies` |
//! | Writes | `inbound_texts`, `conversations`, `conversation_entries`, `contacts`, |
//! | | `contact_addresses`, `contact_merges`, `standings`, `consents`, `parked`, `media`, |
//! | | `messages`, `cancel_marks`, `audit_log`, `unsaid_events` |
//! | Calls | nobody |
//! | Never | lets an automation or the AI see a text before the opt-out check; answers a machine |

mod answering;
mod answers;
mod contacts;
mod decide;
mod echoes;
mod load;
mod marketing_stops;
mod media;
mod record;
mod say;

use std::collections::HashSet;

use stage::{Batch, Cx, Fault, Stage, StageName};
use store::Store;
use wire::{Stream, WebhookRequest};

use crate::decide::Arrived;

/// The stage that understands texts.
pub struct InboundStage {
    store: Store,
}

impl InboundStage {
    /// An inbound over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Stage for InboundStage {
    const NAME: StageName = StageName::Inbound;
    const FROM: &'static [Stream] = &[Stream::Texts];
    type In = WebhookRequest;

    async fn handle(&self, cx: &Cx, batch: Batch<WebhookRequest>) -> Result<(), Fault> {
        // load
        let texts = load::load(&self.store, batch.items()).await?;
        let to_nobody = load::to_nobody(&texts);

        // decide what each text means, by its words alone
        let requests = batch.items().iter().zip(texts);
        let mut arrived: Vec<Arrived> =
            requests.map(|(request, texts)| decide::decide(request, texts)).collect();

        // record
        contacts::join(&self.store, &contacts::told_of(&arrived)).await?;
        let recorded = record::record(&self.store, cx.now, &mut arrived).await?;
        marketing_stops::record(&self.store, cx.now, batch.items()).await?;

        // say what is done: an echo that cannot be stored yet has no other request come again
        metrics::counter!("millrace_texts_to_nobody_total").increment(to_nobody as u64);
        let echoes = echoes::told(batch.items());
        let telling: HashSet<usize> = echoes.iter().map(|told| told.index).collect();
        let (of_phones, done): (Vec<_>, Vec<_>) =
            arrived.iter().enumerate().partition(|(index, _)| telling.contains(index));
        for (index, arrived) in done {
            batch.answer(index, say::outcome(arrived, &recorded));
        }

        // record
        echoes::record(&self.store, cx, &echoes).await?;

        // say
        for (index, arrived) in of_phones {
            batch.answer(index, say::outcome(arrived, &recorded));
        }
        Ok(())
    }
}
