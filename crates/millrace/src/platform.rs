//! The platform as it is run for real: NATS, Postgres, and processes for each part, which the
//! benchmark measures and chaos kills.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres, start_nats_cluster},
    keys::Keys,
    nats_access::NatsAccess,
    ports,
    shutdown::LIFELINE,
};
use domain::ids::TenantId;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pipeline::{
    access::ProcessKind, broker::Broker, consumers::ConsumerSettings, streams::StreamSettings,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use stage::StageName;
use store::{
    Role, Store,
    settings::{
        api_keys::{self, KeyRole},
        tenants::{self, Tenant},
    },
};
use tokio::process::{Child, ChildStdin, Command};

use crate::{admin, demo::client::HttpCaller};

/// Where a platform that is measured or killed keeps its data, below the working directory.
pub const WORK_DIR: &str = ".millrace";

/// How long the processes may take to answer.
const START: Duration = Duration::from_secs(30);

/// How long a process may take to end once it is asked to, and a moment.
const DRAIN: Duration = Duration::from_secs(32);

/// Noon in New York, on a Wednesday: an hour at which nobody is in quiet hours.
pub const OPEN_HOUR: &str = "2026-06-10T16:00:00Z";

/// Which processes are run, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Processes of each stage.
    pub each: usize,
    /// Processes of throttle and of send.
    pub throttle_and_send: usize,
    /// The consumers' `ack_wait`.
    pub ack_wait: Duration,
    /// NATS servers; more than one form a cluster.
    pub servers: usize,
    /// How large the streams are, and how many servers have each.
    pub streams: StreamSettings,
    /// Further settings of every process, by the names of their variables.
    pub settings: Vec<(&'static str, String)>,
}

impl Default for Plan {
    fn default() -> Self {
        let ack_wait = ConsumerSettings::default().ack_wait;
        let streams = StreamSettings::default();
        Self { each: 1, throttle_and_send: 1, ack_wait, servers: 1, streams, settings: Vec::new() }
    }
}

/// Everything that runs. Dropping it kills what still runs.
pub struct Platform {
    /// Where the servers keep their data, and the keys are.
    pub dir: PathBuf,
    /// The broker's address; those of all servers of a cluster.
    pub nats_url: String,
    /// Credentials of each kind of process there.
    access: NatsAccess,
    /// A caller of the simulator's control calls.
    pub sandbox: HttpCaller,
    /// Where carriers' requests go.
    pub sandbox_url: String,
    /// The api's address.
    pub api_url: String,
    /// The broker's servers, to kill and restart.
    pub nats: Vec<Nats>,
    /// The database's server, to kill and restart.
    pub postgres: Postgres,
    /// The processes: the sandbox, the api, and the stages.
    pub parts: Vec<Part>,
    /// An API key of each tenant, in their order.
    keys: Vec<SecretString>,
}

/// One process, which can be killed and started again.
pub struct Part {
    /// `sandbox`, `api`, or the stage's name.
    pub name: &'static str,
    command: Command,
    child: Option<Child>,
    /// The process stops when this closes, so none outlives us.
    lifeline: Option<ChildStdin>,
}

/// What the carrier says at the end.
pub struct Truth {
    /// Texts it accepted.
    pub accepted: usize,
    /// References that it accepted more than once.
    pub duplicates: usize,
}

// === impl Plan ===

impl Plan {
    /// Processes of a stage.
    fn of(&self, stage: StageName) -> usize {
        match stage {
            StageName::Throttle | StageName::Send => self.throttle_and_send,
            _ => self.each,
        }
    }
}

// === impl Platform ===

impl Platform {
    /// Starts everything under a directory.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(dir: &Path, plan: &Plan) -> anyhow::Result<Self> {
        let options = EmbeddedOptions::default();
        let nats = match plan.servers {
            0 | 1 => vec![Nats::start(dir, &options).await?],
            servers => start_nats_cluster(dir, servers, &options).await?,
        };
        let postgres = Postgres::start(dir, &options).await?;

        let urls: Vec<String> = nats.iter().map(Nats::url).collect();
        let nats_url = urls.join(",");
        let access = nats[0].access().clone();
        store::core::migrate::migrate(postgres.database_url().expose_secret()).await?;
        let operator = access.credentials(ProcessKind::Operator);
        let broker = Broker::connect(&nats_url, Some(&operator), "platform").await?;
        let consumers = admin::consumers_of(plan.ack_wait);
        admin::apply_to_own(&broker, &plan.streams, &consumers).await?;
        for name in ["master-key", "jwt-secret"] {
            Keys::load_or_create(&dir.join(name))?;
        }

        let (sandbox, api) = (ports::free_loopback()?, ports::free_loopback()?);
        let sandbox_url = format!("http://{sandbox}");
        let mut platform = Self {
            dir: dir.to_owned(),
            nats_url,
            access,
            sandbox: HttpCaller::new(&sandbox_url, None)?,
            sandbox_url,
            api_url: format!("http://{api}"),
            nats,
            postgres,
            parts: Vec::new(),
            keys: Vec::new(),
        };

        platform.add(dir, plan, ProcessKind::Sandbox, Some(sandbox))?;
        platform.add(dir, plan, ProcessKind::Api, Some(api))?;
        for stage in StageName::ALL {
            for _ in 0..plan.of(*stage) {
                platform.add(dir, plan, ProcessKind::Stage(*stage), None)?;
            }
        }
        platform.wait().await?;
        Ok(platform)
    }

    /// Starts one process; `listen` is for one that others call.
    fn add(
        &mut self,
        dir: &Path,
        plan: &Plan,
        kind: ProcessKind,
        listen: Option<SocketAddr>,
    ) -> anyhow::Result<()> {
        let mut command = Command::new(std::env::current_exe()?);
        let (name, is_stage) = (kind.as_str(), matches!(kind, ProcessKind::Stage(_)));

        command
            .args(is_stage.then_some("stage"))
            .arg(name)
            .env("NATS_URL", &self.nats_url)
            .env("NATS_CREDS", self.access.credentials(kind))
            .env("NATS_SUBSCRIBER_KEY_FILE", self.access.subscriber_key())
            .env("DATABASE_URL", self.postgres.database_url().expose_secret())
            .env("MILLRACE_MASTER_KEY_FILE", dir.join("master-key"))
            .env("MILLRACE_JWT_SECRET_FILE", dir.join("jwt-secret"))
            .env("MILLRACE_SANDBOX", "1")
            .env("MILLRACE_SANDBOX_URL", &self.sandbox_url)
            .env("MILLRACE_PUBLIC_URL", &self.api_url)
            .envs(listen.map(|listen| ("MILLRACE_LISTEN", listen.to_string())))
            .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
            .env("MILLRACE_ACK_WAIT", plan.ack_wait.as_secs().to_string())
            .env("RUST_LOG", "warn")
            .envs(plan.settings.iter().map(|(name, value)| (name, value)))
            .env(LIFELINE, "1")
            .stdin(Stdio::piped())
            .kill_on_drop(true);

        let mut part = Part { name, command, child: None, lifeline: None };
        part.start()?;
        self.parts.push(part);
        Ok(())
    }

    /// Starts so many more processes of a stage.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn start_more(
        &mut self,
        plan: &Plan,
        stage: StageName,
        processes: usize,
    ) -> anyhow::Result<()> {
        let dir = self.dir.clone();
        for _ in 0..processes {
            self.add(&dir, plan, ProcessKind::Stage(stage), None)?;
        }
        Ok(())
    }

    /// A look at the broker, as the operator; `name` is what the server's own tools show.
    ///
    /// # Errors
    /// It is away.
    pub async fn broker(&self, name: &str) -> anyhow::Result<Broker> {
        let operator = self.access.credentials(ProcessKind::Operator);
        Ok(Broker::connect(&self.nats_url, Some(&operator), name).await?)
    }

    /// Makes so many tenants, each with an API key.
    ///
    /// # Errors
    /// The database is away.
    pub async fn make_tenants(&mut self, count: usize) -> anyhow::Result<()> {
        let store = self.store(Role::Api).await?;
        let now = boot::clock::machine_now();
        for index in 0..count {
            let tenant = tenant(index)?;
            tenants::create(&store, &Tenant::named(&tenant, "bench"), now).await?;
            let role = KeyRole::Admin;
            self.keys.push(api_keys::create(&store, &tenant, "bench", role, now).await?);
        }
        Ok(())
    }

    /// A look into the database, as this role.
    ///
    /// # Errors
    /// It is away.
    pub async fn store(&self, role: Role) -> anyhow::Result<Store> {
        Ok(Store::connect(self.postgres.database_url().expose_secret(), role, 2).await?)
    }

    /// How many tenants there are.
    pub fn tenants(&self) -> usize {
        self.keys.len()
    }

    /// A caller of the api as this tenant.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn client(&self, tenant: usize) -> anyhow::Result<HttpCaller> {
        HttpCaller::new(&self.api_url, Some(self.key(tenant).clone()))
    }

    /// The API key of this tenant.
    pub fn key(&self, tenant: usize) -> &SecretString {
        &self.keys[tenant % self.keys.len()]
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

    /// Ends every process and both servers.
    pub async fn stop(mut self) {
        for part in &mut self.parts {
            part.kill().await;
        }
        self.postgres.stop().await;
        for server in self.nats {
            server.stop().await;
        }
    }

    /// The processes that have ended, though nobody told them to, with how.
    pub fn stopped(&mut self) -> Vec<String> {
        let ended = |part: &mut Part| {
            let status = part.child.as_mut()?.try_wait().ok()??;
            Some(format!("{} ({status})", part.name))
        };
        self.parts.iter_mut().filter_map(ended).collect()
    }

    /// Starts again what has ended by itself, as an orchestrator does: a process that begins while
    /// a server restarts says so and ends.
    ///
    /// # Errors
    /// A process cannot be started.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        for part in &mut self.parts {
            let ended =
                part.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(Some(_))));
            if ended {
                part.start()?;
            }
        }
        Ok(())
    }

    /// Waits until api and carrier answer.
    ///
    /// # Errors
    /// One of them does not in half a minute.
    pub async fn wait(&self) -> anyhow::Result<()> {
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

/// The key of one of the tenants.
///
/// # Errors
/// More tenants than a key can tell apart.
pub fn tenant(index: usize) -> anyhow::Result<TenantId> {
    Ok(format!("bench-{index:02}").parse()?)
}

// === impl Part ===

impl Part {
    /// Starts it, or starts it again.
    ///
    /// # Errors
    /// The program cannot be run.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let started = self.command.spawn();
        let mut child = started.with_context(|| format!("starting {}", self.name))?;
        self.lifeline = child.stdin.take();
        self.child = Some(child);
        Ok(())
    }

    /// Kills it, so that it cannot finish anything.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error says that it has ended already.
            let _ = child.kill().await;
        }
    }

    /// Asks it to finish what is under way, and waits until it has ended.
    ///
    /// # Errors
    /// It does not end in time, or says that it could not.
    pub async fn drain(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = child.id().context("a running process")?;
        kill(Pid::from_raw(pid.try_into()?), Signal::SIGTERM)?;
        let ended = tokio::time::timeout(DRAIN, child.wait()).await;
        let status = ended.with_context(|| format!("{} does not end", self.name))??;
        if !status.success() {
            bail!("{} ended with {status}", self.name);
        }
        Ok(())
    }

    /// Its process id; none while it is not running.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }
}
