//! What every request of the ingress shares.

use std::{net::IpAddr, ops::Deref, path::PathBuf, sync::Arc, time::Duration};

use domain::ids::TenantId;
use ipnet::IpNet;
use jiff::Timestamp;
use objects::Objects;
use pipeline::{Broker, Publisher, access::SubscriberSigner};
use secrecy::SecretBox;
use store::{Store, core::seal::Sealer};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::Stream;

use crate::{
    auth::credentials::Auth,
    carrier_clients::CarrierClients,
    directory::AccountsDirectory,
    http::{arrival::ARRIVING, refusals::Refusals},
    last_known::Asking,
    live::Live,
    quotas::Quotas,
    shares::Shares,
    submit::{
        coalesce::{Coalescer, RECEIPTS, TEXTS},
        keys::UsedKeys,
        named::Named,
        singles::{Publishing, Singles},
        tenants::Tenants,
        turns::Turns,
    },
    tls::Tls,
    transactions::Transactions,
};

/// The streams that the ingress fills and that reading does not empty: it adds nothing to one of
/// which more than half is unread.
const FILLED: [Stream; 3] = [Stream::Carrier, Stream::Texts, Stream::Events];

/// Which part of all connections the requests of one tenant may hold; the webhooks of one account,
/// whose signature is checked last; and all webhooks.
const REQUESTS_PART: usize = 4;
const WEBHOOKS_PART: usize = 16;
const ALL_WEBHOOKS_PART: usize = 2;

/// The same of those who have not signed in, and how many requests of one place may be under way.
const STRANGERS_PART: usize = 16;
const STRANGERS_OF_PEER: usize = 64;

/// How many batches of one tenant a process publishes at once; more are told to come again.
const BATCHES_OF_TENANT: usize = 16;

/// How many of these may be of one API key.
const BATCHES_OF_KEY: usize = 8;

/// How many files of one API key are on the disk at once, to be imported or previewed.
const UPLOADS_OF_KEY: usize = 4;

/// How many imports and previews of one tenant a process works on at once.
const IMPORTS_OF_TENANT: usize = 2;

/// How many simulations of one tenant a process works on at once: each keeps who waits in memory,
/// at most some 100 MB.
const SIMULATIONS_OF_TENANT: usize = 1;

/// How many calls about numbers of one tenant a process makes at once.
const NUMBER_CALLS_OF_TENANT: usize = 2;

/// How many questions to the model of one tenant a process makes at once, to try its settings.
const AI_TRIALS_OF_TENANT: usize = 2;

/// How many calls about templates of one tenant a process makes at once.
const TEMPLATE_CALLS_OF_TENANT: usize = 2;

/// What the ingress is made of. Clones share everything.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the caller of [`crate::serve()`] brings.
pub struct Parts {
    /// Postgres, as the role `millrace_api`.
    pub store: Store,
    /// NATS, with the streams and buckets that the ingress uses.
    pub broker: Broker,
    /// Seals carrier tokens under the master key.
    pub sealer: Sealer,
    /// What was set for this process.
    pub settings: ApiSettings,
    /// The clock of business time.
    pub now: Now,
}

/// Reads business time.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The settings of the ingress alone.
pub struct ApiSettings {
    /// How carriers reach this ingress: scheme, host, maybe a path; no slash at its end. Signatures
    /// are checked against it, never against the `Host` header.
    pub public_url: String,
    /// Keys of access tokens (HS256), the newest first. Without any, only API keys are accepted.
    pub jwt_keys: Vec<SecretBox<[u8; 32]>>,
    /// Signs what tenants log in to the broker with; none: it gives out no credentials.
    pub subscribers: Option<SubscriberSigner>,
    /// Hosts that a carrier account may name beside the carrier's own.
    pub carrier_hosts: Vec<String>,
    /// Where the sandbox is called, in which test keys work. Without it none is made.
    pub sandbox_url: Option<String>,
    /// What asks the model, to try an assistant; none: it cannot be tried.
    pub ai: Option<carriers::anthropic::Client>,
    /// What calls the tools of assistants; none: no tool can be made.
    pub tools: Option<carriers::ToolCaller>,
    /// Messages per second that one tenant may submit through this process, averaged.
    pub submit_per_second: u32,
    /// Messages that one tenant may submit at once after it was idle.
    pub submit_burst: u32,
    /// Requests a second that one key or person may make of this process, averaged, and at once.
    pub calls: (u32, u32),
    /// Credentials a second that are not valid, averaged, and at once, from one place.
    pub refused: (u32, u32),
    /// The certificate with which it answers https; none: plain http.
    pub tls: Option<Arc<Tls>>,
    /// How people may come and sign in, beside passwords and invitations.
    pub sign_in: SignInWays,
    /// Proxies that are believed about whom a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins whose pages may call from a browser.
    pub cors_origins: Vec<String>,
    /// Where uploads wait while they are imported.
    pub upload_dir: PathBuf,
    /// What media are kept in; none: none are.
    pub media: Option<KeptMedia>,
    /// Connections that are open at once; a further one takes the place of an idle one, or waits.
    pub connections: usize,
    /// How long a caller may leave an answer unread before its connection is closed.
    pub unread: Duration,
    /// How long the database may take over what a message can be accepted without: whether its key
    /// is taken by another body, and whether what is known of its caller has changed.
    pub patience: Duration,
    /// How long what is known of a caller holds before the database is asked again.
    pub fresh: Duration,
}

/// What media are kept in.
#[derive(Debug, Clone)]
pub struct KeptMedia {
    /// Where their bytes lie.
    pub objects: Objects,
    /// Hosts that are not public and that tenants may have media fetched from.
    pub hosts: Vec<String>,
}

/// How people may come and sign in.
#[derive(Debug, Clone)]
pub struct SignInWays {
    /// Whether mail can be sent.
    pub mail: bool,
    /// Whether codes can be texted.
    pub texts: bool,
    /// Whether anybody may found a company.
    pub sign_up: bool,
}

impl Default for SignInWays {
    fn default() -> Self {
        Self { mail: false, texts: false, sign_up: true }
    }
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".into(),
            jwt_keys: Vec::new(),
            subscribers: None,
            carrier_hosts: Vec::new(),
            sandbox_url: None,
            ai: None,
            tools: None,

            submit_per_second: 10_000,
            submit_burst: 50_000,
            calls: (2_000, 10_000),
            refused: (100, 5_000),
            tls: None,
            sign_in: SignInWays::default(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            upload_dir: std::env::temp_dir(),
            media: None,
            connections: 4096,
            unread: Duration::from_secs(30),
            patience: Duration::from_millis(50),
            fresh: Duration::from_secs(1),
        }
    }
}

/// The fields of [`App`].
pub struct Inner {
    pub(crate) store: Store,
    /// What requests read and write their tenant's rows in.
    pub(crate) transactions: Transactions,
    pub(crate) publisher: Publisher,
    pub(crate) broker: Broker,
    pub(crate) sealer: Sealer,
    pub(crate) settings: ApiSettings,
    pub(crate) auth: Auth,
    pub(crate) tenants: Tenants,
    /// Messages that tenants submit.
    pub(crate) quotas: Quotas<TenantId>,
    /// Requests of callers, by their keys.
    pub(crate) calls: Quotas<String>,
    /// Credentials that are not valid, by where they come from.
    pub(crate) refused_of: Quotas<IpAddr>,
    /// How many lines the log gets about them and others that are refused.
    pub(crate) refusals: Refusals,
    pub(crate) keys: UsedKeys,
    /// Whether what messages name is there.
    pub(crate) named: Named,
    pub(crate) singles: Singles,
    /// Whose turn it is to publish a part of a batch.
    pub(crate) turns: Arc<Turns>,
    /// Where webhooks of receipts alone are handed over.
    pub(crate) receipts: Coalescer,
    /// Where webhooks are that may hold texts of people.
    pub(crate) texts: Coalescer,
    pub(crate) directory: AccountsDirectory,
    /// What moves, for pages that show it.
    pub(crate) live: Live,
    /// Requests that are under way, by tenant.
    pub(crate) requests: Shares,
    /// Webhooks that are under way, by account, and all.
    pub(crate) webhooks_of_account: Shares,
    pub(crate) webhooks_under_way: Arc<Semaphore>,
    /// Requests of those who have not signed in, by where they come from, and all.
    pub(crate) strangers_of_peer: Shares,
    pub(crate) strangers: Arc<Semaphore>,
    /// Bytes of bodies that are arriving, by key.
    pub(crate) arriving: Shares,
    pub(crate) batches_of_key: Shares,
    pub(crate) batches_of_tenant: Shares,
    /// Files on the disk, by key.
    pub(crate) uploads: Shares,
    /// Imports and previews that are worked on, by tenant.
    pub(crate) imports: Shares,
    /// Simulations that are under way, by tenant.
    pub(crate) simulations: Shares,
    /// What speaks to carriers about numbers and templates, and such calls under way, by tenant.
    pub(crate) carriers: CarrierClients,
    pub(crate) number_calls: Shares,
    /// Trials of the assistant that are under way, by tenant.
    pub(crate) ai_trials: Shares,
    pub(crate) template_calls: Shares,
    /// What goes on after its request was answered.
    pub(crate) background: TaskTracker,
    /// Cancelled when the ingress stops: background work ends at its next step.
    pub(crate) stopping: CancellationToken,
    now: Now,
}

impl App {
    /// Puts the ingress together and starts what gathers messages into frames. Needs a runtime.
    pub fn new(parts: Parts) -> Self {
        let publisher = Publisher::new(&parts.broker, "api").minding(&FILLED);
        let background = TaskTracker::new();

        let ApiSettings { patience, fresh, connections, .. } = parts.settings;
        let part = |of: usize| (connections / of).max(1);
        let asking = Asking { fresh, patience };
        let keys = UsedKeys::new(parts.store.clone(), patience);
        let turns = Arc::new(Turns::new(parts.broker.clone()));
        let gather = |of| Coalescer::start(of, publisher.clone(), keys.clone(), &background);
        let (receipts, texts) = (gather(RECEIPTS), gather(TEXTS));
        let publishing = Publishing {
            publisher: publisher.clone(),
            keys: keys.clone(),
            turns: turns.clone(),
            tasks: background.clone(),
        };

        Self(Arc::new(Inner {
            auth: Auth::new(&parts.settings.jwt_keys, asking),
            tenants: Tenants::new(asking),
            quotas: Quotas::new(
                (parts.settings.submit_per_second, parts.settings.submit_burst),
                "the tenant submits faster than its quota",
            ),
            calls: Quotas::new(parts.settings.calls, "this key or person asks faster than it may"),
            refused_of: Quotas::new(
                parts.settings.refused,
                "too many credentials that are not valid",
            ),
            refusals: Refusals::default(),
            singles: Singles::new(publishing),
            named: Named::new(parts.store.clone(), patience, parts.settings.carrier_hosts.clone()),
            turns,
            receipts,
            texts,
            directory: AccountsDirectory::default(),
            live: Live::new(connections),
            requests: Shares::new(part(REQUESTS_PART)),
            webhooks_of_account: Shares::new(part(WEBHOOKS_PART)),
            webhooks_under_way: Arc::new(Semaphore::new(part(ALL_WEBHOOKS_PART))),
            strangers_of_peer: Shares::new(STRANGERS_OF_PEER),
            strangers: Arc::new(Semaphore::new(part(STRANGERS_PART))),
            arriving: Shares::new(ARRIVING),
            batches_of_key: Shares::new(BATCHES_OF_KEY),
            batches_of_tenant: Shares::new(BATCHES_OF_TENANT),
            uploads: Shares::new(UPLOADS_OF_KEY),
            imports: Shares::new(IMPORTS_OF_TENANT),
            simulations: Shares::new(SIMULATIONS_OF_TENANT),
            carriers: CarrierClients::new(
                parts.settings.carrier_hosts.clone(),
                parts.sealer.clone(),
            ),
            number_calls: Shares::new(NUMBER_CALLS_OF_TENANT),
            ai_trials: Shares::new(AI_TRIALS_OF_TENANT),
            template_calls: Shares::new(TEMPLATE_CALLS_OF_TENANT),
            transactions: Transactions::new(parts.store.clone()),
            stopping: CancellationToken::new(),
            store: parts.store,
            broker: parts.broker,
            sealer: parts.sealer,
            settings: parts.settings,
            now: parts.now,
            background,
            publisher,
            keys,
        }))
    }

    /// Whether the accounts of carriers are known: until then webhooks are answered 503, and the
    /// process is not ready.
    pub fn is_ready(&self) -> bool {
        self.directory.is_loaded()
    }
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// The business time of now.
    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }
}
