//! What every process is made of: settings, broker, business time, metrics, and the token that
//! ends it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, anyhow, bail};
use boot::{
    clock::{self, BusinessTime},
    health::Health,
    nats_access::NatsAccess,
    settings::{Common, Settings},
    shutdown, telemetry,
};
use domain::ids::TenantId;
use jiff::Timestamp;
use objects::Objects;
use pipeline::{access::ProcessKind, broker::Broker, progress::Progress, run::Runtime};
use secrecy::ExposeSecret;
use stage::Clock;
use store::{Role, Store, core::seal::Sealer, settings::tenants};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::public_url::{self, PublicUrlUse};

/// How long a consumer may hold something without answering before `/readyz` says so.
const STUCK_AFTER: Duration = Duration::from_secs(30);

/// A process that talks to NATS and Postgres.
#[derive(Clone)]
pub struct ProcessParts {
    /// What it was told.
    pub settings: Arc<Settings>,
    /// The metrics that `/metrics` shows.
    pub metrics: telemetry::Metrics,
    /// Cancelled by SIGTERM and SIGINT.
    pub stop: CancellationToken,
    /// Business time: the machine's, or the sandbox clock's.
    pub time: BusinessTime,
    /// Whether its consumers move, for `/readyz`.
    pub progress: Progress,
    /// Where carriers reach the platform: its own idea, until it has agreed with the others.
    pub public_url: String,
    /// Where several kinds of process run in one: the credentials of each. None: NATS_CREDS.
    pub logins: Option<NatsAccess>,
}

impl ProcessParts {
    /// Reads the settings, starts logging and metrics, listens for signals.
    ///
    /// # Errors
    /// A setting is wrong, or another process of ours runs inside this one.
    pub fn begin(common: Common) -> anyhow::Result<Self> {
        let settings = common.resolve()?;
        telemetry::logs::start_logging(settings.log_format, &settings.log_filter)?;
        let public_url = settings.public_url.clone();
        let stop = shutdown::on_signals()?;
        shutdown::with_who_started_us(stop.clone());
        Ok(Self {
            settings: Arc::new(settings),
            metrics: telemetry::Metrics::install()?,
            stop,
            time: BusinessTime::machine(),
            progress: Progress::default(),
            public_url,
            logins: None,
        })
    }

    /// Has this process ended within its bound once it is told to end, whatever holds it up.
    pub fn end_in_time(&self) {
        shutdown::bound(self.stop.clone());
    }

    /// Follows the sandbox clock, where the settings allow it.
    ///
    /// # Errors
    /// The broker cannot be asked.
    pub async fn follow_clock(&mut self, broker: &Broker) -> anyhow::Result<()> {
        if self.settings.sandbox {
            let following = clock::follow_sandbox_clock(&broker.jetstream, self.stop.clone());
            self.time = following.await.context("reading the sandbox clock")?;
        }
        Ok(())
    }

    /// Goes by the platform's public URL.
    ///
    /// # Errors
    /// The settings name another one, or none is known where one is needed.
    pub async fn agree_on_public_url(
        &mut self,
        store: &Store,
        of: PublicUrlUse,
    ) -> anyhow::Result<()> {
        self.public_url = public_url::agree(&self.settings, store, of).await?;
        Ok(())
    }

    /// Connects to NATS under this name.
    ///
    /// # Errors
    /// `NATS_URL` is missing, or the server is away or too old.
    pub async fn broker(&self, name: &str) -> anyhow::Result<Broker> {
        let url = self.settings.need_nats()?.expose_secret();
        Ok(Broker::connect(url, self.settings.nats_creds.as_deref(), name).await?)
    }

    /// Connects to NATS as this kind of process, where several run in this one.
    ///
    /// # Errors
    /// As for [`ProcessParts::broker`].
    pub async fn broker_of(&self, kind: ProcessKind) -> anyhow::Result<Broker> {
        let Some(logins) = &self.logins else { return self.broker(kind.as_str()).await };
        let url = self.settings.need_nats()?.expose_secret();
        Ok(Broker::connect(url, Some(&logins.credentials(kind)), kind.as_str()).await?)
    }

    /// Connects to Postgres as this role.
    ///
    /// # Errors
    /// `DATABASE_URL` is missing, or the server is away.
    pub async fn store(&self, role: Role, connections: u32) -> anyhow::Result<Store> {
        let url = self.settings.need_database()?.expose_secret();
        let connected = Store::connect(url, role, connections).await;
        connected.with_context(|| format!("DATABASE_URL: as {}", role.as_str()))
    }

    /// The sealer with the master keys.
    ///
    /// # Errors
    /// `MILLRACE_MASTER_KEY` is missing.
    pub fn sealer(&self) -> anyhow::Result<Sealer> {
        sealer_of(&self.settings)
    }

    /// Where media lie; none where no place is named.
    ///
    /// # Errors
    /// The folder cannot be made, or the bucket's settings do not make a client.
    pub fn objects(&self) -> anyhow::Result<Option<Objects>> {
        let Some(place) = &self.settings.media.place else { return Ok(None) };
        let http = carriers::http::client()?;
        Objects::open(place, http).map(Some).context("MILLRACE_MEDIA_URL")
    }

    /// Business time as stages and the api take it.
    pub fn clock(&self) -> Clock {
        let time = self.time.clone();
        Arc::new(move || -> Timestamp { time.now() })
    }

    /// What stages run on.
    pub fn runtime(&self, broker: Broker, sealer: Sealer) -> Runtime {
        Runtime {
            broker,
            clock: self.clock(),
            seal: Arc::new(DeadSeal(sealer)),
            stop: self.stop.clone(),
            progress: self.progress.clone(),
        }
    }

    /// The checks that every process has: broker, database, and its own consumers moving.
    pub fn health(&self, broker: &Broker, store: &Store) -> Health {
        let (store, progress) = (store.clone(), self.progress.clone());

        check_broker(Health::new(self.metrics.clone(), self.stop.clone()), broker)
            .check("database", move || {
                let store = store.clone();
                async move { store.ping().await.map_err(|why| why.to_string()) }
            })
            .check("consumer", move || {
                let moving = progress.ready(STUCK_AFTER).map_err(|why| why.to_string());
                async move { moving }
            })
    }

    /// Answers `/healthz`, `/readyz` and `/metrics` until `end` is cancelled; says where.
    ///
    /// # Errors
    /// The address is in use.
    pub async fn answer_health(
        &self,
        health: Health,
        end: CancellationToken,
    ) -> anyhow::Result<SocketAddr> {
        let listener = listen_for_health(self.settings.health_listen).await?;
        let bound = listener.local_addr()?;

        tokio::spawn(health.serve(listener, end));
        Ok(bound)
    }
}

/// Takes the address under which a process answers for its health.
///
/// # Errors
/// The address is in use, or none of this machine.
pub async fn listen_for_health(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let why = || in_use("MILLRACE_HEALTH_LISTEN", address);
    TcpListener::bind(address).await.with_context(why)
}

/// The sealer with the master keys of these settings.
///
/// # Errors
/// `MILLRACE_MASTER_KEY` is missing.
pub fn sealer_of(settings: &Settings) -> anyhow::Result<Sealer> {
    let keys = settings.need_master_keys()?.all().iter();
    let keys: Vec<[u8; 32]> = keys.map(|key| *key.expose_secret()).collect();
    Ok(Sealer::new(&keys))
}

/// Adds the check that the broker is there.
pub fn check_broker(health: Health, broker: &Broker) -> Health {
    let broker = broker.clone();
    health.check("broker", move || {
        let connected = broker.is_connected();
        async move { connected.then_some(()).ok_or_else(|| "not connected".to_owned()) }
    })
}

/// Refuses a tenant that there is not: what is made for it would be of no use to anybody.
///
/// # Errors
/// There is no such tenant, or the database cannot be asked.
pub async fn known_tenant(store: &Store, tenant: &TenantId) -> anyhow::Result<()> {
    let mut tx = store.scoped([tenant]).await?;
    tenants::get(&mut tx, tenant).await?.map(drop).ok_or_else(|| no_tenant(tenant))
}

/// Whether an operator gives this tenant keys, people and accounts: it is there, and no twin.
///
/// # Errors
/// It is not, and the text says what to do.
pub async fn known_company(store: &Store, tenant: &TenantId) -> anyhow::Result<()> {
    if tenant.is_twin() {
        bail!("{tenant} is the twin in which a tenant's test keys work: name the tenant itself");
    }
    known_tenant(store, tenant).await
}

/// One line for a tenant that is not there.
pub fn no_tenant(tenant: &TenantId) -> anyhow::Error {
    anyhow!("there is no tenant {tenant}: make it with `millrace tenant create {tenant}`")
}

/// One line for an address that cannot be had.
pub fn in_use(setting: &str, address: SocketAddr) -> String {
    format!("{setting}: cannot listen on {address}; choose another address or port 0")
}

/// The sealer, as the runtime takes it: for dead letters.
struct DeadSeal(Sealer);

impl pipeline::letter::Seal for DeadSeal {
    fn seal(&self, plain: &[u8]) -> String {
        self.0.seal(plain)
    }
}
