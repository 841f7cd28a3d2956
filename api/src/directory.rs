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
use domain::ids::TenantId;
use futures::StreamExt;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use store::core::seal::Sealer;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// The bucket. Its keys are the accounts' keys here.
pub const BUCKET: &str = "ACCOUNTS";

/// How often the bucket is compared with Postgres.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// The directory. Clones share it.
#[derive(Clone, Default)]
pub struct AccountsDirectory(Arc<State>);

#[derive(Default)]
struct State {
    accounts: ArcSwap<HashMap<String, Arc<Known>>>,
    loaded: AtomicBool,
}

/// An account as a webhook needs it.
pub(crate) struct Known {
    /// Whose it is.
    pub(crate) tenant: TenantId,
    /// `twilio`
    pub(crate) carrier: String,
    /// Its tokens, opened; several while one replaces another.
    pub(crate) tokens: Vec<SecretString>,
    /// What the bucket holds.
    entry: Entry,
}

/// A value of the bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) tenant: TenantId,
    pub(crate) carrier: String,
    pub(crate) carrier_sid: String,
    /// Under the master key.
    pub(crate) sealed_tokens: Vec<String>,
}

impl AccountsDirectory {
    /// Whether it is known which accounts exist. Until then an account that is missing means
    /// nothing.
    pub fn is_loaded(&self) -> bool {
        self.0.loaded.load(Ordering::Acquire)
    }

    pub(crate) fn get(&self, account: &str) -> Option<Arc<Known>> {
        self.0.accounts.load().get(account).cloned()
    }

    /// Takes an entry over. One whose tokens cannot be opened stays unknown: nothing can be checked
    /// against it.
    pub(crate) fn put(&self, account: &str, entry: Entry, sealer: &Sealer) {
        let open = |sealed: &String| {
            let plain = sealer.open(sealed).ok()?;
            String::from_utf8(plain).ok().map(SecretString::from)
        };
        let tokens: Vec<SecretString> = entry.sealed_tokens.iter().filter_map(open).collect();
        if tokens.is_empty() {
            tracing::error!(account, "no token of this account opens: check MILLRACE_MASTER_KEY");
        }
        let known = Arc::new(Known {
            tenant: entry.tenant.clone(),
            carrier: entry.carrier.clone(),
            tokens,
            entry,
        });
        self.0.accounts.rcu(|accounts| {
            let mut accounts = HashMap::clone(accounts);
            accounts.insert(account.to_owned(), known.clone());
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
        self.get(account).is_some_and(|known| known.entry == *entry)
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
        let entry = Entry {
            tenant: known.tenant,
            carrier: known.carrier,
            carrier_sid: known.carrier_sid,
            sealed_tokens: vec![known.sealed_token],
        };
        if !app.directory.has(&known.account, &entry) {
            write(&store, &known.account, &entry).await?;
            app.directory.put(&known.account, entry, &app.sealer);
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
