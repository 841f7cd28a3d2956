//! The platform as it is run for real: one NATS, one Postgres, and a process for each part.

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres},
    keys::Keys,
};
use domain::ids::TenantId;
use pipeline::{StageName, broker::Broker};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use store::{
    Role, Store,
    keys::{self, KeyKind, KeyRole},
    tenants::Tenant,
};
use tokio::process::{Child, Command};

use super::usage::Group;
use crate::{admin, demo::client::Client};

/// How long the processes may take to answer.
const START: Duration = Duration::from_secs(30);

/// Everything that runs.
pub struct Platform {
    /// The broker's address.
    pub nats_url: String,
    /// The simulator.
    pub sandbox: Client,
    /// Where carriers' requests go.
    pub sandbox_url: String,
    /// The api's address.
    pub api_url: String,
    keys: Vec<SecretString>,
    nats: Nats,
    postgres: Postgres,
    sandbox_process: Child,
    api: Child,
    stages: Vec<Child>,
}

/// What the carrier says at the end.
pub struct Truth {
    /// Texts it accepted.
    pub accepted: usize,
    /// References that it accepted more than once.
    pub duplicates: usize,
}

impl Platform {
    /// Starts everything under a directory.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        let options = EmbeddedOptions::default();
        let nats = Nats::start(dir, &options).await?;
        let postgres = Postgres::start(dir, &options).await?;
        let database = postgres.database_url().expose_secret().to_owned();
        let nats_url = nats.url().expose_secret().to_owned();
        store::migrate::migrate(&database).await?;
        admin::apply(&Broker::connect(&nats_url, None, "bench").await?).await?;
        for name in ["master-key", "jwt-secret"] {
            Keys::load_or_create(&dir.join(name))?;
        }
        let (sandbox, api) = (free_address()?, free_address()?);
        let spawn = |words: &[&str], listen: SocketAddr| -> anyhow::Result<Child> {
            let mut command = Command::new(std::env::current_exe()?);
            command
                .args(words)
                .env("NATS_URL", &nats_url)
                .env("DATABASE_URL", &database)
                .env("MILLRACE_MASTER_KEY_FILE", dir.join("master-key"))
                .env("MILLRACE_JWT_SECRET_FILE", dir.join("jwt-secret"))
                .env("MILLRACE_SANDBOX", "1")
                .env("MILLRACE_ALLOW_CARRIER_HOSTS", sandbox.to_string())
                .env("MILLRACE_PUBLIC_URL", format!("http://{api}"))
                .env("MILLRACE_LISTEN", listen.to_string())
                .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
                .env("RUST_LOG", "warn")
                .stdin(Stdio::null())
                .kill_on_drop(true);
            command.spawn().context("starting a process of the platform")
        };
        let sandbox_process = spawn(&["sandbox"], sandbox)?;
        let api_process = spawn(&["api"], api)?;
        let stage = |name: &StageName| spawn(&["stage", name.as_str()], free_address()?);
        let stages = StageName::ALL.iter().map(stage).collect::<anyhow::Result<Vec<_>>>()?;
        let sandbox_url = format!("http://{sandbox}");
        let platform = Self {
            nats_url,
            sandbox: Client::new(&sandbox_url, None)?,
            sandbox_url,
            api_url: format!("http://{api}"),
            keys: Vec::new(),
            nats,
            postgres,
            sandbox_process,
            api: api_process,
            stages,
        };
        platform.wait().await?;
        Ok(platform)
    }

    /// Makes the tenants, each with an API key.
    ///
    /// # Errors
    /// The database is away.
    pub async fn make_tenants(&mut self, count: usize) -> anyhow::Result<()> {
        let url = self.postgres.database_url().expose_secret();
        let store = Store::connect(url, Role::Api, 2).await?;
        let now = boot::clock::machine_now();
        for at in 0..count {
            let tenant: TenantId = format!("bench-{at:02}").parse()?;
            store::tenants::create(&store, &Tenant::named(&tenant, "bench"), now).await?;
            let (role, kind) = (KeyRole::Admin, KeyKind::Test);
            self.keys.push(keys::create(&store, &tenant, "bench", role, kind, now).await?);
        }
        Ok(())
    }

    /// How many tenants there are.
    pub fn tenants(&self) -> usize {
        self.keys.len()
    }

    /// A caller of the api as this tenant.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn client(&self, tenant: usize) -> anyhow::Result<Client> {
        let key = &self.keys[tenant % self.keys.len()];
        Client::new(&self.api_url, Some(key.clone()))
    }

    /// The processes by group.
    pub fn groups(&self) -> Vec<Group> {
        let pid = |child: &Child| child.id().unwrap_or_default();
        vec![
            Group { name: "api", roots: vec![pid(&self.api)] },
            Group { name: "stages", roots: self.stages.iter().map(pid).collect() },
            Group { name: "nats", roots: vec![self.nats.pid()] },
            Group { name: "postgres", roots: vec![self.postgres.pid()] },
            Group { name: "sandbox", roots: vec![pid(&self.sandbox_process)] },
        ]
    }

    /// What the carrier counted.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn sandbox_stats(&self) -> anyhow::Result<Truth> {
        let stats = self.sandbox.get("/sandbox/stats").await?;
        let number = |name: &str| stats[name].as_u64().map(|n| n as usize);
        Ok(Truth {
            accepted: number("accepted").context("stats: accepted")?,
            duplicates: number("duplicates").context("stats: duplicates")?,
        })
    }

    /// The carrier's ledger.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn ledger(&self) -> anyhow::Result<Vec<Value>> {
        let lines = self.sandbox.get_text("/sandbox/ledger").await?;
        Ok(lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// Ends everything.
    pub async fn stop(mut self) {
        for child in self.stages.iter_mut().chain([&mut self.api, &mut self.sandbox_process]) {
            let _ = child.kill().await;
        }
        self.postgres.stop().await;
        self.nats.stop().await;
    }

    async fn wait(&self) -> anyhow::Result<()> {
        for url in [&self.sandbox_url, &self.api_url] {
            let client = carriers::http::client()?;
            let begun = std::time::Instant::now();
            while client.get(format!("{url}/healthz")).send().await.is_err() {
                if begun.elapsed() > START {
                    bail!("{url} does not answer");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
