//! The platform that a trial begins with: it has worked up to the stage and stands still. A
//! snapshot keeps the servers' files, so that every trial begins with the same.

use std::{net::SocketAddr, path::Path, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres, PreferredPorts, Scratch},
    keys::Keys,
    ports,
};
use pipeline::{
    Broker,
    consumers::{ConsumerSettings, apply_consumers},
    streams::apply_streams,
};
use sandbox::Sandbox;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use stage::StageName;
use store::{Role, Store};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::{
    super::broker::STREAMS,
    ACK_WAIT, ContractSubject, ContractWork, PATIENCE,
    look::Look,
    points::{Point, Points, proxy},
    process::StageProcess,
};

/// How long there is between two looks at what is left.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many looks in a row must find nothing left.
const LOOKS: usize = 4;

/// What every trial of a subject begins with.
pub struct Snapshot {
    /// The servers' files, and the keys.
    files: Scratch,
    /// The carrier and the AI of all trials.
    sandbox: Sandbox,
    program: &'static str,
    stage: StageName,
    /// Where the api listens while it runs.
    api: SocketAddr,
}

/// A running pair of servers.
pub struct World<'a> {
    snapshot: &'a Snapshot,
    pub(super) nats: Nats,
    pub(super) postgres: Postgres,
    dir: Scratch,
    /// The carrier of this world alone, for a stage that texts.
    sandbox: Option<Sandbox>,
}

impl Snapshot {
    /// Makes a platform that has worked up to this subject, and keeps it.
    pub(super) async fn before(subject: &impl ContractSubject) -> anyhow::Result<Self> {
        carriers::http::install_crypto();
        let sandbox = start_sandbox().await?;
        let api = ports::free_loopback()?;

        let (stage, program) = (subject.stage(), subject.program());
        let snapshot = Self { files: Scratch::new()?, sandbox, program, stage, api };
        for name in ["master-key", "jwt-secret"] {
            Keys::load_or_create(&snapshot.files.path().join(name))?;
        }

        let world = snapshot.servers(Scratch::new()?).await?;
        let broker = world.broker().await?;
        apply_streams(&broker, &STREAMS).await?;
        world.redeliver_after(ACK_WAIT).await?;
        world.tool(&["migrate"]).await?;
        subject.prepare(&world).await?;

        let World { nats, postgres, dir, .. } = world;
        nats.stop().await;
        postgres.stop().await;
        cheap_logins(dir.path()).await?;
        copy(dir.path(), &snapshot.files.path().join("servers")).await?;
        Ok(snapshot)
    }

    /// The same platform again, on a copy of its files. The carrier calls nobody, and for a stage
    /// that texts it has no texts yet.
    pub(super) async fn restore(&self) -> anyhow::Result<World<'_>> {
        let dir = Scratch::new()?;
        copy(&self.files.path().join("servers"), dir.path()).await?;
        let mut world = self.servers(dir).await?;

        if self.stage == StageName::Send {
            let own = start_sandbox().await?;
            let url = format!("http://{}", own.addr);
            let move_there = sqlx::query("update millrace.carrier_accounts set base_url = $1");
            move_there.bind(url).execute(&mut world.database().await?).await?;
            world.sandbox = Some(own);
        }

        world.carrier_faults(&json!({})).await?;
        Ok(world)
    }

    async fn servers(&self, dir: Scratch) -> anyhow::Result<World<'_>> {
        // Any ports: copies of one snapshot run side by side.
        let ports = PreferredPorts { nats: Some(0), postgres: Some(0) };
        let options = EmbeddedOptions { ports, ..EmbeddedOptions::default() };
        let nats = Nats::start(dir.path(), &options).await?;
        let postgres = Postgres::start(dir.path(), &options).await?;
        Ok(World { snapshot: self, nats, postgres, dir, sandbox: None })
    }
}

impl World<'_> {
    /// A connection to its broker.
    ///
    /// # Errors
    /// It is away.
    pub async fn broker(&self) -> anyhow::Result<Broker> {
        Ok(Broker::connect(&self.nats.url(), Some(&self.nats.creds()), "contract").await?)
    }

    /// A connection as the superuser, who sees every tenant's rows.
    ///
    /// # Errors
    /// The database is away.
    pub async fn database(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(self.postgres.superuser_url().expose_secret()).await?)
    }

    /// A store as a process of a stage would have it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn store(&self) -> anyhow::Result<Store> {
        let url = self.postgres.database_url().expose_secret();
        Ok(Store::connect(url, Role::Pipeline, 1).await?)
    }

    /// Where the carrier is.
    pub fn sandbox(&self) -> SocketAddr {
        self.sandbox.as_ref().unwrap_or(&self.snapshot.sandbox).addr
    }

    /// Where the api is, while it runs: carriers call it back.
    pub fn api(&self) -> SocketAddr {
        self.snapshot.api
    }

    /// Says what the carrier does wrong from now on. It sends no receipts: nobody is there to hear
    /// them.
    ///
    /// # Errors
    /// The sandbox knows no such fault.
    pub async fn carrier_faults(&self, faults: &Value) -> anyhow::Result<()> {
        let mut faults = faults.clone();
        faults["receipts"] = json!({ "drop": 1.0 });
        let url = format!("http://{}/sandbox/faults", self.sandbox());
        let put = carriers::http::client()?.put(url).json(&faults);
        put.send().await?.error_for_status()?;
        Ok(())
    }

    /// Sets business time, and stops it there.
    ///
    /// # Errors
    /// It would go back.
    pub async fn set_clock(&self, now: &str) -> anyhow::Result<()> {
        let broker = self.broker().await?;
        boot::clock::set_sandbox_clock(&broker.jetstream, now.parse()?, 0.0).await?;
        Ok(())
    }

    /// Lets business time run on from where it stopped.
    async fn run_clock(&self) -> anyhow::Result<()> {
        let broker = self.broker().await?;
        let stop = CancellationToken::new();
        let now = boot::clock::follow_sandbox_clock(&broker.jetstream, stop.clone()).await?.now();
        stop.cancel();
        boot::clock::set_sandbox_clock(&broker.jetstream, now, 1.0).await?;
        Ok(())
    }

    /// Changes rows, as the superuser.
    ///
    /// # Errors
    /// The database refuses it.
    pub async fn change(&self, sql: &'static str) -> anyhow::Result<u64> {
        let mut connection = self.database().await?;
        let changed = sqlx::query(sql).execute(&mut connection).await;
        Ok(changed.with_context(|| sql)?.rows_affected())
    }

    /// How long a message may stay un-acked before it comes again.
    pub(super) async fn redeliver_after(&self, ack_wait: Duration) -> anyhow::Result<()> {
        let consumers = ConsumerSettings { ack_wait, ..ConsumerSettings::default() };
        apply_consumers(&self.broker().await?, &consumers).await?;
        Ok(())
    }

    /// Lets the other stages work until no message is on its way any more.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        use StageName::{Gate, Reconcile, Schedule, Send, Throttle};
        let mut processes = Vec::new();
        for stage in [Reconcile, Schedule, Gate, Throttle, Send] {
            processes.push(self.start(stage, None).await?);
        }
        // What could not be sent at once is due a moment later.
        self.run_clock().await?;

        let mut connection = self.database().await?;
        let settled = async {
            let open = "select count(*) from millrace.messages where state < 10";
            while sqlx::query(open).fetch_one(&mut connection).await?.get::<i64, _>(0) > 0 {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        };
        let in_time = tokio::time::timeout(PATIENCE, settled).await;
        if let Err(late) = in_time {
            let rows = open_messages(&mut connection).await?;
            return Err(late).context(format!("messages stay on their way: {rows}"));
        }
        in_time??;

        for process in processes {
            process.end().await?;
        }
        Ok(())
    }

    /// The carrier's ledger.
    pub(super) async fn carrier(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("http://{}/sandbox/ledger", self.sandbox());
        let text = carriers::http::client()?.get(url).send().await?.text().await?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Starts a stage; behind proxies where its points are counted.
    ///
    /// # Errors
    /// The program does not start.
    pub async fn start(
        &self,
        stage: StageName,
        points: Option<&Arc<Points>>,
    ) -> anyhow::Result<StageProcess> {
        let mut command = self.command(&["stage", stage.as_str()]);
        if let Some(points) = points {
            let (broker, database) = (self.nats.port(), self.postgres.port());
            let calls = [Point::ToBroker, Point::FromBroker];
            let nats = proxy(broker, calls, Arc::clone(points)).await?;
            let calls = [Point::ToDatabase, Point::FromDatabase];
            let postgres = proxy(database, calls, Arc::clone(points)).await?;

            let through = |url: &str, server: u16, proxy: u16| {
                url.replace(&format!(":{server}"), &format!(":{proxy}"))
            };
            let url = self.postgres.database_url().expose_secret();
            command
                .env("NATS_URL", through(&self.nats.url(), broker, nats))
                .env("DATABASE_URL", through(url, database, postgres));
        }
        Ok(StageProcess(command.spawn()?))
    }

    /// Waits until nothing is left to do, several looks in a row. A process that ends meanwhile is
    /// started again, as an orchestrator would.
    ///
    /// # Errors
    /// It never comes to an end.
    pub async fn work(
        &self,
        stage: StageName,
        work: &ContractWork,
        process: StageProcess,
    ) -> anyhow::Result<StageProcess> {
        let mut look = self.look(stage, work).await?;
        let mut process = process;

        let done = async {
            let mut idle_looks = 0;
            while idle_looks < LOOKS {
                idle_looks = if look.left().await? == 0 { idle_looks + 1 } else { 0 };
                if idle_looks == 0 && process.has_ended()? {
                    process = self.start(stage, None).await?;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            anyhow::Ok(())
        };
        let done = tokio::time::timeout(PATIENCE, done).await;
        done.with_context(|| format!("{} never came to an end", stage.as_str()))??;
        Ok(process)
    }

    /// Something to look with, again and again, at what is still to be done.
    pub(super) async fn look<'a>(
        &self,
        stage: StageName,
        work: &'a ContractWork,
    ) -> anyhow::Result<Look<'a>> {
        Ok(match work {
            ContractWork::Frames => Look::Frames(Box::new(self.broker().await?), stage),
            ContractWork::Rows(rows) => Look::Rows(Box::new(self.database().await?), rows),
        })
    }

    /// Runs `millrace` with these words to its end; gives what it printed.
    ///
    /// # Errors
    /// It fails.
    pub async fn tool(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.command(words).stdout(Stdio::piped()).output().await?;
        if !output.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Starts the api, and waits until it answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ingress(&self) -> anyhow::Result<StageProcess> {
        let listen = self.api().to_string();
        let child = self.command(&["api"]).env("MILLRACE_LISTEN", &listen).spawn()?;

        let client = carriers::http::client()?;
        let answers = async {
            while client.get(format!("http://{listen}/v1/me")).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.context("the api does not answer")?;
        Ok(StageProcess(child))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.snapshot.program);
        let keys = self.snapshot.files.path();
        let sandbox = self.sandbox();

        command
            .args(words)
            .env("NATS_URL", self.nats.url())
            .env("NATS_CREDS", self.nats.access().credentials_for(words))
            .env("DATABASE_URL", self.postgres.database_url().expose_secret())
            .env("MILLRACE_MASTER_KEY_FILE", keys.join("master-key"))
            .env("MILLRACE_JWT_SECRET_FILE", keys.join("jwt-secret"))
            .env("MILLRACE_SANDBOX", "1")
            .env("MILLRACE_ALLOW_CARRIER_HOSTS", sandbox.to_string())
            .env("MILLRACE_PUBLIC_URL", format!("http://{}", self.api()))
            .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
            .env("MILLRACE_MEDIA_URL", format!("file://{}", keys.join("media").display()))
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

    /// Stops both servers and removes their files.
    pub(super) async fn stop(self) {
        self.nats.stop().await;
        self.postgres.stop().await;
        drop(self.dir);
    }
}

async fn start_sandbox() -> anyhow::Result<Sandbox> {
    let listen = "127.0.0.1:0".parse()?;
    Ok(sandbox::start(sandbox::SandboxConfig { listen, ..Default::default() }).await?)
}

/// Some of the messages that are still on their way, with why.
async fn open_messages(connection: &mut PgConnection) -> anyhow::Result<Value> {
    let rows = "select jsonb_agg(to_jsonb(m) - 'body' || jsonb_build_object(
                    'doubt', to_jsonb(d) - 'payload', 'parked', to_jsonb(p) - 'payload'))
                from (select * from millrace.messages where state < 10 limit 3) m
                left join millrace.doubts d using (tenant_id, message_id)
                left join millrace.parked p using (tenant_id, message_id)";
    Ok(sqlx::query(rows).fetch_one(connection).await?.get(0))
}

/// Has Postgres take passwords as they are. A login by SCRAM takes an unoptimised
/// client longer than all that it does then, and the contract starts hundreds of processes.
async fn cheap_logins(servers: &Path) -> anyhow::Result<()> {
    let mut edit = Command::new("find");
    edit.arg(servers).args(["-name", "pg_hba.conf", "-exec", "sed", "-i"]);
    edit.args(["s/scram-sha-256/password/", "{}", ";"]);
    ensure!(edit.status().await?.success(), "pg_hba.conf stays as it is");
    Ok(())
}

/// Copies a folder with its owners: Postgres takes its files only from itself.
async fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let source = from.join(".");
    let copied = Command::new("cp").arg("-a").arg(source).arg(to).output().await?;
    ensure!(copied.status.success(), "cp: {}", String::from_utf8_lossy(&copied.stderr));
    Ok(())
}
