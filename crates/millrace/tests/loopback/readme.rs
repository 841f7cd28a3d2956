//! The README's first lines, run as they stand beside what `millrace up` has written down.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::Command;

const README: &str = include_str!("../../../../README.md");

/// How long they may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the first lines that call the API where `up` keeps its data in `.millrace`, its api being
/// at this address; gives the message that the last of them shows.
pub async fn follow(home: &Path, api: &str) -> anyhow::Result<Value> {
    let blocks = README.split("```sh\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let lines = blocks.find(|block| block.contains("curl")).context("no lines in the README")?;

    let mut shell = Command::new("sh");
    shell.args(["-eux", "-c", lines]).current_dir(home).env("API", api).kill_on_drop(true);
    let output =
        tokio::time::timeout(PATIENCE, shell.output()).await.context("they do not end")??;
    let (said, traced) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{traced}\n{said}");

    let last: Value = serde_json::from_str(said.lines().last().context("nothing was said")?)?;
    Ok(last["data"][0].clone())
}
