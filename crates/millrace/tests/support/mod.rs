//! A platform of separate processes on private servers, as an operator would run it.

pub mod subscriber;

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use boot::{
    embedded::{EmbeddedOptions, Nats, Postgres, Scratch},
    keys::Keys,
    ports,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pipeline::{access::ProcessKind, credentials};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use stage::StageName;
use testkit::with_schema;
use tokio::process::{Child, Command};

/// How long a process may take to be ready, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(60);

/// A running platform. Dropping it kills what still runs.
pub struct Apart {
    processes: Vec<(String, Child)>,
    /// Settings beside those that every platform of tests has.
    settings: &'static [(&'static str, &'static str)],
    api: SocketAddr,
    sandbox: SocketAddr,
    /// Where the sandbox takes mail, once it is up.
    smtp: Option<String>,
    /// Where the sandbox answers for its health.
    health: SocketAddr,
    key: String,
    nats: Nats,
    postgres: Postgres,
    scratch: Scratch,
}

impl Apart {
    /// Starts an api, a sandbox, and `each` processes of each stage; waits until they answer.
    pub async fn start(each: usize) -> anyhow::Result<Self> {
        Self::start_with(each, &[]).await
    }

    /// The same with settings of its own.
    pub async fn start_with(
        each: usize,
        settings: &'static [(&'static str, &'static str)],
    ) -> anyhow::Result<Self> {
        let scratch = Scratch::new()?;
        let nats = Nats::start(scratch.path(), &EmbeddedOptions::for_tests()).await?;
        let postgres = Postgres::start(scratch.path(), &with_schema().await?).await?;
        for name in ["master-key", "jwt-secret"] {
            Keys::load_or_create(&scratch.path().join(name))?;
        }

        let (api, sandbox) = (ports::free_loopback()?, ports::free_loopback()?);
        let health = ports::free_loopback()?;

        let mut this = Self {
            processes: Vec::new(),
            settings,
            api,
            sandbox,
            smtp: None,
            health,
            key: String::new(),
            nats,
            postgres,
            scratch,
        };

        this.tool(&["migrate"]).await?;
        this.tool(&["streams", "apply"]).await?;
        this.tool(&["tenant", "create", "demo"]).await?;
        this.key = this.tool(&["token", "create", "--tenant", "demo"]).await?.trim().to_owned();

        this.spawn(&["sandbox", "--health-listen", &health.to_string()], Some(sandbox))?;
        // A sandbox answers for its health once it is up.
        this.wait(&format!("http://{health}/healthz")).await?;
        let mail = this.call(Method::GET, sandbox, "/sandbox/mail", None).await?;
        this.smtp = Some(format!("smtp://{}", mail["smtp"].as_str().context("an address")?));
        this.start_processes(each).await?;
        Ok(this)
    }

    /// Starts the api and `each` processes of each stage; waits until the api answers. Nobody has
    /// named where carriers reach the platform: the api says it, and send, which tells carriers,
    /// starts once it has.
    pub async fn start_processes(&mut self, each: usize) -> anyhow::Result<()> {
        self.spawn(&["api"], Some(self.api))?;
        let (send, others): (Vec<_>, Vec<_>) =
            StageName::ALL.iter().copied().partition(|stage| *stage == StageName::Send);
        self.spawn_stages(&others, each)?;
        self.wait(&format!("http://{}/v1/me", self.api)).await?;
        self.spawn_stages(&send, each)
    }

    fn spawn_stages(&mut self, stages: &[StageName], each: usize) -> anyhow::Result<()> {
        for stage in stages {
            for _ in 0..each {
                self.spawn(&["stage", stage.as_str()], None)?;
            }
        }
        Ok(())
    }

    /// The broker's address.
    pub fn nats_url(&self) -> String {
        self.nats.url()
    }

    /// The operator's credentials at the broker.
    pub fn nats_creds(&self) -> PathBuf {
        self.nats.creds()
    }

    /// The api's address, as a URL.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// Where everything answers, as `millrace up` writes it down.
    pub fn endpoints(&self) -> Value {
        json!({
            "api": self.api_url(),
            "sandbox": format!("http://{}", self.sandbox),
            "health": format!("http://{}", self.health),
            "nats": self.nats_url(),
            "nats_credentials": self.nats_creds(),
            "database": self.postgres.database_url().expose_secret(),
        })
    }

    /// The key of the tenant's administrator.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where the platform keeps its files.
    pub fn scratch(&self) -> &std::path::Path {
        self.scratch.path()
    }

    /// Where processes write their log, unless they say nothing but what is wrong.
    pub fn logs(&self) -> std::path::PathBuf {
        self.scratch.path().join("logs")
    }

    /// How many processes run.
    pub fn processes(&self) -> usize {
        self.processes.len()
    }

    /// What nobody but the platform may know.
    pub fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let password = |url: &str| {
            let (_, rest) = url.split_once("://")?;
            let (user, _) = rest.split_once('@')?;
            Some(user.split_once(':').map_or(user, |(_, password)| password).to_owned())
        };

        let mut secrets = vec![self.key.clone()];
        let url = self.postgres.database_url().expose_secret();
        secrets.push(password(url).context("a URL with a password")?);
        for kind in ProcessKind::all() {
            let file = std::fs::read_to_string(self.nats.access().credentials(kind))?;
            let seed = credentials::seed_of(&file).context("a seed")?;
            secrets.push(seed.expose_secret().to_owned());
        }
        let signer = std::fs::read_to_string(self.nats.access().subscriber_key())?;
        secrets.push(signer.split_whitespace().last().context("a seed")?.to_owned());
        for name in ["master-key", "jwt-secret"] {
            let keys = std::fs::read_to_string(self.scratch.path().join(name))?;
            secrets.extend(keys.split_whitespace().map(str::to_owned));
        }
        ensure!(secrets.iter().all(|secret| secret.len() >= 16), "secrets are long");
        Ok(secrets)
    }

    /// One column of words out of the database.
    pub async fn words(&self, sql: &'static str) -> anyhow::Result<Vec<String>> {
        let url = self.postgres.superuser_url().expose_secret();
        let mut connection = PgConnection::connect(url).await?;
        Ok(sqlx::query_scalar(sql).fetch_all(&mut connection).await?)
    }

    /// One number out of the database.
    pub async fn count(&self, sql: &'static str) -> anyhow::Result<i64> {
        let url = self.postgres.superuser_url().expose_secret();
        let mut connection = PgConnection::connect(url).await?;
        Ok(sqlx::query_scalar(sql).fetch_one(&mut connection).await?)
    }

    /// Runs the demo to its end.
    pub async fn demo(&self) -> anyhow::Result<Output> {
        let key = self.scratch.path().join("api-key");
        std::fs::write(&key, &self.key)?;
        let (api, sandbox) = (format!("http://{}", self.api), format!("http://{}", self.sandbox));

        let mut command = self.command(&["demo", "--api", &api, "--sandbox", &sandbox]);
        Ok(command.arg("--key-file").arg(key).output().await?)
    }

    /// GET of the api's JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, self.api, path, None).await
    }

    /// POST to the api, as JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, self.api, path, Some(("application/json", body.to_string()))).await
    }

    /// POST to the api under an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
        let request = carriers::http::client()?.post(format!("http://{}{path}", self.api));
        let request = request.bearer_auth(&self.key).header("Idempotency-Key", key).json(body);
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// PUT to the api, as JSON.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PUT, self.api, path, Some(("application/json", body.to_string()))).await
    }

    /// Imports contacts and waits until that is done.
    pub async fn import(&self, csv: String) -> anyhow::Result<Value> {
        let body = Some(("text/csv", csv));
        let started = self.call(Method::POST, self.api, "/v1/contacts/import", body).await?;
        let path = format!("/v1/imports/{}", started["id"].as_str().context("id")?);

        let done = async {
            loop {
                let import = self.get(&path).await?;
                if import["state"] == "completed" {
                    return anyhow::Ok(import);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(START, done).await.context("the import did not end")?
    }

    /// A control call of the sandbox.
    pub async fn sandbox(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = Some(("application/json", body.to_string()));
        self.call(method, self.sandbox, path, body).await
    }

    /// Registers a number at the carrier, with the address of our webhook.
    pub async fn register(&self, account: &str, number: &str) -> anyhow::Result<String> {
        let digits: String = account.bytes().map(|byte| format!("{byte:02x}")).collect();
        let sid = format!("AC{digits:0>32}");
        let path = format!("/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json");
        let webhook = format!("http://{}/webhooks/twilio/{account}/inbound", self.api);

        let form = [("PhoneNumber", number), ("SmsUrl", &webhook), ("SmsMethod", "POST")];
        let request = carriers::http::client()?.post(format!("http://{}{path}", self.sandbox));
        let request = request.basic_auth(&sid, Some("sandbox-token")).form(&form);
        request.send().await?.error_for_status()?;

        let body = json!({
            "account": account, "carrier": "twilio", "carrier_sid": sid,
            "auth_token": "sandbox-token", "base_url": format!("http://{}", self.sandbox),
        });
        self.post("/v1/carrier-accounts", &body).await?;
        Ok(sid)
    }

    /// A pool of new senders with these numbers, each on an account of its own and with this pace;
    /// gives the ids of both.
    pub async fn pool(&self, numbers: &[&str], pace: u32) -> anyhow::Result<(Value, Vec<Value>)> {
        let mut senders = Vec::new();
        for (n, number) in numbers.iter().enumerate() {
            let account = format!("account{n}");
            self.register(&account, number).await?;
            let sender = json!({
                "account": account, "number": number, "country": "US", "pace": pace,
                "active_since": "2026-01-01T00:00:00Z", "daily_cap": 100_000,
                "time_zone": "America/New_York",
            });
            senders.push(self.post("/v1/senders", &sender).await?["id"].clone());
        }

        let pool = json!({ "name": "all", "senders": senders });
        Ok((self.post("/v1/pools", &pool).await?["id"].clone(), senders))
    }

    /// Every text that the carrier has accepted.
    pub async fn carrier(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("http://{}/sandbox/ledger", self.sandbox);
        let ledger = carriers::http::client()?.get(url).send().await?.text().await?;
        Ok(ledger.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    async fn call(
        &self,
        method: Method,
        server: SocketAddr,
        path: &str,
        body: Option<(&str, String)>,
    ) -> anyhow::Result<Value> {
        let url = format!("http://{server}{path}");
        let mut request = carriers::http::client()?.request(method, url);
        if server == self.api {
            request = request.bearer_auth(&self.key);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }

        let answer = request.send().await?;
        let (status, bytes) = (answer.status(), answer.bytes().await?);
        ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        Ok(if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? })
    }

    /// The id of the one campaign there is.
    pub async fn only_campaign(&self) -> anyhow::Result<String> {
        let campaigns = self.get("/v1/campaigns").await?;
        let campaigns = campaigns["data"].as_array().context("data")?;
        ensure!(campaigns.len() == 1, "one campaign");
        Ok(campaigns[0]["id"].as_str().context("id")?.to_owned())
    }

    /// Texts somebody by the public API, under this trace; gives what the carrier wrote down of it.
    pub async fn traced_text(&self, trace: &str) -> anyhow::Result<Value> {
        let senders = self.get("/v1/senders").await?;
        let body = json!({
            "to": "+12125550188", "class": "transactional", "body": "Your code is 417",
            "from": senders["data"][0]["number"],
        });

        let request = carriers::http::client()?.post(format!("http://{}/v1/messages", self.api));
        let request = request.bearer_auth(&self.key).header("traceparent", trace).json(&body);
        let answer = request.send().await?.error_for_status()?;
        let accepted: Value = serde_json::from_slice(&answer.bytes().await?)?;

        let found = async {
            loop {
                if let Some(line) = self.carrier_line(&accepted["id"]).await? {
                    return anyhow::Ok(line);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(START, found).await.context("the text never came to the carrier")?
    }

    /// Asks for what is not there, under this request id.
    pub async fn asks_in_vain(&self, request_id: &str) -> anyhow::Result<()> {
        let request = carriers::http::client()?.get(format!("http://{}/v1/brands/1", self.api));
        let request = request.bearer_auth(&self.key).header("x-request-id", request_id);
        ensure!(request.send().await?.status().is_client_error(), "there is no such brand");
        Ok(())
    }

    async fn carrier_line(&self, reference: &Value) -> anyhow::Result<Option<Value>> {
        let texts = self.carrier().await?;
        Ok(texts.into_iter().find(|text| text["reference"] == *reference))
    }

    /// Ends every process with SIGTERM and waits: each must drain and end well by itself.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.end_within(START).await?;
        self.stop_servers().await
    }

    /// Ends every process with SIGTERM: each must end well by itself within this time.
    pub async fn end_within(&mut self, limit: Duration) -> anyhow::Result<()> {
        for (name, process) in &self.processes {
            let pid = process.id().with_context(|| format!("{name} ended by itself"))?;
            kill(Pid::from_raw(pid.try_into()?), Signal::SIGTERM)?;
        }

        let end = tokio::time::Instant::now() + limit;
        for (name, mut process) in self.processes.drain(..) {
            let ended = tokio::time::timeout_at(end, process.wait()).await;
            let status = ended.with_context(|| format!("{name} did not end in time"))??;
            ensure!(status.success(), "{name} ended with {status}");
        }
        Ok(())
    }

    /// The processes of this name, which the platform ends no more; they are killed when dropped.
    pub fn take(&mut self, name: &str) -> Vec<Child> {
        let (taken, left) = self.processes.drain(..).partition(|(of, _)| of == name);
        self.processes = left;
        let taken: Vec<(String, Child)> = taken;
        taken.into_iter().map(|(_, process)| process).collect()
    }

    /// Sends the broker a signal.
    pub fn signal_broker(&self, signal: Signal) {
        self.nats.signal(signal);
    }

    /// Starts the broker again on the same data.
    pub async fn restart_broker(&mut self) -> anyhow::Result<()> {
        Ok(self.nats.restart().await?)
    }

    /// Sends the database a signal, with the processes that serve its connections.
    pub fn signal_database(&self, signal: Signal) -> anyhow::Result<()> {
        let server = self.postgres.pid();
        let path = format!("/proc/{server}/task/{server}/children");
        for child in std::fs::read_to_string(path)?.split_whitespace() {
            // One that has ended meanwhile needs no signal.
            let _ = kill(Pid::from_raw(child.parse()?), signal);
        }
        self.postgres.signal(signal);
        Ok(())
    }

    /// Stops the servers once no process uses them.
    pub async fn stop_servers(self) -> anyhow::Result<()> {
        self.postgres.stop().await;
        self.nats.stop().await;
        Ok(())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command.args(words);
        self.configure(&mut command);
        command.env("NATS_CREDS", self.nats.access().credentials_for(words));
        command
    }

    /// Gives a program the settings that every process of this platform has.
    pub fn configure(&self, program: &mut Command) {
        let scratch = self.scratch.path();
        program
            .env("NATS_URL", self.nats_url())
            .env("NATS_CREDS", self.nats_creds())
            .env("NATS_SUBSCRIBER_KEY_FILE", self.nats.access().subscriber_key())
            .env("DATABASE_URL", self.postgres.database_url().expose_secret())
            .env("MILLRACE_MASTER_KEY_FILE", scratch.join("master-key"))
            .env("MILLRACE_JWT_SECRET_FILE", scratch.join("jwt-secret"))
            .env("MILLRACE_MEDIA_URL", format!("file://{}", scratch.join("media").display()))
            .env("MILLRACE_SANDBOX", "1")
            .env("MILLRACE_SANDBOX_URL", format!("http://{}", self.sandbox))
            .env("MILLRACE_ALLOW_TOOL_HOSTS", self.sandbox.to_string())
            .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
            .env("ANTHROPIC_API_KEY", "sandbox")
            .env("ANTHROPIC_BASE_URL", format!("http://{}", self.sandbox))
            .env("RUST_LOG", "warn")
            .envs(self.smtp.iter().map(|url| ("MILLRACE_SMTP_URL", url)))
            .envs(self.smtp.iter().map(|_| ("MILLRACE_MAIL_FROM", "codes@millrace.example")))
            .envs(self.settings.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true);
    }

    fn spawn(&mut self, words: &[&str], listen: Option<SocketAddr>) -> anyhow::Result<()> {
        let mut command = self.command(words);
        command.envs(listen.map(|listen| ("MILLRACE_LISTEN", listen.to_string())));
        let name = words.iter().find(|word| **word != "stage").copied().unwrap_or_default();
        let name = name.to_owned();
        if self.settings.iter().any(|(name, _)| *name == "RUST_LOG") {
            std::fs::create_dir_all(self.logs())?;
            let log = self.logs().join(format!("{}-{name}", self.processes.len()));
            command.stderr(std::fs::File::create(log)?);
        }
        self.processes.push((name, command.spawn()?));
        Ok(())
    }

    /// Runs `millrace` with these words to its end; says what it printed.
    pub async fn tool(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.command(words).output().await?;
        if !output.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    async fn wait(&self, url: &str) -> anyhow::Result<()> {
        let client = carriers::http::client()?;
        let answers = async {
            while client.get(url).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };

        tokio::time::timeout(START, answers).await.with_context(|| format!("{url} does not answer"))
    }
}
