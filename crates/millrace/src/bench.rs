//! `millrace bench`: the whole pipeline against the sandbox at 0 ms, beside a reference measured in
//! the same run on the same machine.

mod hop;
mod latency;
mod load;
mod report;
mod usage;
mod watch;

use std::{path::Path, process::ExitCode, time::Instant};

use boot::embedded::{EmbeddedOptions, Nats, NatsSync, Scratch};
use report::BenchReport;
use secrecy::ExposeSecret;

use crate::{
    cli,
    platform::{Plan, Platform},
};

/// Where the servers keep their data meanwhile, below the working directory.
const WORK_DIR: &str = ".millrace";

/// Messages of one reference measurement; there is one before the run and one after it.
const HOPS: usize = 30_000;

/// Runs the benchmark and prints its report.
pub async fn run(args: cli::Bench) -> anyhow::Result<ExitCode> {
    boot::telemetry::start_logging(boot::telemetry::LogFormat::for_stderr(), "warn")?;

    // On a disk, where fsync costs what it costs.
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let reference = reference_server(&scratch).await?;
    eprintln!("reference: raw hops ...");
    let before = hop::measure(reference.url().expose_secret(), HOPS).await?;

    eprintln!("starting the platform, one process each ...");
    let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;

    let work = load::prepare(&mut platform, &args).await?;
    eprintln!("sending ...");

    let groups = usage::groups(&platform);
    let cpu = usage::cpu(&groups);
    let peak = watch::Peak::start(groups.clone());
    let sent = watch::Sent::start(&platform.nats_url).await?;
    let begun = Instant::now();

    let submitted = load::submit(&platform, &work, &args, &sent).await?;
    let recorded = sent.wait_for(submitted).await?;
    let took = begun.elapsed();
    let spent = usage::cpu(&groups);
    let memory = peak.stop().await;

    let truth = platform.sandbox_stats().await?;
    eprintln!("latency at a steady 200 per second ...");
    let latency = latency::measure(&platform, &work).await?;
    platform.stop().await;

    let after = hop::measure(reference.url().expose_secret(), HOPS).await?;
    reference.stop().await;

    let cpu = spent.iter().map(|(name, seconds)| (*name, seconds - cpu[name])).collect();
    let hops = (before + after) / 2.0;
    let report = BenchReport { messages: recorded, took, cpu, memory, latency, hops, truth };
    report.print();
    Ok(if report.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The reference runs on a server of its own with the broker's default sync.
async fn reference_server(scratch: &Scratch) -> anyhow::Result<Nats> {
    let every = NatsSync::Every(std::time::Duration::from_secs(120));
    let options = EmbeddedOptions { nats_sync: every, ..EmbeddedOptions::default() };
    Ok(Nats::start(&scratch.path().join("reference"), &options).await?)
}
