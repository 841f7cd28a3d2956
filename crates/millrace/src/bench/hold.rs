//! `millrace bench --hold-xmin`: what long snapshots cost. The same load three times on one
//! platform: alone, beside a reader that holds its snapshot, beside a dump of the database; and
//! then how soon dead rows are gone.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use store::{
    Store,
    statistics::{self, HeldSnapshot, TableStatistics},
};

use super::{
    load,
    period::{self, Period, PeriodBench},
};
use crate::cli;

/// How long the periods without a reader and beside a dump are, at most: they are as long as the
/// snapshot is held where that is shorter.
const LONGEST_BESIDE: Duration = Duration::from_secs(60);

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

/// Runs the periods and prints what they cost.
///
/// # Errors
/// The platform does not start, or a message is not sent.
pub async fn run(args: &cli::bench::Bench, hold: Duration) -> anyhow::Result<ExitCode> {
    let beside = hold.min(LONGEST_BESIDE);
    let seconds = (hold + 2 * beside).as_secs();
    let contacts = (seconds * load::CONTACTS_PER_HELD) as usize;
    let mut bench = PeriodBench::start(args, contacts).await?;
    let periods = measure(&mut bench, hold, beside).await?;
    let [alone, held, dumped] = &periods;
    let rates = period::print(alone, &[(held, BESIDE_A_READER), (dumped, BESIDE_A_DUMP)]);
    let dead = dead_rows(&bench.store, &periods).await?;
    bench.finish(rates && dead).await
}

/// The load alone, beside a reader, and beside a dump.
async fn measure(
    bench: &mut PeriodBench,
    hold: Duration,
    beside: Duration,
) -> anyhow::Result<[Period; 3]> {
    let alone = bench.period("alone", beside).await?;

    let snapshot = HeldSnapshot::take(&bench.store).await?;
    let held = bench.period("a held snapshot", hold).await?;
    snapshot.release().await?;

    let dumped = bench.beside_dumps("a dump", beside).await?;
    Ok([alone, held, dumped])
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
