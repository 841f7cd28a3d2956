//! What a stage is handed: a platform that has worked up to this stage and stands still. It is kept
//! as a snapshot of the servers' files, so that every trial begins with the same.

use std::{net::TcpListener, path::Path, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres, PreferredPorts, Scratch},
    keys::Keys,
};
use pipeline::{
    Broker, StageName,
    consumers::{CONSUMERS, ConsumerSettings, apply_consumers},
    streams::{StreamSettings, apply_streams},
};
use sandbox::Sandbox;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use tokio::process::{Child, Command};
use wire::stream::Retention;

use crate::{
    inputs,
    proxy::{Points, proxy},
};

/// How long anything may take that a trial waits for.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How long a stage may hold a message before another process gets it.
pub const ACK_WAIT: Duration = Duration::from_secs(1);

/// How often a stage's input is looked at, and how often in a row it must be empty.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: usize = 4;

/// Business time, which stands still: noon in New York.
const NOW: &str = "2026-06-10T16:00:00Z";

/// What every trial of a stage begins with.
pub struct Snapshot {
    files: Scratch,
    /// The carrier and the AI go on through all trials; each begins with an empty ledger.
    pub sandbox: Sandbox,
    api: u16,
    key: String,
}

/// A running pair of servers.
pub struct World<'a> {
    snapshot: &'a Snapshot,
    pub nats: Nats,
    pub postgres: Postgres,
    dir: Scratch,
}

/// A stage as a process. Dropping it kills it.
pub struct Process(Child);

impl Snapshot {
    /// A platform whose stages before this one have done their work.
    pub async fn before(stage: StageName) -> anyhow::Result<Self> {
        carriers::http::install_crypto();
        let listen = "127.0.0.1:0".parse()?;
        let sandbox = sandbox::start(sandbox::Config { listen, ..Default::default() }).await?;
        let api = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut snapshot = Self { files: Scratch::new()?, sandbox, api, key: String::new() };
        for name in ["master-key", "jwt-secret"] {
            Keys::load_or_create(&snapshot.files.path().join(name))?;
        }
        let world = snapshot.servers(Scratch::new()?).await?;
        let broker = world.broker().await?;
        apply_streams(&broker, &StreamSettings::default()).await?;
        let consumers = ConsumerSettings { ack_wait: ACK_WAIT, ..ConsumerSettings::default() };
        apply_consumers(&broker, &consumers).await?;
        boot::clock::set_sandbox_clock(&broker.jetstream, NOW.parse()?, 0.0).await?;
        world.tool(&["migrate"]).await?;
        world.tool(&["tenant", "create", "acme"]).await?;
        let key = world.tool(&["token", "create", "--tenant", "acme"]).await?;
        let key = key.trim().to_owned();
        let ingress = world.ingress().await?;
        let caller = inputs::Caller::new(snapshot.api, snapshot.sandbox.addr, &key)?;
        inputs::submit(&caller).await?;
        for &earlier in inputs::before(stage) {
            if earlier == StageName::Inbound {
                inputs::answer(&caller).await?;
            }
            let process = world.start(earlier, None).await?;
            world.work(earlier, process).await?.end().await?;
        }
        if stage == StageName::Inbound {
            inputs::answer(&caller).await?;
        }
        inputs::quiet(&caller).await?;
        drop(ingress);
        let World { nats, postgres, dir, .. } = world;
        nats.stop().await;
        postgres.stop().await;
        copy(dir.path(), &snapshot.files.path().join("servers")).await?;
        snapshot.key = key;
        Ok(snapshot)
    }

    /// The same platform again, on a copy of its files.
    pub async fn restore(&self) -> anyhow::Result<World<'_>> {
        let dir = Scratch::new()?;
        copy(&self.files.path().join("servers"), dir.path()).await?;
        inputs::Caller::new(self.api, self.sandbox.addr, &self.key)?.reset_carrier().await?;
        self.servers(dir).await
    }

    async fn servers(&self, dir: Scratch) -> anyhow::Result<World<'_>> {
        // Any ports: copies of one snapshot run side by side.
        let ports = PreferredPorts { nats: Some(0), postgres: Some(0) };
        let options = EmbeddedOptions { ports, ..EmbeddedOptions::default() };
        let nats = Nats::start(dir.path(), &options).await?;
        let postgres = Postgres::start(dir.path(), &options).await?;
        Ok(World { snapshot: self, nats, postgres, dir })
    }
}

impl World<'_> {
    pub async fn broker(&self) -> anyhow::Result<Broker> {
        Ok(Broker::connect(self.nats.url().expose_secret(), None, "contract").await?)
    }

    /// A look at every tenant's rows.
    pub async fn database(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(self.postgres.superuser_url().expose_secret()).await?)
    }

    /// Lets the other stages work until no message is on its way any more.
    pub async fn settle(&self) -> anyhow::Result<()> {
        use StageName::{Gate, Reconcile, Schedule, Send, Throttle};
        let mut processes = Vec::new();
        for stage in [Reconcile, Schedule, Gate, Throttle, Send] {
            processes.push(self.start(stage, None).await?);
        }
        let mut connection = self.database().await?;
        let settled = async {
            let open = "select count(*) from millrace.messages where state < 10";
            while sqlx::query(open).fetch_one(&mut connection).await?.get::<i64, _>(0) > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, settled).await.context("messages stay on their way")??;
        for process in processes {
            process.end().await?;
        }
        Ok(())
    }

    /// The carrier's ledger.
    pub async fn carrier(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("http://{}/sandbox/ledger", self.snapshot.sandbox.addr);
        let text = carriers::http::client()?.get(url).send().await?.text().await?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Starts a stage, behind proxies where its points are counted.
    pub async fn start(
        &self,
        stage: StageName,
        points: Option<&Arc<Points>>,
    ) -> anyhow::Result<Process> {
        let mut command = self.command(&["stage", stage.as_str()]);
        if let Some(points) = points {
            let nats = proxy(self.nats.port(), Arc::clone(points)).await?;
            let postgres = proxy(self.postgres.port(), Arc::clone(points)).await?;
            let other =
                |url: &str, from: u16, to: u16| url.replace(&format!(":{from}"), &format!(":{to}"));
            let database = self.postgres.database_url().expose_secret();
            command
                .env("NATS_URL", other(self.nats.url().expose_secret(), self.nats.port(), nats))
                .env("DATABASE_URL", other(database, self.postgres.port(), postgres));
        }
        Ok(Process(command.spawn()?))
    }

    /// Waits until a stage has nothing to read and nothing un-acked, several looks in a row. A
    /// process that ends meanwhile is started again, as an orchestrator would.
    pub async fn work(&self, stage: StageName, process: Process) -> anyhow::Result<Process> {
        let broker = self.broker().await?;
        let mut process = process;
        let work = async {
            let mut looks = 0;
            while looks < LOOKS {
                looks = if left(&broker, stage).await? == 0 { looks + 1 } else { 0 };
                if looks == 0 && process.0.try_wait()?.is_some() {
                    process = self.start(stage, None).await?;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };
        let done = tokio::time::timeout(PATIENCE, work).await;
        done.with_context(|| format!("{} never came to an end", stage.as_str()))??;
        Ok(process)
    }

    async fn ingress(&self) -> anyhow::Result<Process> {
        let listen = format!("127.0.0.1:{}", self.snapshot.api);
        let child = self.command(&["api"]).env("MILLRACE_LISTEN", &listen).spawn()?;
        let client = carriers::http::client()?;
        let answers = async {
            while client.get(format!("http://{listen}/v1/me")).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.context("the api does not answer")?;
        Ok(Process(child))
    }

    async fn tool(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.command(words).stdout(Stdio::piped()).output().await?;
        if !output.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        let keys = self.snapshot.files.path();
        let sandbox = self.snapshot.sandbox.addr;
        command
            .args(words)
            .env("NATS_URL", self.nats.url().expose_secret())
            .env("DATABASE_URL", self.postgres.database_url().expose_secret())
            .env("MILLRACE_MASTER_KEY_FILE", keys.join("master-key"))
            .env("MILLRACE_JWT_SECRET_FILE", keys.join("jwt-secret"))
            .env("MILLRACE_SANDBOX", "1")
            .env("MILLRACE_ALLOW_CARRIER_HOSTS", sandbox.to_string())
            .env("MILLRACE_PUBLIC_URL", format!("http://127.0.0.1:{}", self.snapshot.api))
            .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
            .env("MILLRACE_ACK_WAIT", ACK_WAIT.as_secs().to_string())
            .env("MILLRACE_REQUEST_TIMEOUT", "1")
            .env("MILLRACE_LIST_LAG", "0.1")
            .env("ANTHROPIC_API_KEY", "sandbox")
            .env("ANTHROPIC_BASE_URL", format!("http://{sandbox}"))
            .env("RUST_LOG", "off")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    pub async fn stop(self) {
        self.nats.stop().await;
        self.postgres.stop().await;
        drop(self.dir);
    }
}

impl Process {
    /// Its process id.
    pub fn pid(&self) -> anyhow::Result<nix::unistd::Pid> {
        let pid = self.0.id().context("it has ended by itself")?;
        Ok(nix::unistd::Pid::from_raw(pid.try_into()?))
    }

    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.0.kill().await?)
    }

    /// Drains it. One that was still starting ends by the signal itself.
    pub async fn end(mut self) -> anyhow::Result<()> {
        use std::os::unix::process::ExitStatusExt;
        if self.0.try_wait()?.is_none() {
            nix::sys::signal::kill(self.pid()?, nix::sys::signal::Signal::SIGTERM)?;
        }
        let ended = tokio::time::timeout(PATIENCE, self.0.wait()).await;
        let status = ended.context("it did not drain")??;
        let by_signal = status.signal() == Some(nix::sys::signal::Signal::SIGTERM as i32);
        ensure!(status.success() || by_signal, "it ended with {status}");
        Ok(())
    }
}

/// Frames that a stage has not read or not acknowledged. What is acknowledged leaves a work queue;
/// of other streams the consumer says how far it is.
async fn left(broker: &Broker, stage: StageName) -> anyhow::Result<u64> {
    let mut left = 0;
    for spec in CONSUMERS.iter().filter(|spec| spec.stage == stage) {
        let stream = broker.api.get_stream(spec.stream.name()).await?;
        let state = stream.get_info().await?.state;
        let info = stream.consumer_info(spec.name).await?;
        left += match spec.stream.retention() {
            Retention::WorkQueue => state.messages,
            Retention::Limits(_) | Retention::LastValue => {
                let begun = info.delivered.stream_sequence > 0 || state.messages == 0;
                info.num_pending + info.num_ack_pending as u64 + u64::from(!begun)
            }
        };
    }
    Ok(left)
}

/// Copies a folder with its owners: Postgres takes its files only from itself.
async fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let source = from.join(".");
    let copied = Command::new("cp").arg("-a").arg(source).arg(to).output().await?;
    ensure!(copied.status.success(), "cp: {}", String::from_utf8_lossy(&copied.stderr));
    Ok(())
}

/// The body of a call to the sandbox that takes receipts away: nobody is there to hear them.
pub fn without_receipts() -> Value {
    json!({ "receipts": { "drop": 1.0 } })
}
