//! What was found lately of what messages name, so that the database is not asked for each of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use domain::{
    draft::{self, Supplies},
    ids::{PoolId, SenderId, TemplateId, TenantId},
    invisible::is_blank,
};
use tokio::time::Instant;
use wire::{
    Submitted,
    message::{Content, From},
};

use super::{
    super::{callable::Callable, kept::KeptName},
    asked::Asked,
    found::Found,
};

/// For how long what is there is believed to stay there: so late another process learns of what
/// this one has deleted.
const BELIEVED: Duration = Duration::from_secs(2);

/// How many names are remembered: a flood of them must not fill the memory.
const MOST: usize = 10_000;

/// What has been found lately, and when.
#[derive(Default)]
pub(super) struct Known {
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

impl Known {
    /// What must be asked about these messages.
    pub(super) fn asked(&self, messages: &[Arc<Submitted>]) -> Asked {
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

    /// Forgets what is known of a tenant.
    pub(super) fn forget(&mut self, tenant: &TenantId) {
        self.senders.retain(|(of, _), _| of != tenant);
        self.pools.retain(|(of, _), _| of != tenant);
        self.templates.retain(|(of, _), _| of != tenant);
        self.kept.retain(|(of, _), _| of != tenant);
        self.forgotten += 1;
    }

    /// How often something was forgotten, as [`Known::remember`] wants it.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Remembers what is there, unless something was forgotten meanwhile: it may be that.
    pub(super) fn remember(
        &mut self,
        tenant: &TenantId,
        messages: &[Arc<Submitted>],
        forgotten: u64,
        (found, supplies): (&Found, &Supplies),
    ) {
        if self.forgotten != forgotten {
            return;
        }
        let now = Instant::now();
        for (id, _) in found.senders.iter().filter(|(_, of)| **of == Callable::Yes) {
            keep(&mut self.senders, (tenant.clone(), *id), now);
        }
        for (id, _) in found.pools.iter().filter(|(_, of)| **of == Callable::Yes) {
            keep(&mut self.pools, (tenant.clone(), *id), now);
        }

        for (name, _) in found.unsendable.iter().filter(|(_, why)| why.is_none()) {
            keep(&mut self.kept, (tenant.clone(), name.clone()), now);
        }

        for message in messages {
            let Content::Template { id, .. } = &message.content else { continue };
            if let Ok(variants) = supplies.texts.of_template(tenant, *id) {
                let required = variants.required().into_iter().map(str::to_owned).collect();
                let template = KnownTemplate { told: now, required, shapes: variants.shapes() };
                keep(&mut self.templates, (tenant.clone(), *id), Arc::new(template));
            }
        }
    }
}

/// Keeps a name. With too many, all are forgotten: they are asked for again.
fn keep<K: Eq + Hash, V>(known: &mut HashMap<K, V>, key: K, value: V) {
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(key, value);
}
