//! Periods of the same load on one platform, one after the other: alone, and beside something that
//! may cost.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::ensure;
use boot::embedded::{Nats, Scratch};
use store::{
    Role, Store,
    statistics::{self, TableStatistics},
};

use super::{
    hop::{self, RawHop},
    load::{self, BenchWork},
    watch::Sent,
};
use crate::{
    cli,
    platform::{Plan, Platform, WORK_DIR},
};

/// A while of the load.
pub struct Period {
    name: &'static str,
    messages: usize,
    took: Duration,
    /// The machine's raw hop before and behind it.
    hop: RawHop,
    /// The tables at its end.
    tables: Vec<TableStatistics>,
}

/// A platform, and the load that goes on.
pub struct PeriodBench {
    /// The platform that is measured.
    pub platform: Platform,
    /// Its database, for a look from outside.
    pub store: Store,
    work: BenchWork,
    sent: Sent,
    reference: Nats,
    /// The raw hop behind the last period.
    hop: RawHop,
    // Dropped behind everything that keeps its files there.
    _scratch: Scratch,
}

impl PeriodBench {
    /// Starts the platform, and loads what the periods need.
    ///
    /// # Errors
    /// The platform does not start, or refuses something.
    pub async fn start(args: &cli::bench::Bench) -> anyhow::Result<Self> {
        let scratch = Scratch::under(Path::new(WORK_DIR))?;
        let reference = hop::reference_server(&scratch).await?;
        eprintln!("starting the platform, one process each ...");
        let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;
        let work = load::prepare(&mut platform, args).await?;
        let store = platform.store(Role::Owner).await?;

        let sent = Sent::start(&platform).await?;
        let hop = hop::measure(&reference, hop::MESSAGES).await?;
        Ok(Self { platform, store, work, sent, reference, hop, _scratch: scratch })
    }

    /// Submits for so long, with a backlog throughout, and waits until everything is sent.
    ///
    /// # Errors
    /// The contacts do not last, or a message is not sent.
    pub async fn period(&mut self, name: &'static str, time: Duration) -> anyhow::Result<Period> {
        self.load(name, time, false).await
    }

    /// Likewise, while one dump of the database follows the other.
    ///
    /// # Errors
    /// Likewise, or a dump fails.
    pub async fn beside_dumps(
        &mut self,
        name: &'static str,
        time: Duration,
    ) -> anyhow::Result<Period> {
        self.load(name, time, true).await
    }

    async fn load(
        &mut self,
        name: &'static str,
        time: Duration,
        with_dumps: bool,
    ) -> anyhow::Result<Period> {
        eprintln!("{name}: {} s ...", time.as_secs());
        let (begun, before) = (Instant::now(), self.sent.count());
        let Self { platform, work, sent, .. } = self;
        let load = async {
            let accepted = load::submit(platform, work, Some(time), sent).await?;
            ensure!(begun.elapsed() >= time, "the contacts did not last for {time:?}");
            sent.wait_for(accepted).await
        };
        let dumps = async {
            loop {
                if !with_dumps {
                    std::future::pending::<()>().await;
                }
                if let Err(why) = platform.postgres.dump_into_nothing().await {
                    return anyhow::Error::from(why);
                }
            }
        };
        let sent = tokio::select! {
            sent = load => sent?,
            why = dumps => return Err(why),
        };
        let took = begun.elapsed();

        let tables = statistics::tables(&self.store).await?;
        let after = hop::measure(&self.reference, hop::MESSAGES).await?;
        let hop = RawHop::mean(self.hop, after);
        self.hop = after;
        Ok(Period { name, messages: sent - before, took, hop, tables })
    }

    /// Holds what was sent against the carrier's count, ends the platform and gives the verdict.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn finish(self, passes: bool) -> anyhow::Result<ExitCode> {
        let truth = self.platform.sandbox_stats().await?;
        println!("carrier            {} accepted, {} duplicates", truth.accepted, truth.duplicates);
        let passes = passes && truth.duplicates == 0 && truth.accepted == self.sent.count();

        self.reference.stop().await;
        self.platform.stop().await;
        println!("{}", if passes { "passes" } else { "FAILS" });
        Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Period {
    /// Messages per second.
    fn rate(&self) -> f64 {
        self.messages as f64 / self.took.as_secs_f64()
    }

    /// Messages in the time of a raw hop: what of the rate is ours and not the machine's.
    fn speed(&self) -> f64 {
        self.rate() / self.hop.rate
    }

    /// How many messages were sent in it.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// How long it took.
    pub fn took(&self) -> Duration {
        self.took
    }

    /// Dead rows of a table at its end.
    pub fn dead(&self, of: &TableStatistics) -> i64 {
        let found = self.tables.iter().find(|table| table.table == of.table);
        found.map_or(0, |table| table.dead)
    }
}

/// Prints the rate of the load alone and of the other periods, each with the least share of it that
/// it must have; false where one has less.
pub fn print(alone: &Period, others: &[(&Period, f64)]) -> bool {
    println!(
        "{:<18} {:>9} {:>12} {:>10} {:>9}",
        "beside", "messages", "messages/s", "hops", "of alone"
    );
    let mut passes = true;
    for &(period, least) in [(alone, 0.0)].iter().chain(others) {
        let left = period.speed() / alone.speed();
        let is_kept = left >= least;
        passes &= is_kept;

        let (name, messages, rate) = (period.name, period.messages, period.rate());
        let (hops, share) = (1.0 / period.speed(), left * 100.0);
        print!("{name:<18} {messages:>9} {rate:>12.0} {hops:>10.1} {share:>8.0}%");
        match is_kept {
            true => println!(),
            false => println!("  FAILS: {:.0}% is the least", least * 100.0),
        }
    }
    passes
}
