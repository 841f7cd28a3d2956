//! Keeps the directory like the bucket, and the bucket like Postgres.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    kv::{self, Operation},
};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::{BUCKET, Entry};
use crate::app::App;

/// How often the bucket is compared with Postgres.
const COMPARE_EVERY: Duration = Duration::from_secs(30);

/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// Keeps the directory like the bucket, and the bucket like Postgres, until `stop`.
pub(crate) fn keep(app: App, stop: CancellationToken) {
    let (following, stopped) = (app.clone(), stop.clone());
    tokio::spawn(async move { stopped.run_until_cancelled(keep_following(&following)).await });
    tokio::spawn(async move { stop.run_until_cancelled(keep_comparing(&app)).await });
}

async fn keep_following(app: &App) {
    loop {
        if let Err(error) = follow(app).await {
            tracing::warn!(error, "the carrier accounts cannot be followed, trying again");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn keep_comparing(app: &App) {
    loop {
        let wait = match compare(app).await {
            Ok(()) => COMPARE_EVERY,
            Err(error) => {
                tracing::warn!(error, "the carrier accounts cannot be mirrored, trying again");
                AGAIN
            }
        };
        tokio::time::sleep(wait).await;
    }
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
    let json = wire::json::to_vec(entry);
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
