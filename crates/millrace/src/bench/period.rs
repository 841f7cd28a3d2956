//! Periods of the same load on one platform, one after the other: alone, and beside something that
//! may cost.

use std::{
    collections::BTreeMap,
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
    load::{self, BatchSpan, BenchWork},
    posts::{self, PostSpan, Posted},
    usage,
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
    /// CPU seconds of each kind of process meanwhile.
    cpu: BTreeMap<&'static str, f64>,
    /// The machine's raw hop before and behind it.
    hop: RawHop,
    /// The tables at its end.
    tables: Vec<TableStatistics>,
}

/// What was seen of a while of the load when all of it was sent.
struct Loaded {
    messages: usize,
    took: Duration,
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
    /// Starts the platform, and loads so many contacts, which the periods need.
    ///
    /// # Errors
    /// The platform does not start, or refuses something.
    pub async fn start(args: &cli::bench::Bench, contacts: usize) -> anyhow::Result<Self> {
        let scratch = Scratch::under(Path::new(WORK_DIR))?;
        let reference = hop::reference_server(&scratch).await?;
        eprintln!("starting the platform, one process each ...");
        let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;
        let work = load::prepare(&mut platform, args, contacts).await?;
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
        let cpu = self.cpu();
        let loaded = self.batches(name, time).await?;
        self.close(name, loaded, &cpu).await
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
        let cpu = self.cpu();
        let dumps = async {
            loop {
                if let Err(why) = self.platform.postgres.dump_into_nothing().await {
                    return anyhow::Error::from(why);
                }
            }
        };
        let loaded = tokio::select! {
            loaded = self.batches(name, time) => loaded?,
            why = dumps => return Err(why),
        };
        self.close(name, loaded, &cpu).await
    }

    /// Likewise, until nothing is left to do for the last message: the next period begins at rest.
    ///
    /// # Errors
    /// Likewise.
    pub async fn whole_period(
        &mut self,
        name: &'static str,
        time: Duration,
    ) -> anyhow::Result<Period> {
        let cpu = self.cpu();
        let loaded = self.batches(name, time).await?;
        self.sent.wait_for_the_end(&self.store, self.sent.count()).await?;
        self.close(name, loaded, &cpu).await
    }

    /// Likewise by single posts; says how they were answered too.
    ///
    /// # Errors
    /// Likewise.
    pub async fn posts(
        &mut self,
        name: &'static str,
        span: PostSpan,
    ) -> anyhow::Result<(Period, Posted)> {
        eprintln!("{name}: {} s ...", span.time.as_secs());
        let (cpu, begun, before) = (self.cpu(), Instant::now(), self.sent.count());
        let posted = posts::submit(&self.platform, &self.work, span, &self.sent).await?;
        let sent = self.sent.wait_for(self.work.accepted()).await?;
        let loaded = Loaded { messages: sent - before, took: begun.elapsed() };

        self.sent.wait_for_the_end(&self.store, sent).await?;
        Ok((self.close(name, loaded, &cpu).await?, posted))
    }

    /// Submits batches for so long, and waits until everything is sent.
    async fn batches(&self, name: &'static str, time: Duration) -> anyhow::Result<Loaded> {
        eprintln!("{name}: {} s ...", time.as_secs());
        let (begun, before) = (Instant::now(), self.sent.count());
        let span = BatchSpan::of(time);
        let accepted = load::submit(&self.platform, &self.work, span, &self.sent).await?;
        ensure!(begun.elapsed() >= time, "the contacts did not last for {time:?}");
        let sent = self.sent.wait_for(accepted).await?;
        Ok(Loaded { messages: sent - before, took: begun.elapsed() })
    }

    fn cpu(&self) -> BTreeMap<&'static str, f64> {
        usage::cpu(&usage::each(&self.platform))
    }

    /// Ends a period: what it took, and how fast the machine is now.
    async fn close(
        &mut self,
        name: &'static str,
        loaded: Loaded,
        cpu_before: &BTreeMap<&'static str, f64>,
    ) -> anyhow::Result<Period> {
        let Loaded { messages, took } = loaded;
        let cpu = usage::spent(cpu_before, &self.cpu());
        let tables = statistics::tables(&self.store).await?;
        let after = hop::measure(&self.reference, hop::MESSAGES).await?;
        let hop = RawHop::mean(self.hop, after);
        self.hop = after;
        Ok(Period { name, messages, took, cpu, hop, tables })
    }

    /// Holds what was sent against the carrier's count, ends the platform and gives the verdict.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn finish(self, passes: bool) -> anyhow::Result<ExitCode> {
        let passes = self.end(passes).await?;
        println!("{}", if passes { "passes" } else { "FAILS" });
        Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Holds what was sent against the carrier's count, and ends the platform; false where they
    /// differ, or it has failed before.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn end(self, passes: bool) -> anyhow::Result<bool> {
        let truth = self.platform.sandbox_stats().await?;
        println!("carrier            {} accepted, {} duplicates", truth.accepted, truth.duplicates);
        let passes = passes && truth.duplicates == 0 && truth.accepted == self.sent.count();

        self.reference.stop().await;
        self.platform.stop().await;
        Ok(passes)
    }
}

impl Period {
    /// Messages per second.
    pub fn rate(&self) -> f64 {
        self.messages as f64 / self.took.as_secs_f64()
    }

    /// CPU seconds per 1,000 messages of everything that is ours to run.
    pub fn cpu_per_thousand(&self) -> f64 {
        usage::per_thousand(&self.cpu, self.messages)
    }

    /// Prints the CPU of each kind of process.
    pub fn print_cpu(&self) {
        let of_one = |seconds: f64| seconds / self.messages as f64 * 1_000_000.0;
        let each: Vec<String> =
            self.cpu.iter().map(|(name, cpu)| format!("{name} {:.0}", of_one(*cpu))).collect();
        let all = self.cpu_per_thousand();
        println!("{:<18} {all:.3} CPU-s per 1,000; CPU-ms: {}", self.name, each.join(", "));
    }

    /// Messages in the time of a raw hop: what of the rate is ours and not the machine's.
    pub fn speed(&self) -> f64 {
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
