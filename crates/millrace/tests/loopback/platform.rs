//! `millrace up` on private servers, and callers of its API.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use boot::embedded::Scratch;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// How long anything may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running platform.
pub struct Platform {
    up: Child,
    scratch: Scratch,
    endpoints: Value,
}

/// A tenant's administrator.
pub struct Caller {
    api: String,
    key: String,
}

impl Platform {
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same with settings of its own.
    pub async fn start_with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let scratch = Scratch::new()?;
        let up = up(&scratch, settings)?;
        let mut this = Self { up, scratch, endpoints: Value::Null };
        this.has_started().await?;
        Ok(this)
    }

    /// Ends it, and starts it again on the same data while another program has the port of its
    /// sandbox: the listener, at which nobody is to call.
    pub async fn restart_without_its_port(
        &mut self,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<TcpListener> {
        let before = self.endpoint("sandbox")?;
        self.end().await?;
        let taken = TcpListener::bind(before.trim_start_matches("http://"))?;
        taken.set_nonblocking(true)?;

        self.up = up(&self.scratch, settings)?;
        self.has_started().await?;
        ensure!(self.endpoint("sandbox")? != before, "two programs listen on {before}");
        Ok(taken)
    }

    /// Waits until it says where everything answers.
    async fn has_started(&mut self) -> anyhow::Result<()> {
        let file = self.data().join("endpoints.json");
        let written = async {
            loop {
                if let Some(endpoints) =
                    fs::read(&file).ok().and_then(|it| serde_json::from_slice(&it).ok())
                {
                    return endpoints;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        self.endpoints =
            tokio::time::timeout(PATIENCE, written).await.context("up did not start")?;
        Ok(())
    }

    /// The directory in which it was called; it keeps its data in `.millrace` there.
    pub fn home(&self) -> &Path {
        self.scratch.path()
    }

    fn data(&self) -> PathBuf {
        data_in(&self.scratch)
    }

    /// Runs `millrace` with these words to its end; says what it printed.
    pub async fn tool(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.with_servers(words)?.output().await?;
        if !output.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Sets an account of the platform's up; says its handle.
    pub async fn account_create(&self, words: &[&str], url: &str) -> anyhow::Result<String> {
        let secret = self.scratch.path().join("secret");
        fs::write(&secret, super::SECRET)?;
        let secret = secret.to_str().context("a path")?;
        let given = ["--base-url", url, "--token-file", secret];
        self.tool(&[&["account", "create"], words, &given].concat()).await
    }

    /// A tenant, made if it is not there.
    pub async fn tenant(&self, key: &str) -> anyhow::Result<Caller> {
        self.tool(&["tenant", "create", key]).await?;
        let api_key = self.tool(&["token", "create", "--tenant", key]).await?;
        Ok(Caller { api: self.endpoint("api")?, key: api_key })
    }

    /// A control call of the sandbox; says what it answers.
    pub async fn sandbox(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/sandbox/{path}", self.endpoint("sandbox")?);
        let request = carriers::http::client()?.request(method, url).json(body);
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?).unwrap_or_default())
    }

    /// Every text that the sandbox has taken.
    pub async fn ledger(&self) -> anyhow::Result<Vec<Value>> {
        let url = format!("{}/sandbox/ledger", self.endpoint("sandbox")?);
        let lines = carriers::http::client()?.get(url).send().await?.text().await?;
        Ok(lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    /// Posts a webhook until its account is known, as a carrier does; says the status.
    pub async fn webhook(&self, path: &str, signature: &str, body: &str) -> anyhow::Result<u16> {
        let url = format!("{}{path}", self.endpoint("api")?);
        let client = carriers::http::client()?;
        let answered = async {
            loop {
                let request = client.post(&url).header("content-type", "application/json");
                let request = request.header("x-loopback-signature", signature);
                let status = request.body(body.to_owned()).send().await?.status().as_u16();
                if status != 404 {
                    return anyhow::Ok(status);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answered).await.context("the account never became known")?
    }

    /// Ends it with SIGTERM and waits: it must end well by itself, and take the file away that says
    /// where it answered.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.end().await
    }

    async fn end(&mut self) -> anyhow::Result<()> {
        let health = format!("{}/healthz", self.endpoint("health")?);
        carriers::http::client()?.get(health).send().await?.error_for_status()?;
        let pid = self.up.id().context("it ended by itself")?;
        kill(Pid::from_raw(pid.try_into()?), Signal::SIGTERM)?;
        let status = tokio::time::timeout(PATIENCE, self.up.wait()).await.context("it stays")??;
        ensure!(status.success(), "it ended with {status}");

        let file = self.data().join("endpoints.json");
        ensure!(!file.exists(), "it answers no more, and says where");
        Ok(())
    }

    /// What its metrics say once every address of its document was asked, with and without success.
    pub async fn metrics(&self) -> anyhow::Result<String> {
        let (api, health) = (self.endpoint("api")?, self.endpoint("health")?);
        let caller = self.tenant("demo").await?;
        let client = carriers::http::client()?;
        let document = client.get(format!("{api}/openapi.json")).send().await?.bytes().await?;
        let document: Value = serde_json::from_slice(&document)?;

        let mut asked = 0;
        for (path, item) in document["paths"].as_object().context("paths")? {
            let path = path.replace("{id}", "0198f1d2-0000-7000-8000-0000000000ff");
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                if item.get(method.as_str().to_lowercase()).is_none() {
                    continue;
                }
                for query in ["", "?nope=1"] {
                    let url = format!("{api}{path}{query}");
                    let request = client.request(method.clone(), url).bearer_auth(&caller.key);
                    request.send().await?;
                    asked += 1;
                }
            }
        }

        ensure!(asked > 150, "{asked} requests");
        let metrics = client.get(format!("{health}/metrics")).send().await?.error_for_status()?;
        Ok(metrics.text().await?)
    }

    /// Where a part of it answers, as `up` says.
    pub fn endpoint(&self, name: &str) -> anyhow::Result<String> {
        self.endpoints[name].as_str().map(str::to_owned).context("an endpoint")
    }

    fn with_servers(&self, words: &[&str]) -> anyhow::Result<Command> {
        let mut command = command(words);
        command
            .env("DATABASE_URL_FILE", self.data().join("database-url"))
            .env("MILLRACE_ALLOW_CARRIER_HOSTS", "127.0.0.1")
            .env("MILLRACE_MASTER_KEY_FILE", self.data().join("master-key"));
        Ok(command)
    }
}

impl Drop for Platform {
    /// A test that fails leaves no servers behind either: they end with the process, if it may.
    fn drop(&mut self) {
        let Some(pid) = self.up.id().and_then(|pid| pid.try_into().ok()) else { return };
        if kill(Pid::from_raw(pid), Signal::SIGTERM).is_ok() {
            while self.up.try_wait().is_ok_and(|ended| ended.is_none()) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// `millrace up` with its data in this directory.
fn up(scratch: &Scratch, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
    let up = command(&["up", "--data-dir"])
        .arg(data_in(scratch))
        .env("MILLRACE_LISTEN", "127.0.0.1:0")
        .env("MILLRACE_ALLOW_CARRIER_HOSTS", "127.0.0.1")
        .envs(settings.iter().copied())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(up)
}

fn data_in(scratch: &Scratch) -> PathBuf {
    scratch.path().join(".millrace")
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(words).env("RUST_LOG", "warn").stdin(Stdio::null());
    command
}

impl Caller {
    /// The same caller at a platform that has started again.
    pub fn at(&self, platform: &Platform) -> anyhow::Result<Self> {
        Ok(Self { api: platform.endpoint("api")?, key: self.key.clone() })
    }

    /// Makes a pool of the tenant's first sender.
    pub async fn pool(&self) -> anyhow::Result<()> {
        let senders = self.call(Method::GET, "/v1/senders", None).await?;
        let body = json!({ "name": "all", "senders": [senders["data"][0]["id"]] });
        self.call(Method::POST, "/v1/pools", Some(&body)).await.map(drop)
    }

    /// Sets a sender up on one of the tenant's accounts.
    pub async fn sender(&self, account: &str, number: &str) -> anyhow::Result<()> {
        let body = json!({
            "account": account, "number": number, "pace": 50, "active_since": "2026-01-01T00:00:00Z",
        });
        self.call(Method::POST, "/v1/senders", Some(&body)).await.map(drop)
    }

    /// Texts a person; says the message's id.
    pub async fn text(&self, from: &str, to: &str) -> anyhow::Result<String> {
        self.say(from, to, "Hi").await
    }

    /// Texts a person these words; says the message's id.
    pub async fn say(&self, from: &str, to: &str, words: &str) -> anyhow::Result<String> {
        let body = json!({ "to": to, "from": from, "class": "transactional", "body": words });
        let accepted = self.call(Method::POST, "/v1/messages", Some(&body)).await?;
        accepted["id"].as_str().map(str::to_owned).context("id")
    }

    /// The message, once it has this status.
    pub async fn until_status(&self, message: &str, status: &str) -> anyhow::Result<Value> {
        self.until(&format!("/v1/messages/{message}"), |read| read["status"] == status).await
    }

    /// Waits until a person's opt-out is recorded.
    pub async fn until_opted_out(&self, number: &str) -> anyhow::Result<()> {
        let path = "/v1/do-not-contact?cause=opted_out";
        let is_in = |read: &Value| {
            let mut entries = read["data"].as_array().into_iter().flatten();
            entries.any(|entry| entry["phone"] == number)
        };
        self.until(path, is_in).await.map(drop)
    }

    /// Waits until what is read at a path is so.
    pub async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let becomes = async {
            loop {
                // What was accepted a moment ago may not be stored yet.
                if let Ok(read) = self.call(Method::GET, path, None).await
                    && is_so(&read)
                {
                    return read;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, becomes).await {
            Ok(read) => Ok(read),
            Err(_) => bail!("{path} stays {:?}", self.call(Method::GET, path, None).await),
        }
    }

    /// A call of the api; an error where it is refused.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let request = carriers::http::client()?.request(method, format!("{}{path}", self.api));
        let mut request = request.bearer_auth(&self.key);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, bytes) = (answer.status(), answer.bytes().await?);
        ensure!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&bytes));
        Ok(serde_json::from_slice(&bytes)?)
    }
}
