//! What is done to the platform, and when: drawn from a seed, so that a run can be repeated.

use std::time::{Duration, Instant};

use anyhow::Context;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{cli, platform::Platform};

/// How long a killed process stays away, at most: what an orchestrator takes to start it again.
const AWAY: Duration = Duration::from_millis(1_500);

/// The longest pause between two blows.
const LULL: Duration = Duration::from_millis(3_500);

/// How much longer than `ack_wait` a stage is frozen.
const FROZEN_FOR_LONGER: Duration = Duration::from_secs(2);

/// Draws blows and strikes.
pub struct Storm {
    dice: Dice,
    kills: usize,
    ack_wait: Duration,
}

/// What is done to the platform at once.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// `kill -9` of one of our processes, by its index among the platform's parts.
    Part(usize),
    /// `kill -9` of the broker.
    Broker,
    /// The database is shut down and started again.
    Database,
    /// One of our processes, by its index, is stopped for longer than its messages stay its own,
    /// then goes on.
    Freeze(usize),
}

// === impl Storm ===

impl Storm {
    /// As many kills as asked for, one of the broker, one of the database, one freeze.
    pub fn new(seed: u64, args: &cli::Chaos) -> Self {
        let ack_wait = Duration::from_secs(args.ack_wait);
        Self { dice: Dice(seed), kills: args.kills, ack_wait }
    }

    /// Strikes until the plan is done; what was struck runs again after each blow.
    ///
    /// # Errors
    /// Something cannot be started again.
    pub async fn rage(mut self, platform: &mut Platform) -> anyhow::Result<()> {
        let begun = Instant::now();
        for blow in self.plan(platform) {
            tokio::time::sleep(self.dice.up_to(LULL)).await;
            println!("{:>6.1} s  {}", begun.elapsed().as_secs_f64(), blow.says(platform));
            self.strike(blow, platform).await?;
        }
        Ok(())
    }

    /// Every kind of process at least once, the sandbox never: it is the world, not the platform.
    fn plan(&mut self, platform: &Platform) -> Vec<Blow> {
        let name = |index: usize| platform.parts[index].name;
        let parts: Vec<usize> =
            (0..platform.parts.len()).filter(|&index| name(index) != "sandbox").collect();

        let mut kinds: Vec<&str> = parts.iter().map(|&index| name(index)).collect();
        kinds.dedup();
        let mut blows: Vec<Blow> = kinds
            .iter()
            .filter_map(|kind| parts.iter().find(|&&index| name(index) == *kind))
            .map(|&index| Blow::Part(index))
            .collect();
        while blows.len() < self.kills {
            blows.push(Blow::Part(parts[self.dice.below(parts.len())]));
        }

        let sends: Vec<usize> =
            parts.iter().copied().filter(|&index| name(index) == "send").collect();
        blows.push(Blow::Freeze(sends[self.dice.below(sends.len())]));
        blows.extend([Blow::Broker, Blow::Database]);

        for end in (1..blows.len()).rev() {
            blows.swap(end, self.dice.below(end + 1));
        }
        blows
    }

    async fn strike(&mut self, blow: Blow, platform: &mut Platform) -> anyhow::Result<()> {
        platform.start_again()?;

        match blow {
            Blow::Part(index) => {
                platform.parts[index].kill().await;
                tokio::time::sleep(self.dice.up_to(AWAY)).await;
                platform.parts[index].start()?;
            }
            Blow::Broker => {
                let nats = &mut platform.nats[0];
                nats.signal(Signal::SIGKILL);
                nats.exited().await;
                tokio::time::sleep(self.dice.up_to(AWAY)).await;
                nats.restart().await?;
            }

            Blow::Database => platform.postgres.restart().await?,
            Blow::Freeze(index) => {
                let pid = platform.parts[index].pid().context("a running process")?;
                let pid = Pid::from_raw(pid.try_into()?);
                kill(pid, Signal::SIGSTOP)?;
                tokio::time::sleep(self.ack_wait + FROZEN_FOR_LONGER).await;
                kill(pid, Signal::SIGCONT)?;
            }
        }
        Ok(())
    }
}

impl Blow {
    fn says(self, platform: &Platform) -> String {
        match self {
            Self::Part(index) => format!("kill -9 {}", platform.parts[index].name),
            Self::Broker => "kill -9 nats".to_owned(),
            Self::Database => "restart postgres".to_owned(),
            Self::Freeze(index) => format!("freeze {}", platform.parts[index].name),
        }
    }
}

/// A small generator (SplitMix64): the same seed gives the same plan on every machine.
struct Dice(u64);

impl Dice {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.draw() % end as u64) as usize
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        longest.mul_f64((self.draw() >> 11) as f64 / (1_u64 << 53) as f64)
    }
}
