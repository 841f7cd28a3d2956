//! Message templates that carrier accounts keep: read at the carrier every hour, and changed by
//! what carriers tell of them by themselves. What cannot be read changes nothing.

mod news;

use std::{sync::Arc, time::Duration};

use carriers::{CarrierTemplateError, Clients};
use domain::carrier_template::KeptTemplate;
use futures::future::join_all;
use stage::{
    Cx, Fault, Source, StageName, Tick,
    machine::{self, backoff},
};
use store::{
    Store,
    core::seal::Sealer,
    settings::carrier_templates::{self, DueSync, TemplatesReadAt},
};

pub(crate) use news::tell;

/// How many accounts one tick reads: their lists have some MiB each at most.
const AT_MOST: i64 = 8;

/// The wait after the first read that failed; each later one is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The source that reads accounts' templates. Any number of processes may run it.
pub struct TemplateReader {
    store: Store,
    clients: Clients,
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
        Self { store, clients: Clients::new(http, allow_hosts, request_timeout, open) }
    }

    /// Reads the templates of an account; none where they cannot be read.
    async fn read(&self, due: DueSync) -> (DueSync, Option<Vec<KeptTemplate>>) {
        let listed = match self.clients.of(&due.access) {
            Ok(client) => client.templates().await,
            Err(fault) => {
                let account = &due.account;
                tracing::warn!(%account, %fault, "an account's templates cannot be read");
                return (due, None);
            }
        };
        let told = match &listed {
            Ok(_) => "read",
            Err(CarrierTemplateError::Throttled { .. }) => "throttled",
            Err(CarrierTemplateError::Refused { .. } | CarrierTemplateError::NotOffered) => {
                "refused"
            }
            Err(CarrierTemplateError::TooMany(_)) => "too_many",
            Err(CarrierTemplateError::Unavailable(_) | CarrierTemplateError::NoConnection) => {
                "unavailable"
            }
        };
        metrics::counter!("millrace_template_lists_total", "outcome" => told).increment(1);
        (due, listed.ok())
    }
}

impl Source for TemplateReader {
    const NAME: StageName = StageName::Reconcile;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let due = carrier_templates::lease(&self.store, cx.machine, AT_MOST).await?;
        let more = due.len() as i64 == AT_MOST;

        // ask
        let read = join_all(due.into_iter().map(|due| self.read(due))).await;

        // record, account by account
        for (due, listed) in read {
            let mut tx = self.store.scoped([&due.tenant]).await?;
            let (tenant, account) = (&due.tenant, due.account.as_str());
            match listed {
                Some(listed) => {
                    let at = TemplatesReadAt { now: cx.now, begun_at: cx.machine };
                    carrier_templates::record(&mut tx, tenant, account, &listed, &at).await?;
                }
                None => {
                    let tries = u32::from(due.tries.unsigned_abs()) + 1;
                    let next = cx.machine + backoff(tries, FIRST, LONGEST, machine::chance());
                    carrier_templates::fail(&mut tx, tenant, account, next).await?;
                }
            }
            tx.commit().await.map_err(store::fault)?;
        }
        Ok(Tick { more, ..Tick::default() })
    }
}
