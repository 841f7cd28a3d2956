//! A stage as a process of its own.

use std::os::unix::process::ExitStatusExt;

use anyhow::{Context, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::process::Child;

use super::PATIENCE;

/// A running process. Dropping it kills it.
pub struct StageProcess(pub(super) Child);

impl StageProcess {
    /// Sends it a signal.
    ///
    /// # Errors
    /// It has ended by itself.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let id = self.0.id().context("it has ended by itself")?;
        Ok(kill(Pid::from_raw(id.try_into()?), signal)?)
    }

    /// Kills it, as the system does to one that takes too much memory.
    ///
    /// # Errors
    /// The system's.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.0.kill().await?)
    }

    /// Asks it to drain, and waits for its end. One that was still starting ends by the signal
    /// itself.
    ///
    /// # Errors
    /// It does not end, or says that something is wrong.
    pub async fn end(mut self) -> anyhow::Result<()> {
        if !self.has_ended()? {
            self.signal(Signal::SIGTERM)?;
        }

        let ended = tokio::time::timeout(PATIENCE, self.0.wait()).await;
        let status = ended.context("it did not drain")??;
        let by_signal = status.signal() == Some(Signal::SIGTERM as i32);
        ensure!(status.success() || by_signal, "it ended with {status}");
        Ok(())
    }

    pub(super) fn has_ended(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}
