//! The accounts of all tenants at all carriers, as far as webhooks need them: mirrored in NATS KV
//! (bucket `ACCOUNTS`), so that a webhook is checked and stored while Postgres is away.

pub(crate) mod mirror;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use carriers::Carrier;
use domain::ids::TenantId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    core::seal::Sealer,
    settings::accounts::{Account, DirectoryEntry},
};
/// The bucket. Its keys are the accounts' handles.
pub const BUCKET: &str = "ACCOUNTS";

/// How many accounts a tenant's name in an address may mean.
const MOST_NAMESAKES: usize = 16;

/// The directory. Clones share it.
#[derive(Clone, Default)]
pub struct AccountsDirectory(Arc<State>);

#[derive(Default)]
struct State {
    accounts: ArcSwap<HashMap<String, Arc<KnownAccount>>>,
    loaded: AtomicBool,
}

/// An account as a webhook needs it.
pub(crate) struct KnownAccount {
    /// Named in subjects and ids, whatever the address called it.
    pub(crate) handle: String,
    /// The carrier whose webhooks these are; none where a newer version set the account up.
    pub(crate) carrier: Option<Carrier>,
    /// Its secrets, opened; several while one replaces another.
    pub(crate) tokens: Vec<SecretString>,
    /// What the bucket holds.
    entry: Entry,
}

/// A value of the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Whose it is; none where it is the platform's, which several tenants may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<TenantId>,
    /// What its tenants call it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) names: Vec<String>,
    pub(crate) carrier: String,
    pub(crate) carrier_sid: String,
    /// Under the master key.
    pub(crate) sealed_tokens: Vec<String>,
}

impl KnownAccount {
    /// Whose it is; none where it is the platform's, which several tenants may use.
    pub(crate) fn tenant(&self) -> Option<&TenantId> {
        self.entry.tenant.as_ref()
    }
}

impl Entry {
    /// An account that one tenant alone uses.
    pub(crate) fn of_tenant(tenant: TenantId, account: &Account) -> Self {
        Self {
            tenant: Some(tenant),
            names: vec![account.name.clone()],
            carrier: account.access.carrier.clone(),
            carrier_sid: account.access.carrier_sid.clone(),
            sealed_tokens: vec![account.access.sealed_token.clone()],
        }
    }

    /// What Postgres knows of an account.
    fn of(known: DirectoryEntry) -> Self {
        let DirectoryEntry { tenants, is_platforms, names, .. } = known;
        let DirectoryEntry { carrier, carrier_sid, sealed_token, .. } = known;
        // The next tenant of the platform's account may have sent before this is compared again.
        let tenant = tenants.into_iter().next().filter(|_| !is_platforms);
        Self { tenant, names, carrier, carrier_sid, sealed_tokens: vec![sealed_token] }
    }
}

impl AccountsDirectory {
    /// Whether it is known which accounts exist. Until then an account that is missing means
    /// nothing.
    pub fn is_loaded(&self) -> bool {
        self.0.loaded.load(Ordering::Acquire)
    }

    /// The accounts that an address may mean: the one with this handle, else those that their
    /// tenants call so. Which of these it is, the signature tells. A name that more than
    /// [`MOST_NAMESAKES`] accounts have means none: a request is not checked against all of them.
    pub(crate) fn find(&self, account: &str) -> Vec<Arc<KnownAccount>> {
        let accounts = self.0.accounts.load();
        match accounts.get(account) {
            Some(known) => vec![known.clone()],
            None => {
                let is_so = |known: &&Arc<KnownAccount>| {
                    known.entry.names.iter().any(|name| name == account)
                };
                let so_called: Vec<_> =
                    accounts.values().filter(is_so).take(MOST_NAMESAKES + 1).cloned().collect();
                if so_called.len() > MOST_NAMESAKES { Vec::new() } else { so_called }
            }
        }
    }

    /// Takes an entry over. One whose tokens cannot be opened stays unknown: nothing can be checked
    /// against it.
    pub(crate) fn put(&self, handle: &str, entry: Entry, sealer: &Sealer) {
        let open = |sealed: &String| sealer.open_secret(sealed);
        let tokens: Vec<SecretString> = entry.sealed_tokens.iter().filter_map(open).collect();
        if tokens.is_empty() {
            tracing::error!(handle, "no token of this account opens: check MILLRACE_MASTER_KEY");
        }

        let known = Arc::new(KnownAccount {
            handle: handle.to_owned(),
            carrier: Carrier::from_name(&entry.carrier),
            tokens,
            entry,
        });
        self.0.accounts.rcu(|accounts| {
            let mut accounts = HashMap::clone(accounts);
            accounts.insert(handle.to_owned(), known.clone());
            accounts
        });
    }

    fn remove(&self, account: &str) {
        self.0.accounts.rcu(|accounts| {
            let mut accounts = HashMap::clone(accounts);
            accounts.remove(account);
            accounts
        });
    }

    fn has(&self, account: &str, entry: &Entry) -> bool {
        self.0.accounts.load().get(account).is_some_and(|known| known.entry == *entry)
    }

    fn set_loaded(&self) {
        if !self.0.loaded.swap(true, Ordering::AcqRel) {
            tracing::info!(accounts = self.0.accounts.load().len(), "carrier accounts are known");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(tenants: &[&str], is_platforms: bool) -> DirectoryEntry {
        DirectoryEntry {
            handle: "acc-1".into(),
            tenants: tenants.iter().map(|key| key.parse().expect("a key")).collect(),
            is_platforms,
            names: vec!["main".into(); tenants.len()],
            carrier: "twilio".into(),
            carrier_sid: "AC1".into(),
            sealed_token: "sealed".into(),
        }
    }

    #[test]
    fn an_account_of_the_platform_names_no_tenant_even_while_it_has_one() {
        assert_eq!(Entry::of(known(&["demo"], true)).tenant, None);
        assert_eq!(Entry::of(known(&["demo", "other"], true)).tenant, None);
        assert_eq!(Entry::of(known(&["demo"], false)).tenant, "demo".parse().ok());
    }
}
