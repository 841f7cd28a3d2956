//! The source that fetches what is due. A tick takes some media of each tenant, asks for all of
//! them at once, and records what became of each. Bytes are in the object store before the row says
//! so; who dies in between leaves an object that the next try writes again.

use std::{sync::Arc, time::Duration};

use carriers::{Clients, MediaFetcher, MediaReply};
use futures::future::join_all;
use objects::{MOST_BYTES, Objects};
use stage::{Cx, Fault, Source, StageName, Tick, machine};
use store::{
    Store,
    core::seal::Sealer,
    media::{
        fetch::{self, DueMedia, Fetched, MediaOrigin},
        key,
    },
};

use crate::decide::{Decision, again, decide};

/// How many media one tick takes, and how many of one tenant: some hold 5 MiB, and a tenant whose
/// addresses answer slowly is to leave places to others.
const AT_MOST: i64 = 16;
const PER_TENANT: i64 = 4;

/// What fetching needs beside the store.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// Calls addresses that are listed, see [`carriers::http::client`].
    pub listed: reqwest::Client,
    /// Calls public addresses, see [`carriers::public::client`].
    pub public: reqwest::Client,
    /// `MILLRACE_ALLOW_CARRIER_HOSTS`: where accounts may be, beside the carriers' own hosts.
    pub carrier_hosts: Vec<String>,
    /// `MILLRACE_ALLOW_MEDIA_HOSTS`: hosts that tenants may name though they are not public.
    pub media_hosts: Vec<String>,
    /// `MILLRACE_REQUEST_TIMEOUT`: how long a call of an account's client may take.
    pub request_timeout: Duration,
}

/// The source that fetches media. Any number of processes may run it.
pub struct MediaSource {
    store: Store,
    /// None: nothing is fetched, and what comes waits.
    objects: Option<Objects>,
    clients: Clients,
    fetcher: MediaFetcher,
}

impl MediaSource {
    /// Fetches for this store into this object store; without one it does nothing. `sealer` opens
    /// the accounts' secrets.
    pub fn new(
        store: Store,
        objects: Option<Objects>,
        sealer: Sealer,
        config: MediaConfig,
    ) -> Self {
        let MediaConfig { listed, public, carrier_hosts, media_hosts, request_timeout } = config;
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        let clients = Clients::new(listed.clone(), carrier_hosts.clone(), request_timeout, open);
        let fetcher = MediaFetcher::new(listed, public, carrier_hosts, media_hosts);
        Self { store, objects, clients, fetcher }
    }

    /// Asks for media.
    async fn ask(&self, media: &DueMedia) -> MediaReply {
        let limit = MOST_BYTES as usize;
        match &media.origin {
            MediaOrigin::Tenant => self.fetcher.of_tenant(&media.url, limit).await,
            MediaOrigin::Account(None) => MediaReply::NotAllowed,
            // An account that cannot be used as it is set up may be mended.
            MediaOrigin::Account(Some(access)) => match self.clients.of(access) {
                Ok(client) => self.fetcher.of_account(&client, &media.url, limit).await,
                Err(_) => MediaReply::Unavailable,
            },
        }
    }

    /// Fetches media, and writes their bytes where they are kept.
    async fn fetch(&self, objects: &Objects, media: DueMedia) -> (DueMedia, Fetched) {
        let reply = self.ask(&media).await;
        let (now, chance) = (machine::now(), machine::chance());

        let fetched = match decide(reply, media.tries, now, chance) {
            Decision::Settle(fetched) => fetched,
            Decision::Keep(bytes, stored) => {
                match objects.put(&key(&media.tenant, media.id), bytes.into()).await {
                    Ok(()) => Fetched::Stored(stored),
                    Err(error) => {
                        tracing::warn!(media = %media.id, %error, "media cannot be written");
                        metrics::counter!("millrace_media_object_errors_total").increment(1);
                        again(media.tries, now, chance)
                    }
                }
            }
        };
        tell(&fetched);
        (media, fetched)
    }
}

impl Source for MediaSource {
    const NAME: StageName = StageName::Media;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        let Some(objects) = &self.objects else { return Ok(Tick::default()) };

        // load
        let (due, more) = fetch::take(&self.store, cx.machine, PER_TENANT, AT_MOST).await?;

        // fetch
        let fetched = join_all(due.into_iter().map(|media| self.fetch(objects, media))).await;

        // record
        let gone = fetch::record(&self.store, &fetched).await?;
        for (tenant, id) in gone {
            // Its row went while it was fetched: nobody else would find the object.
            if let Err(error) = objects.delete(&key(&tenant, id)).await {
                tracing::warn!(media = %id, %error, "an object without a row is left");
            }
        }
        Ok(Tick { more, ..Tick::default() })
    }
}

/// Counts what became of media.
fn tell(fetched: &Fetched) {
    let outcome = match fetched {
        Fetched::Stored(_) => "stored",
        Fetched::Refused(refusal) => refusal.as_str(),
        Fetched::Again(_) => "again",
    };
    metrics::counter!("millrace_media_total", "outcome" => outcome).increment(1);
}
