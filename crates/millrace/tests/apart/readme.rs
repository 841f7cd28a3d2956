//! The README's first lines, run as they stand on what the demo has left.

use std::fs;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::support::Apart;

const README: &str = include_str!("../../../../README.md");

/// How long the lines may take, on a machine that is busy with other tests.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// The lines between the fences: the first block that calls the API.
fn lines() -> anyhow::Result<&'static str> {
    let mut blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.find(|block| block.contains("curl")).context("no lines of curl")?;

    let before = README.lines().take_while(|line| !line.contains("curl")).count();
    ensure!(block.lines().count() == 6, "six lines");
    ensure!(before + 6 <= 40, "within the first screen, and not behind line {before}");
    Ok(block)
}

impl Apart {
    /// Runs the README's lines; gives the message that the last of them shows.
    pub async fn follow_readme(&self) -> anyhow::Result<Value> {
        let directory = self.with_key(".millrace")?;
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-eu", "-c", lines()?]).current_dir(directory).env("API", self.api_url());
        let run = shell.kill_on_drop(true).output();
        let run = tokio::time::timeout(PATIENCE, run).await.context("nothing was delivered")??;

        let said = String::from_utf8(run.stdout)?;
        if !run.status.success() {
            bail!("{}{said}", String::from_utf8_lossy(&run.stderr));
        }
        let last: Value = serde_json::from_str(said.lines().last().context("nothing was said")?)?;
        Ok(last["data"][0].clone())
    }

    /// A directory in which `name` holds the key, as where `make up` was called.
    fn with_key(&self, name: &str) -> anyhow::Result<std::path::PathBuf> {
        let directory = self.scratch().join("readme");
        fs::create_dir_all(directory.join(name))?;
        fs::write(directory.join(name).join("api-key"), self.key())?;
        Ok(directory)
    }
}
