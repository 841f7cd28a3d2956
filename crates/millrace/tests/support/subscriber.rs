//! A subscriber in Python with the stock client, nats-py.

use std::{path::Path, process::Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// The running script; ends with it.
pub struct Subscriber {
    _process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Subscriber {
    /// Starts it and waits until it has subscribed.
    pub async fn start(nats_url: &str, creds: &Path, tenant: &str) -> anyhow::Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/subscriber.py");
        let mut process = Command::new(boot::tools::python().context("run scripts/setup --tests")?)
            .args([script, nats_url, tenant])
            .arg(creds)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;

        let stdout = process.stdout.take().context("stdout")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = lines.next_line().await?.context("the subscriber ended")?;
        ensure!(ready.contains("ready"), "{ready}");
        Ok(Self { _process: process, lines })
    }

    /// The next totals of this subject.
    pub async fn next(&mut self, subject: &str) -> anyhow::Result<Value> {
        loop {
            let line = self.lines.next_line().await?.context("the subscriber ended")?;
            let value: Value = serde_json::from_str(&line)?;
            if value["subject"] == subject {
                return Ok(value);
            }
        }
    }
}
