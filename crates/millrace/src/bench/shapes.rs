//! The same load in other shapes, one after the other on one platform: a carrier that takes 20 ms,
//! single posts under keys, and the shape of a queue worker, one post without a key for each
//! message. Rates are compared in the machine's raw hops.

use std::time::Duration;

use super::{
    figures::{self, FigureTable},
    load::{self, CONTACTS_PER_SECOND},
    period::{self, Period, PeriodBench},
    posts::{PostSpan, Posted},
};
use crate::cli;

/// How long each shape is submitted, unless the run is told for how long, in seconds.
const SECONDS: u64 = 20;

/// How many shapes there are, batches alone included.
const SHAPES: u64 = 4;

/// How long the slow carrier takes for an answer, in milliseconds.
const SLOW_MS: u32 = 20;

/// Runs every shape, and notes what was found. False where the carrier has other messages than
/// were sent.
///
/// # Errors
/// The platform does not start, the contacts do not last, or a message is not sent.
pub async fn run(args: &cli::bench::Bench, table: &mut FigureTable) -> anyhow::Result<bool> {
    let seconds = args.seconds.unwrap_or(SECONDS);
    let (time, contacts) = (Duration::from_secs(seconds), seconds * SHAPES * CONTACTS_PER_SECOND);
    let mut bench = PeriodBench::start(args, contacts as usize).await?;

    let batches = bench.whole_period("batches", time).await?;
    load::carrier_takes(&bench.platform, SLOW_MS).await?;
    let slow = bench.whole_period("carrier of 20 ms", time).await?;
    load::carrier_takes(&bench.platform, 0).await?;

    let (keyed, posted) = bench.posts("keyed posts", PostSpan { time, keyed: true }).await?;
    let (plain, _) = bench.posts("posts", PostSpan { time, keyed: false }).await?;

    // The table has the bars.
    period::print(&batches, &[(&slow, 0.0), (&keyed, 0.0), (&plain, 0.0)]);
    for period in [&batches, &slow, &keyed, &plain] {
        period.print_cpu();
    }
    println!(
        "keyed posts        {:.0} accepted per second, answered in p50 {:.1} ms, p99 {:.1} ms",
        posted.rate(),
        posted.p50(),
        posted.p99()
    );
    add(table, [&batches, &slow, &keyed, &plain], &posted);
    bench.end(true).await
}

fn add(table: &mut FigureTable, [batches, slow, keyed, plain]: [&Period; 4], posted: &Posted) {
    for (measure, found) in [
        (figures::SLOW_CARRIER, slow.speed() / batches.speed()),
        (figures::POSTS, keyed.speed() / batches.speed()),
        (figures::POSTS_ACCEPTED, posted.rate()),
        (figures::POSTS_SENT, keyed.rate()),
        (figures::POSTS_P50, posted.p50()),
        (figures::PEER_RATE, plain.rate()),
        (figures::PEER_CPU, plain.cpu_per_thousand()),
    ] {
        table.add(&measure, found);
    }
}
