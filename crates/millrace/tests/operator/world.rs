//! A private NATS and Postgres, and the built binary with settings for them.

use std::{
    net::SocketAddr,
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use boot::ports;
use pipeline::Broker;
use testkit::{Database, TestBroker};
use tokio::process::{Child, Command};
use wire::stream::Stream;

/// How long anything may take, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The master key of this world.
pub const MASTER_KEY: [u8; 32] = [7; 32];

/// How a command ended, and what it printed.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub struct World {
    pub database: Database,
    pub broker: TestBroker,
    pub nats: Broker,
    /// Where an api listens, once there is one.
    pub api: SocketAddr,
}

impl World {
    pub async fn begin() -> anyhow::Result<Self> {
        let (broker, database) = tokio::try_join!(TestBroker::start(), Database::start())?;
        let nats = broker.connect().await?;
        Ok(Self { database, broker, nats, api: ports::free_loopback()? })
    }

    /// Runs the binary to its end.
    pub async fn millrace(&self, words: &[&str]) -> anyhow::Result<Ended> {
        self.millrace_with(words, &[]).await
    }

    /// The same with some settings of its own.
    pub async fn millrace_with(
        &self,
        words: &[&str],
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Ended> {
        let mut command = self.command(words);
        command.envs(settings.iter().copied());
        let output = tokio::time::timeout(PATIENCE, command.output());
        Ok(output.await.context("it does not end")??.into())
    }

    /// Starts an api and waits until it answers.
    pub async fn start_api(&self, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
        let mut command = self.command(&["api"]);
        command.envs(settings.iter().copied());
        let api = command.spawn()?;
        let client = carriers::http::client()?;
        let answers = async {
            while client.get(format!("http://{}/openapi.json", self.api)).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, answers).await.context("the api does not answer")?;
        Ok(api)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        // As small as the streams of tests are.
        let sizes = Stream::ALL.map(|stream| format!("{}=64MiB", stream.name()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
        command
            .args(words)
            .env("NATS_URL", self.broker.url())
            .env("NATS_CREDS", self.broker.access().credentials_for(words))
            .env("DATABASE_URL", self.database.url())
            .env("MILLRACE_MASTER_KEY", STANDARD.encode(MASTER_KEY))
            .env("MILLRACE_JWT_SECRET", STANDARD.encode([8; 32]))
            .env("MILLRACE_STREAM_SIZES", sizes.join(","))
            .env("MILLRACE_LISTEN", self.api.to_string())
            .env("MILLRACE_PUBLIC_URL", format!("http://{}", self.api))
            .env("MILLRACE_HEALTH_LISTEN", "127.0.0.1:0")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

impl Ended {
    /// The lines that begin with this.
    pub fn lines<'a>(&'a self, start: &'a str) -> Vec<&'a str> {
        self.stdout.lines().filter(|line| line.starts_with(start)).collect()
    }

    /// Fails unless a line begins and goes on like this.
    pub fn says(&self, start: &str, inside: &str) {
        let found = self.lines(start).iter().any(|line| line.contains(inside));
        assert!(found, "no `{start}` with `{inside}` in\n{}{}", self.stdout, self.stderr);
    }
}
