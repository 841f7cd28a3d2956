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
mod read;
mod say;

use std::collections::{HashMap, HashSet};

use read::Received;
use stage::{Batch, Cx, Fault, Outcome, Stage, StageName};
use store::{
    Store,
    conversations::inbound::{self, Meaning, NewText, Thread},
};
use uuid::Uuid;
use wire::{Stream, WebhookRequest};

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
        let read: Vec<Option<Received>> = batch.items().iter().map(read::read).collect();
        let texts = distinct(read.iter().flatten());
        if !texts.is_empty() {
            let (threads, answering) = self.record(cx, &batch, &texts).await?;
            for (index, received) in read.iter().enumerate() {
                if let Some(received) = received {
                    let said = say::say(received, &threads[&received.text.id], &answering);
                    batch.answer(index, Outcome::Emit(said));
                }
            }
        }
        for (index, received) in read.iter().enumerate() {
            if received.is_none() {
                batch.answer(index, Outcome::Dead { cause: read::UNREADABLE });
            }
        }
        Ok(())
    }
}

type Recorded = (HashMap<Uuid, Thread>, HashSet<String>);

impl InboundStage {
    /// Stores every text once; the first time a text says stop or start, the standing changes in
    /// the same transaction.
    async fn record(
        &self,
        cx: &Cx,
        batch: &Batch<WebhookRequest>,
        texts: &[NewText],
    ) -> Result<Recorded, Fault> {
        let mut tx = self.store.scoped(texts.iter().map(|text| text.tenant.clone())).await?;
        let threads = inbound::receive(&mut tx, texts).await?;
        let mut threads: HashMap<Uuid, Thread> =
            threads.into_iter().map(|thread| (thread.inbound, thread)).collect();
        let changing: Vec<&NewText> = texts
            .iter()
            .filter(|text| threads[&text.id].first)
            .filter(|text| matches!(text.meaning, Meaning::OptOut | Meaning::OptIn))
            .collect();
        if !changing.is_empty() {
            inbound::change_recipients(&mut tx, cx.now, &changing).await?;
        }
        let stops: Vec<&NewText> =
            texts.iter().filter(|text| text.meaning == Meaning::OptOut).collect();
        if !stops.is_empty() {
            for (text, program) in inbound::left(&mut tx, &stops).await? {
                threads.entry(text).and_modify(|thread| thread.program = Some(program));
            }
        }
        let starts: Vec<&NewText> =
            texts.iter().filter(|text| text.meaning == Meaning::OptIn).collect();
        for text in inbound::overtaken(&mut tx, &starts).await? {
            threads.entry(text).and_modify(|thread| thread.overtaken = true);
        }
        let tenants: Vec<String> =
            batch.items().iter().map(|request| request.tenant.to_string()).collect();
        let accounts: Vec<String> =
            batch.items().iter().map(|request| request.account.clone()).collect();
        let answering = inbound::self_answering(&mut tx, &tenants, &accounts).await?;
        tx.commit().await.map_err(store::fault)?;
        Ok((threads, answering))
    }
}

/// Each text once: a carrier may have sent one twice.
fn distinct<'a>(read: impl Iterator<Item = &'a Received>) -> Vec<NewText> {
    let mut known = HashSet::new();
    let texts = read.map(|received| &received.text);
    texts.filter(|text| known.insert((&text.tenant, text.id))).cloned().collect()
}
