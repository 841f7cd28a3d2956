//! Inbound: what people write becomes opt-outs, opt-ins, help answers and conversations.
//!
//! | | |
//! |---|---|
//! | Consumes | `carrier.*.*.inbound` and `.mixed` |
//! | Emits | `inbound.<tenant>`; `msg.submitted.urgent` (confirmations, HELP answers); events message.received, contact.opted_out, contact.opted_in |
//! | Reads | `carrier_accounts`, `policies`, `campaigns`, `tenants` |
//! | Writes | `inbound_texts`, `conversations`, `contacts`, `standings`, `consents`, `parked`, `audit_log` |
//! | Calls | nobody |
//! | Never | lets an automation or the AI see a text before the opt-out check |

mod answers;
mod load;
mod read;
mod record;
mod say;

use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::Store;
use wire::{Stream, WebhookRequest};

use load::Arrived;

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
    const FROM: Stream = Stream::Carrier;
    type In = WebhookRequest;

    async fn handle(&self, cx: &Cx, batch: Batch<WebhookRequest>) -> Result<(), Fault> {
        // load
        let arrived = load::load(&self.store, batch.items()).await?;

        // record; what a text means is decided by its words alone, as it is read
        let texts = load::distinct(&arrived);
        let (threads, self_answering) = record::record(&self.store, cx, &arrived, &texts).await?;

        // say
        for (index, arrived) in arrived.iter().enumerate() {
            let outcome = match arrived {
                Arrived::Texts(received) => Outcome::Emit(
                    received
                        .iter()
                        .flat_map(|one| say::say(one, &threads[&one.text.id], &self_answering))
                        .collect(),
                ),
                Arrived::Dead(cause) => Outcome::Dead { cause: *cause },
            };
            batch.answer(index, outcome);
        }
        Ok(())
    }
}
