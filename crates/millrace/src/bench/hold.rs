//! `millrace bench --hold-xmin`: what long snapshots cost. The same load three times on one
//! platform: alone, beside a reader that holds its snapshot, beside a dump of the database; and
//! then how soon dead rows are gone.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use boot::embedded::{Nats, Scratch};
use store::{
    Role, Store,
    statistics::{self, HeldSnapshot, TableStatistics},
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

/// The share of the rate without a reader that is left beside one, at least.
const BESIDE_A_READER: f64 = 0.9;

/// Likewise beside a dump.
const BESIDE_A_DUMP: f64 = 0.75;

/// How soon dead rows are gone once the load has ended.
const CLEAN_WITHIN: Duration = Duration::from_secs(60);

/// How often dead rows are counted meanwhile: the statistics follow within a second or two.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// So many tables are shown, those with the most dead rows.
const SHOWN: usize = 8;

/// A while of the same load.
struct Period {
    name: &'static str,
    messages: usize,
    took: Duration,
    /// The machine's raw hop before and behind it.
    hop: RawHop,
    /// Dead rows at its end.
    tables: Vec<TableStatistics>,
}

/// What is needed to measure a period.
struct HoldBench<'a> {
    platform: &'a Platform,
    work: BenchWork,
    sent: Sent,
    reference: &'a Nats,
    store: &'a Store,
    /// The raw hop behind the last period.
    hop: RawHop,
}

/// Runs the periods and prints what they cost.
///
/// # Errors
/// The platform does not start, or a message is not sent.
pub async fn run(args: &cli::Bench, hold: Duration) -> anyhow::Result<ExitCode> {
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let reference = hop::reference_server(&scratch).await?;
    eprintln!("starting the platform, one process each ...");
    let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;
    let work = load::prepare(&mut platform, args).await?;
    let store = platform.store(Role::Owner).await?;

    let sent = Sent::start(&platform.nats_url).await?;
    let hop = hop::measure(&reference, hop::MESSAGES).await?;
    let mut bench =
        HoldBench { platform: &platform, work, sent, reference: &reference, store: &store, hop };
    let periods =
        bench.periods(hold, Duration::from_secs(cli::Bench::beside(hold.as_secs()))).await?;
    let passes = bench.report(&periods).await?;

    reference.stop().await;
    platform.stop().await;
    println!("{}", if passes { "passes" } else { "FAILS" });
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

// === impl HoldBench ===

impl HoldBench<'_> {
    /// The load alone, beside a reader, and beside a dump.
    async fn periods(&mut self, hold: Duration, beside: Duration) -> anyhow::Result<[Period; 3]> {
        let alone = self.period("alone", beside).await?;

        let snapshot = HeldSnapshot::take(self.store).await?;
        let held = self.period("a held snapshot", hold).await?;
        snapshot.release().await?;

        // One dump after the other, for as long as the load goes on.
        let postgres = &self.platform.postgres;
        let dumps = async {
            loop {
                if let Err(why) = postgres.dump_into_nothing().await {
                    return why;
                }
            }
        };
        let dumped = tokio::select! {
            dumped = self.period("a dump", beside) => dumped?,
            why = dumps => bail!(why),
        };
        Ok([alone, held, dumped])
    }

    /// Submits for so long, with a backlog throughout, and waits until everything is sent.
    async fn period(&mut self, name: &'static str, time: Duration) -> anyhow::Result<Period> {
        eprintln!("{name}: {} s ...", time.as_secs());
        let (begun, before) = (Instant::now(), self.sent.count());
        let accepted = load::submit(self.platform, &mut self.work, Some(time), &self.sent).await?;
        ensure!(begun.elapsed() >= time, "the contacts did not last for {time:?}");
        let sent = self.sent.wait_for(accepted).await?;
        let took = begun.elapsed();

        let tables = statistics::tables(self.store).await?;
        let after = hop::measure(self.reference, hop::MESSAGES).await?;
        let hop = RawHop::mean(self.hop, after);
        self.hop = after;
        Ok(Period { name, messages: sent - before, took, hop, tables })
    }

    /// Prints rates and dead rows; false where a bound is broken.
    async fn report(&self, periods: &[Period; 3]) -> anyhow::Result<bool> {
        let [alone, held, dumped] = periods;
        println!(
            "{:<18} {:>9} {:>12} {:>10} {:>9}",
            "beside", "messages", "messages/s", "hops", "of alone"
        );
        let mut passes = true;
        for (period, least) in [(alone, 0.0), (held, BESIDE_A_READER), (dumped, BESIDE_A_DUMP)] {
            let left = period.speed() / alone.speed();
            let broken = left < least;
            passes &= !broken;
            println!(
                "{:<18} {:>9} {:>12.0} {:>10.1} {:>8.0}%{}",
                period.name,
                period.messages,
                period.rate(),
                1.0 / period.speed(),
                left * 100.0,
                if broken {
                    format!("  FAILS: {:.0}% is the least", least * 100.0)
                } else {
                    String::new()
                },
            );
        }

        let dead = dead_rows(self.store, periods).await?;
        let truth = self.platform.sandbox_stats().await?;
        println!("carrier            {} accepted, {} duplicates", truth.accepted, truth.duplicates);
        Ok(passes && dead && truth.duplicates == 0 && truth.accepted == self.sent.count())
    }
}

// === impl Period ===

impl Period {
    /// Messages per second.
    fn rate(&self) -> f64 {
        self.messages as f64 / self.took.as_secs_f64()
    }

    /// Messages in the time of a raw hop: what of the rate is ours and not the machine's.
    fn speed(&self) -> f64 {
        self.rate() / self.hop.rate
    }
}

/// Waits until dead rows are as few as before the snapshot, or as autovacuum leaves, and prints the
/// tables that had the most; false where some are not in time.
async fn dead_rows(store: &Store, periods: &[Period; 3]) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let [alone, ..] = periods;
    let tables = loop {
        let tables = statistics::tables(store).await?;
        let is_clean = tables.iter().all(|table| table.dead <= bound(table, alone));
        if is_clean || begun.elapsed() > CLEAN_WITHIN {
            break tables;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let took = begun.elapsed();

    println!(
        "\n{:<22} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "dead rows", "alone", "held", "dump", "after", "at most"
    );
    let mut worst: Vec<&TableStatistics> = tables.iter().collect();
    worst.sort_by_key(|table| std::cmp::Reverse(periods.iter().map(|it| it.dead(table)).max()));
    let mut passes = true;
    for (index, table) in worst.into_iter().enumerate() {
        let (most, broken) = (bound(table, alone), table.dead > bound(table, alone));
        passes &= !broken;
        if index < SHOWN || broken {
            let [alone, held, dumped] = periods.each_ref().map(|period| period.dead(table));
            let TableStatistics { table, dead, .. } = table;
            let verdict = if broken { "  FAILS" } else { "" };
            println!("{table:<22} {alone:>9} {held:>9} {dumped:>9} {dead:>9} {most:>9}{verdict}");
        }
    }
    println!("{:.0} s after the load (at most {})", took.as_secs_f64(), CLEAN_WITHIN.as_secs());
    Ok(passes)
}

/// The most dead rows that a table may have in the end.
fn bound(table: &TableStatistics, before: &Period) -> i64 {
    before.dead(table).max(table.tolerated)
}

impl Period {
    /// Dead rows of a table at its end.
    fn dead(&self, of: &TableStatistics) -> i64 {
        let found = self.tables.iter().find(|table| table.table == of.table);
        found.map_or(0, |table| table.dead)
    }
}
