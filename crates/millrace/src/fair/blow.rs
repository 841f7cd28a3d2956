//! Blows: processes that are killed or frozen meanwhile, and what they hold then.

use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use stage::StageName;
use tokio::time::sleep;

use crate::{cli, platform::Platform};

/// How much longer than `ack_wait` a stage is frozen, and by how much more or less than that a dead
/// or frozen process may hold a message.
const ROUND: Duration = Duration::from_secs(2);

/// A while in which processes were dead or frozen.
#[derive(Debug, Clone, Copy)]
pub struct Blow {
    begun_at: Timestamp,
    ended_at: Timestamp,
    /// How long what such a process held waits until another one gets it.
    ack_wait: Duration,
}

impl Blow {
    /// Kills a `send` and freezes a `throttle`, each for a while, in the middle of the codes.
    ///
    /// # Errors
    /// A process is not there, or does not start again.
    pub async fn strike(platform: &mut Platform, args: &cli::Fair) -> anyhow::Result<Self> {
        sleep(Duration::from_secs(args.seconds / 4)).await;
        let index = |platform: &Platform, stage: StageName| {
            platform.parts.iter().position(|part| part.name == stage.as_str()).context("a process")
        };

        println!("kill -9 send, freeze throttle");
        let begun_at = boot::clock::machine_now();
        let send = index(platform, StageName::Send)?;
        platform.parts[send].kill().await;
        let throttle = index(platform, StageName::Throttle)?;
        let pid = platform.parts[throttle].pid().context("a running process")?;
        let pid = Pid::from_raw(pid.try_into()?);
        kill(pid, Signal::SIGSTOP)?;

        sleep(Duration::from_secs(1)).await;
        platform.parts[send].start()?;
        let ack_wait = Duration::from_secs(args.ack_wait);
        sleep(ack_wait + ROUND).await;
        kill(pid, Signal::SIGCONT)?;
        Ok(Self { begun_at, ended_at: boot::clock::machine_now(), ack_wait })
    }

    /// Whether processes were dead or frozen at an instant, or what they held had not come again.
    pub fn affects(&self, at: Timestamp) -> bool {
        let from = self.begun_at.saturating_sub(ROUND).unwrap_or(Timestamp::MIN);
        let until = self.ended_at.saturating_add(ROUND).unwrap_or(Timestamp::MAX);
        (from..=until).contains(&at)
    }

    /// Whether a message that was requested then and took so long was held.
    pub fn held(&self, begun_at: Timestamp, took: Duration) -> bool {
        self.affects(begun_at) && took >= self.ack_wait.saturating_sub(ROUND)
    }

    /// The longest that a message may be held.
    pub fn bound(&self) -> Duration {
        self.ack_wait + ROUND
    }
}
