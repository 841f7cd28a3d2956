//! `millrace bench`: the whole pipeline against the sandbox at 0 ms, beside a reference measured in
//! the same run on the same machine. The median of several runs is held against the committed
//! baseline. With `--hold-xmin`, what long snapshots cost instead, with `--purge` what retention
//! does, with `--inbound` what people write.

pub mod baseline;
mod hold;
pub mod hop;
mod inbound;
mod latency;
mod load;
mod period;
mod purge;
mod report;
pub mod usage;
mod watch;

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use boot::{
    embedded::Scratch,
    telemetry::logs::{LogFormat, start_logging},
};
use hop::RawHop;
use report::BenchReport;

use crate::{
    cli,
    platform::{Plan, Platform, WORK_DIR},
};

/// Runs the benchmark as often as it is told to, and prints a report of each run.
pub async fn run(args: cli::bench::Bench) -> anyhow::Result<ExitCode> {
    start_logging(LogFormat::for_stderr(), "warn")?;

    if let Some(seconds) = args.hold_xmin {
        return hold::run(&args, Duration::from_secs(seconds)).await;
    }
    if let Some(seconds) = args.purge {
        return purge::run(&args, Duration::from_secs(seconds)).await;
    }

    if let Some(seconds) = args.inbound {
        return inbound::run(&args, Duration::from_secs(seconds)).await;
    }

    let (mut found, mut passes) = (Vec::new(), true);
    for run in 1..=args.runs.max(1) {
        println!("run {run} of {}", args.runs);
        let report = once(&args).await?;
        report.print();
        passes &= report.passes();
        found.push(report.figures());
    }

    if args.is_the_baselines() {
        passes &= baseline::compare(found)?;
    } else {
        println!("not held against the baseline, which is of another load");
    }
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One run on servers of its own.
async fn once(args: &cli::bench::Bench) -> anyhow::Result<BenchReport> {
    // On a disk, where fsync costs what it costs.
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let reference = hop::reference_server(&scratch).await?;
    eprintln!("starting the platform, one process each ...");
    let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;

    let mut work = load::prepare(&mut platform, args).await?;
    eprintln!("reference: raw hops, now and behind the load, as the machine's speed changes ...");
    let before = hop::measure(&reference, hop::MESSAGES).await?;
    eprintln!("sending ...");

    let groups = usage::groups(&platform);
    let cpu = usage::cpu(&groups);
    let peak = watch::Peak::start(groups.clone());
    let sent = watch::Sent::start(&platform).await?;
    let begun = Instant::now();

    let time = args.seconds.map(Duration::from_secs);
    let submitted = load::submit(&platform, &mut work, time, &sent).await?;
    let recorded = sent.wait_for(submitted).await?;
    let took = begun.elapsed();
    let spent = usage::cpu(&groups);
    let memory = peak.stop().await;
    let after = hop::measure(&reference, hop::MESSAGES).await?;
    reference.stop().await;

    let truth = platform.sandbox_stats().await?;
    eprintln!("latency at a steady 200 per second ...");
    let latency = latency::measure(&platform, &work).await?;
    platform.stop().await;

    let cpu = spent.iter().map(|(name, seconds)| (*name, seconds - cpu[name])).collect();
    let hop = RawHop::mean(before, after);
    Ok(BenchReport { messages: recorded, took, cpu, memory, latency, hop, truth })
}
