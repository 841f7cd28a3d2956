//! The accounts of all tenants at all carriers, as far as webhooks need them: mirrored in NATS KV
//! (bucket `ACCOUNTS`), so that a webhook is checked and stored while Postgres is away.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use async_nats::jetstream::{
    Context,
    kv::{self, Operation},
};
use carriers::Carrier;
use domain::ids::TenantId;
use futures::StreamExt;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::{
    core::seal::Sealer,
    settings::accounts::{Account, DirectoryEntry},
};
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// The bucket. Its keys are the accounts' handles.
pub const BUCKET: &str = "ACCOUNTS";

/// How many accounts a tenant's name in an address may mean.
const MOST_NAMESAKES: usize = 16;

/// How often the bucket is compared with Postgres.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_secs(1);

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
    /// Whose it is; none where several tenants use it.
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
    /// Whose it is; none where several tenants use it.
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
        let DirectoryEntry { handle: _, mut tenants, names, carrier, carrier_sid, sealed_token } =
            known;
        let tenant = if tenants.len() == 1 { tenants.pop() } else { None };
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

/// Keeps the directory like the bucket, and the bucket like Postgres, until `stop`.
pub(crate) fn keep(app: App, stop: CancellationToken) {
    let following = app.clone();
    let stopped = stop.clone();
    tokio::spawn(async move {
        let follow = async {
            loop {
                if let Err(error) = follow(&following).await {
                    tracing::warn!(error, "the carrier accounts cannot be followed, trying again");
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        stopped.run_until_cancelled(follow).await;
    });
    tokio::spawn(async move {
        let compare = async {
            loop {
                let wait = match compare(&app).await {
                    Ok(()) => COMPARE_EVERY,
                    Err(error) => {
                        tracing::warn!(
                            error,
                            "the carrier accounts cannot be mirrored, trying again"
                        );
                        AGAIN
                    }
                };
                tokio::time::sleep(wait).await;
            }
        };
        stop.run_until_cancelled(compare).await;
    });
}

/// Mirrors one account at once, rather than with the next comparison.
pub(crate) async fn announce(app: &App, account: &str, entry: Entry) {
    app.directory.put(account, entry.clone(), &app.sealer);
    let written = async {
        let store = bucket(&app.broker.api).await?;
        write(&store, account, &entry).await
    };
    if let Err(error) = written.await {
        tracing::warn!(error, "an account is mirrored with the next comparison");
    }
}

/// Takes over every value of the bucket and each new one, until the watch breaks.
async fn follow(app: &App) -> Result<(), String> {
    let store = bucket(&app.broker.api).await?;
    let mut changes = store.watch_with_history(">").await.map_err(|e| e.to_string())?;
    while let Some(change) = changes.next().await {
        let change = change.map_err(|e| e.to_string())?;
        match change.operation {
            Operation::Put => match serde_json::from_slice(&change.value) {
                Ok(entry) => app.directory.put(&change.key, entry, &app.sealer),
                Err(error) => tracing::error!(%error, account = change.key, "not an account"),
            },
            Operation::Delete | Operation::Purge => app.directory.remove(&change.key),
        }
        // The last of those that were there when the watch began. An empty bucket never says so:
        // then the first comparison with Postgres does.
        if change.delta == 0 {
            app.directory.set_loaded();
        }
    }
    Err("the watch ended".into())
}

/// Writes into the bucket what Postgres has and the directory lacks.
async fn compare(app: &App) -> Result<(), String> {
    let accounts = store::settings::accounts::all(&app.store).await.map_err(|e| e.to_string())?;
    let store = bucket(&app.broker.api).await?;
    for known in accounts {
        let handle = known.handle.clone();
        let entry = Entry::of(known);
        if !app.directory.has(&handle, &entry) {
            write(&store, &handle, &entry).await?;
            app.directory.put(&handle, entry, &app.sealer);
        }
    }
    app.directory.set_loaded();
    Ok(())
}

async fn write(store: &kv::Store, account: &str, entry: &Entry) -> Result<(), String> {
    let json = serde_json::to_vec(entry).expect("an entry is plain data");
    store.put(account, json.into()).await.map(drop).map_err(|e| e.to_string())
}

/// The bucket, made if it is not there.
async fn bucket(jetstream: &Context) -> Result<kv::Store, String> {
    if let Ok(store) = jetstream.get_key_value(BUCKET).await {
        return Ok(store);
    }
    let config = kv::Config {
        bucket: BUCKET.to_owned(),
        description: "carrier accounts, for the webhook ingress".to_owned(),
        max_value_size: 16 * 1024,
        history: 1,
        max_bytes: 64 * 1024 * 1024,
        ..kv::Config::default()
    };
    jetstream.create_key_value(config).await.map_err(|e| e.to_string())
}
