//! What messages name: senders, pools, templates and their variables, templates of carriers. What
//! is surely not there is refused with the request, instead of failing after it was accepted. Where
//! the database has no answer in time the message goes on, and enrich decides.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{
    carrier_template::Unsendable,
    draft::{self, DraftRequest, Origin, Person, Supplies},
    ids::{ContactId, MessageId, PoolId, SenderId, TemplateId, TenantId},
    invisible::is_blank,
};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    drafts::{self, ContactKey},
    messages::read,
};
use tokio::{sync::Semaphore, time::Instant};
use wire::{
    Submitted,
    message::{Content, From},
};

use super::{
    callable::Callable,
    kept::{self, KeptName},
};
use crate::http::FieldError;

/// How many looks at the database are under way at once: a slow one must not cost the other routes
/// their connections.
const AT_ONCE: usize = 2;

/// For how long what is there is believed to stay there: so late another process learns of what
/// this one has deleted.
const BELIEVED: Duration = Duration::from_secs(2);

/// How many names are remembered: a flood of them must not fill the memory.
const MOST: usize = 10_000;

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

/// What has been found lately, and when.
#[derive(Default)]
struct Known {
    senders: HashMap<(TenantId, SenderId), Instant>,
    pools: HashMap<(TenantId, PoolId), Instant>,
    templates: HashMap<(TenantId, TemplateId), Arc<KnownTemplate>>,
    /// Templates of carriers that may be sent, as far as is known.
    kept: HashMap<(TenantId, KeptName), Instant>,
    /// How often something was forgotten: a look that began before does not bring it back.
    forgotten: u64,
}

/// A template that was read lately.
struct KnownTemplate {
    /// When it was read.
    told: Instant,
    /// The variables that some text of it needs.
    required: BTreeSet<String>,
    /// The bytes that each text always has, and the variables that add to them.
    shapes: Vec<(usize, Vec<String>)>,
}

impl KnownTemplate {
    /// Whether it surely makes a text that can be sent, whoever gets it: everything that it needs
    /// is given, and no text of it comes near the limit.
    fn suffices(&self, variables: &BTreeMap<String, String>) -> bool {
        let is_given = |name: &String| variables.get(name).is_some_and(|value| !is_blank(value));
        let bytes = |name: &String| variables.get(name).map_or(OF_A_CONTACT, String::len);
        let longest = self
            .shapes
            .iter()
            .map(|(always, names)| always + names.iter().map(bytes).sum::<usize>());
        self.required.iter().all(is_given)
            && longest.max().unwrap_or_default() <= draft::SURELY_FITS
    }
}

/// How many bytes a contact's own value of a variable is taken to have. With a longer one a text
/// that is too long is found out later, and fails.
const OF_A_CONTACT: usize = 100;

/// What is not known of the messages of a request.
#[derive(Default)]
struct Asked {
    senders: Vec<SenderId>,
    pools: Vec<PoolId>,
    /// Messages of templates, by their index.
    drafts: Vec<usize>,
    /// Templates of carriers.
    kept: Vec<KeptName>,
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
        let mut known = self.known();
        known.senders.retain(|(of, _), _| of != tenant);
        known.pools.retain(|(of, _), _| of != tenant);
        known.templates.retain(|(of, _), _| of != tenant);
        known.kept.retain(|(of, _), _| of != tenant);
        known.forgotten += 1;
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
        let forgotten = self.known().forgotten;
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
        self.remember(tenant, messages, forgotten, (&found, &supplies));

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

    /// Remembers what is there, unless something was forgotten meanwhile: it may be that.
    fn remember(
        &self,
        tenant: &TenantId,
        messages: &[Arc<Submitted>],
        forgotten: u64,
        (found, supplies): (&Found, &Supplies),
    ) {
        let mut known = self.known();
        if known.forgotten != forgotten {
            return;
        }
        let now = Instant::now();
        for (id, _) in found.senders.iter().filter(|(_, of)| **of == Callable::Yes) {
            keep(&mut known.senders, (tenant.clone(), *id), now);
        }
        for (id, _) in found.pools.iter().filter(|(_, of)| **of == Callable::Yes) {
            keep(&mut known.pools, (tenant.clone(), *id), now);
        }

        for (name, _) in found.unsendable.iter().filter(|(_, why)| why.is_none()) {
            keep(&mut known.kept, (tenant.clone(), name.clone()), now);
        }

        for message in messages {
            let Content::Template { id, .. } = &message.content else { continue };
            if let Ok(variants) = supplies.texts.of_template(tenant, *id) {
                let required = variants.required().into_iter().map(str::to_owned).collect();
                let template = KnownTemplate { told: now, required, shapes: variants.shapes() };
                keep(&mut known.templates, (tenant.clone(), *id), Arc::new(template));
            }
        }
    }
}

/// Why a sender is refused that is there.
const UNUSABLE_SENDER: &str =
    "this sender carries nothing: name another, or set its usable to true";

/// Why a pool is refused that is there.
const UNUSABLE_POOL: &str = "no sender of this pool carries anything: set usable of one to true";

/// The senders and pools that were asked for and are there, each with whether anything of it
/// can be called, and the templates of carriers that were asked for, each with why it is not sent.
struct Found {
    senders: HashMap<SenderId, Callable>,
    pools: HashMap<PoolId, Callable>,
    unsendable: BTreeMap<KeptName, Option<Unsendable>>,
}

impl Found {
    /// A template of a carrier that was asked for and is surely not sent.
    fn kept(&self, message: &Submitted) -> Option<FieldError> {
        let name = KeptName::of(message)?;
        let why = self.unsendable.get(&name).copied().flatten()?;
        Some(error("carrier_template", why.code, why.detail))
    }

    /// A sender or a pool that was asked for and is not there, carries nothing, or is not to be
    /// called: the gates would block each message of it, or send would hold it.
    fn error(&self, message: &Submitted, asked: &Asked) -> Option<FieldError> {
        match message.from {
            From::Sender(id) if asked.senders.contains(&id) => match self.senders.get(&id) {
                None => {
                    Some(error("from", "not_found", "no sender of yours has this id or number"))
                }
                Some(of) => of.error("from", UNUSABLE_SENDER),
            },
            From::Pool(id) if asked.pools.contains(&id) => match self.pools.get(&id) {
                None => Some(error("pool", "not_found", "no pool with this id")),
                Some(of) => of.error("pool", UNUSABLE_POOL),
            },
            From::Sender(_) | From::Pool(_) | From::Any => None,
        }
    }
}

impl Callable {
    fn error(&self, field: &str, unusable: &str) -> Option<FieldError> {
        match self {
            Self::Yes => None,
            Self::Unusable => Some(error(field, "unusable", unusable)),
            Self::HostNotAllowed(why) => Some(error(field, "host_not_allowed", why)),
        }
    }
}

impl Known {
    /// What must be asked about these messages.
    fn asked(&self, messages: &[Arc<Submitted>]) -> Asked {
        let is_fresh = |told: &Instant| told.elapsed() < BELIEVED;
        let mut asked = Asked::default();
        for (index, message) in messages.iter().enumerate() {
            let tenant = &message.head.tenant;
            match message.from {
                From::Sender(id) if !asked.senders.contains(&id) => {
                    let known = self.senders.get(&(tenant.clone(), id));
                    asked.senders.extend((!known.is_some_and(is_fresh)).then_some(id));
                }
                From::Pool(id) if !asked.pools.contains(&id) => {
                    let known = self.pools.get(&(tenant.clone(), id));
                    asked.pools.extend((!known.is_some_and(is_fresh)).then_some(id));
                }
                From::Sender(_) | From::Pool(_) | From::Any => {}
            }

            if let Some(name) = KeptName::of(message)
                && !asked.kept.contains(&name)
            {
                let known = self.kept.get(&(tenant.clone(), name.clone()));
                asked.kept.extend((!known.is_some_and(is_fresh)).then_some(name));
            }
            if let Content::Template { id, variables } = &message.content {
                let known = self.templates.get(&(tenant.clone(), *id));
                let suffices =
                    known.is_some_and(|known| is_fresh(&known.told) && known.suffices(variables));
                asked.drafts.extend((!suffices).then_some(index));
            }
        }
        asked
    }
}

impl Asked {
    fn is_empty(&self) -> bool {
        self.senders.is_empty()
            && self.pools.is_empty()
            && self.drafts.is_empty()
            && self.kept.is_empty()
    }
}

/// Whether the message names anything that may not be there.
pub(crate) fn names_something(message: &Submitted) -> bool {
    let names_template = message.content.is_template() || KeptName::of(message).is_some();
    names_template || !matches!(message.from, From::Any)
}

/// Keeps a name. With too many, all are forgotten: they are asked for again.
fn keep<K: Eq + Hash, V>(known: &mut HashMap<K, V>, key: K, value: V) {
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(key, value);
}

/// Why the template makes no text for this person.
fn template_error(message: &Submitted, person: &Person, supplies: &Supplies) -> Option<FieldError> {
    let head = &message.head;
    let contact = ContactId::of(&head.tenant, head.to.as_str());
    let request = DraftRequest {
        class: head.class,
        channel: head.channel,
        to: &head.to,
        origin: origin(message),
    };
    let code = draft::draft(&request, contact, person, supplies)?.failed?;

    let Content::Template { id, variables } = &message.content else { return None };
    Some(match code {
        "unknown_template" => error("template.id", "not_found", "no template with this id"),
        "missing_variable" => {
            let required = supplies.texts.of_template(&head.tenant, *id);
            let required = required.map(|variants| variants.required()).unwrap_or_default();
            let is_said = |value: &str| !is_blank(value);
            let lacks = |name: &&str| {
                let given = variables.get(*name).map(String::as_str);
                !given.is_some_and(is_said) && !person.field(name).is_some_and(is_said)
            };
            let names: Vec<&str> = required.into_iter().filter(lacks).collect();
            let detail = format!("give {}, or a fallback in the template", names.join(", "));
            error("template.variables", code, &detail)
        }
        code => error("template", code, draft::reason(code)),
    })
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

fn origin(message: &Submitted) -> Origin<'_> {
    Origin {
        tenant: &message.head.tenant,
        campaign: None,
        content: &message.content,
        from: &message.from,
    }
}

fn error(field: &str, code: &'static str, detail: &str) -> FieldError {
    FieldError { field: field.into(), code, detail: detail.into() }
}
