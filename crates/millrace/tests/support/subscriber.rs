//! A subscriber in Python with the stock client, nats-py.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

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
    pub async fn start(nats_url: &str, tenant: &str) -> anyhow::Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/subscriber.py");
        let mut process = Command::new(python_with_nats().await?)
            .args([script, nats_url, tenant])
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

/// A Python with nats-py, made once under the target directory.
async fn python_with_nats() -> anyhow::Result<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nats-py");
    let python = home.join("bin/python");
    let run = async |program: &Path, words: &[&str]| {
        let output = Command::new(program).args(words).output().await?;
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{words:?}: {why}; run scripts/setup --tests");
        anyhow::Ok(())
    };
    if run(&python, &["-c", "import nats"]).await.is_err() {
        let system = boot::tools::python().context("python3 is missing: run scripts/setup")?;
        let place = home.to_str().context("a path in UTF-8")?;
        run(&system, &["-m", "venv", "--clear", place]).await?;
        run(&python, &["-m", "pip", "install", "--quiet", "nats-py"]).await?;
    }
    Ok(python)
}
