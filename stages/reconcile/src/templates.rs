//! Message templates that carrier accounts keep: read at the carrier every hour, and changed by
//! what carriers tell of them by themselves. What cannot be read changes nothing.

mod news;

use std::{sync::Arc, time::Duration};

use carriers::{CarrierTemplateError, Clients};
use domain::carrier_template::KeptTemplate;
use futures::{StreamExt, stream};
use stage::{
    Cx, Fault, Source, StageName, Tick,
    machine::{self, backoff},
};
use store::{
    Store,
    core::seal::Sealer,
    settings::carrier_templates::{self, DueSync, TemplatesReadAt},
};
use tokio::time::{Instant, timeout};

pub(crate) use news::tell;

/// How many accounts one tick takes.
const ACCOUNTS: i64 = 32;

/// How many of them are read at once: their lists have some MiB each at most.
const AT_ONCE: usize = 8;

/// How long the list of one account may take. All that a tick takes is read, eight after eight,
/// before its lease of ten minutes ends.
const LONGEST_LIST: Duration = Duration::from_secs(2 * 60);

/// The wait after the first read that failed; each later one is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The source that reads accounts' templates. Any number of processes may run it.
pub struct TemplateReader {
    store: Store,
    clients: Clients,
    longest_list: Duration,
}

impl TemplateReader {
    /// Reads for this store. `http` is [`carriers::http::client`], `sealer` opens the accounts'
    /// secrets, `allow_hosts` are hosts besides the carriers' own that accounts may name.
    pub fn new(
        store: Store,
        sealer: Sealer,
        http: reqwest::Client,
        allow_hosts: Vec<String>,
        request_timeout: Duration,
    ) -> Self {
        let open = Arc::new(move |sealed: &str| sealer.open_secret(sealed));
        let clients = Clients::new(http, allow_hosts, request_timeout, open);
        Self { store, clients, longest_list: LONGEST_LIST }
    }

    /// The same, with another limit for the list of an account; it is two minutes.
    #[must_use]
    pub fn with_longest_list(self, longest_list: Duration) -> Self {
        Self { longest_list, ..self }
    }

    /// Reads the templates of an account; none where they cannot be read, or not in time.
    async fn read(&self, due: DueSync) -> (DueSync, Option<Vec<KeptTemplate>>) {
        let listed = match self.clients.of(&due.access) {
            Ok(client) => timeout(self.longest_list, client.templates()).await,
            Err(fault) => {
                let account = &due.account;
                tracing::warn!(%account, %fault, "an account's templates cannot be read");
                return (due, None);
            }
        };
        let told = match &listed {
            Ok(Ok(_)) => "read",
            Ok(Err(CarrierTemplateError::Throttled { .. })) => "throttled",
            Ok(Err(CarrierTemplateError::Refused { .. } | CarrierTemplateError::NotOffered)) => {
                "refused"
            }
            Ok(Err(CarrierTemplateError::TooMany(_))) => "too_many",
            Ok(Err(CarrierTemplateError::Unavailable(_) | CarrierTemplateError::NoConnection)) => {
                "unavailable"
            }
            Err(_elapsed) => "too_slow",
        };
        metrics::counter!("millrace_template_lists_total", "outcome" => told).increment(1);
        (due, listed.ok().and_then(Result::ok))
    }

    /// Records what an account's carrier lists, or when it is asked again. `begun` is when this
    /// process began the tick.
    async fn record(
        &self,
        cx: &Cx,
        begun: Instant,
        due: &DueSync,
        listed: Option<Vec<KeptTemplate>>,
    ) -> Result<(), Fault> {
        let mut tx = self.store.scoped([&due.tenant]).await?;
        let (tenant, account) = (&due.tenant, due.account.as_str());
        match listed {
            Some(listed) => {
                let at = TemplatesReadAt { now: cx.now, begun_at: cx.machine };
                carrier_templates::record(&mut tx, tenant, account, &listed, &at).await?;
            }
            None => {
                let tries = u32::from(due.tries.unsigned_abs()) + 1;
                let wait = backoff(tries, FIRST, LONGEST, machine::chance());
                let next = cx.machine + begun.elapsed() + wait;
                carrier_templates::fail(&mut tx, tenant, account, next).await?;
            }
        }
        tx.commit().await.map_err(store::fault)
    }
}

impl Source for TemplateReader {
    const NAME: StageName = StageName::Reconcile;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let begun = Instant::now();
        let due = carrier_templates::lease(&self.store, cx.machine, ACCOUNTS).await?;
        let more = due.len() as i64 == ACCOUNTS;

        // ask several at once, and record each as it has answered: none waits for a slower one
        let reads = due.into_iter().map(|due| self.read(due));
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some((due, listed)) = reads.next().await {
            self.record(cx, begun, &due, listed).await?;
        }
        Ok(Tick { more, ..Tick::default() })
    }
}
