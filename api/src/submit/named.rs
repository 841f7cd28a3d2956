//! What messages name: senders, pools, templates and their variables, templates of carriers. What
//! is surely not there is refused with the request, instead of failing after it was accepted. Where
//! the database has no answer in time the message goes on, and enrich decides.

mod asked;
mod found;
mod known;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::ids::{ContactId, MessageId, TenantId};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    drafts::{self, ContactKey},
    messages::read,
};
use tokio::sync::Semaphore;
use wire::{Submitted, message::From};

use self::{
    asked::Asked,
    found::{Found, origin, template_error},
    known::Known,
};
use super::{
    callable::Callable,
    kept::{self, KeptName},
};
use crate::http::FieldError;

/// How many looks at the database are under way at once: a slow one must not cost the other routes
/// their connections.
const AT_ONCE: usize = 2;

/// Looks up what messages name. Clones share what is known.
#[derive(Clone)]
pub(crate) struct Named {
    store: Store,
    patience: Duration,
    permits: Arc<Semaphore>,
    /// Hosts beside the carriers' own that accounts may be called at.
    carrier_hosts: Arc<[String]>,
    known: Arc<Mutex<Known>>,
}

impl Named {
    pub(crate) fn new(store: Store, patience: Duration, carrier_hosts: Vec<String>) -> Self {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let carrier_hosts = carrier_hosts.into();
        Self { store, patience, permits, carrier_hosts, known: Arc::default() }
    }

    /// Forgets what is known of a tenant, once one of its senders, pools or templates is changed or
    /// deleted.
    pub(crate) fn forget(&self, tenant: &TenantId) {
        self.known().forget(tenant);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with what each message names, in their order; nothing where it is not known.
    /// The messages are of one tenant.
    pub(crate) async fn wrong(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        messages: Vec<Arc<Submitted>>,
    ) -> Vec<Vec<FieldError>> {
        let fine = vec![Vec::new(); messages.len()];
        if messages.is_empty() {
            return fine;
        }
        let asked = self.known().asked(&messages);
        if asked.is_empty() {
            return fine;
        }

        let looked = self.look_alone(tenant.clone(), now, messages, asked);
        match tokio::time::timeout(self.patience, looked).await {
            Ok(Ok(wrong)) => wrong,
            Ok(Err(_)) | Err(_) => fine,
        }
    }

    /// The look is a task of its own: given up by us, it keeps its permit for as long as it keeps
    /// its connection.
    async fn look_alone(
        &self,
        tenant: TenantId,
        now: Timestamp,
        messages: Vec<Arc<Submitted>>,
        asked: Asked,
    ) -> Result<Vec<Vec<FieldError>>, Fault> {
        let permit = self.permits.clone().acquire_owned().await;
        let this = self.clone();
        let looked = tokio::spawn(async move {
            let _permit = permit;
            this.look(&tenant, now, &messages, &asked).await
        });
        looked.await.unwrap_or_else(|panic| Err(Fault::Panicked(panic.to_string())))
    }

    /// Asks the database, and remembers what is there.
    async fn look(
        &self,
        tenant: &TenantId,
        now: Timestamp,
        messages: &[Arc<Submitted>],
        asked: &Asked,
    ) -> Result<Vec<Vec<FieldError>>, Fault> {
        // load
        let forgotten = self.known().forgotten();
        let mut tx = self.store.scoped([tenant]).await?;
        let (senders, pools) = drafts::known(&mut tx, tenant, &asked.senders, &asked.pools).await?;
        let drafted: Vec<&Submitted> =
            asked.drafts.iter().map(|index| &*messages[*index]).collect();
        let keys: Vec<ContactKey<'_>> =
            drafted.iter().map(|message| contact_key(message)).collect();
        let people = drafts::contacts(&mut tx, &keys).await?;
        let origins = drafted.iter().map(|message| (origin(message), message.head.channel));
        let supplies = drafts::supplies(&mut tx, now, origins).await?;
        let unsendable = kept::look(&mut tx, tenant, asked.kept.clone()).await?;

        // decide
        let hosts = &self.carrier_hosts;
        let found = Found {
            senders: senders.into_iter().map(|(id, of)| (id, Callable::of(&of, hosts))).collect(),
            pools: pools.into_iter().map(|(id, of)| (id, Callable::of(&of, hosts))).collect(),
            unsendable,
        };
        let mut wrong: Vec<Vec<FieldError>> = messages
            .iter()
            .map(|message| found.error(message, asked).into_iter().chain(found.kept(message)))
            .map(Iterator::collect)
            .collect();
        for ((index, message), person) in asked.drafts.iter().zip(drafted).zip(people) {
            let person = person.contact.unwrap_or_default();
            wrong[*index].extend(template_error(message, &person, &supplies));
        }
        self.known().remember(tenant, messages, forgotten, (&found, &supplies));

        // A repeat of what was accepted before gets the same answer, whatever is gone since.
        let of_wrong = messages.iter().zip(&wrong).filter(|(_, wrong)| !wrong.is_empty());
        let ids: Vec<MessageId> = of_wrong.map(|(message, _)| message.head.id).collect();
        if !ids.is_empty() {
            let stored = read::stored(&mut tx, tenant, &ids).await?;
            let repeats = messages.iter().map(|message| stored.contains(&message.head.id));
            wrong.iter_mut().zip(repeats).filter(|(_, repeats)| *repeats).for_each(|(wrong, _)| {
                wrong.clear();
            });
        }
        Ok(wrong)
    }
}

/// Whether the message names anything that may not be there.
pub(crate) fn names_something(message: &Submitted) -> bool {
    let names_template = message.content.is_template() || KeptName::of(message).is_some();
    names_template || !matches!(message.from, From::Any)
}

fn contact_key(message: &Submitted) -> ContactKey<'_> {
    let head = &message.head;
    ContactKey {
        tenant: &head.tenant,
        contact: ContactId::of(&head.tenant, head.to.as_str()),
        address: &head.to,
        channel: head.channel,
        fields: true,
    }
}
