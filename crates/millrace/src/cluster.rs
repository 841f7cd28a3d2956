//! `millrace cluster`: three NATS servers, each with a copy of every stream, are killed one after
//! another while texts go out. Every count must agree, and no process may stop. The same run on one
//! server, and on three that stay, says what the copies cost.

mod blows;
mod load;

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use boot::{
    embedded::Scratch,
    telemetry::logs::{LogFormat, start_logging},
};
use load::ClusterLoad;
use pipeline::StreamSettings;
use serde_json::json;
use uuid::Uuid;

use crate::{
    cli,
    flow::{Flow, tally},
    platform::{OPEN_HOUR, Plan, Platform, WORK_DIR},
};

/// Servers of the cluster, and copies of each stream.
const SERVERS: usize = 3;

/// Tenants that the texts are spread over, and the people of each.
const TENANTS: usize = 4;
const PEOPLE: usize = 5_000;

/// Runs the texts on one server and on three, and prints rates and the verdict.
pub async fn run(args: cli::Cluster) -> anyhow::Result<ExitCode> {
    start_logging(LogFormat::for_stderr(), "error")?;
    let mut passes = true;
    if !args.kills_alone {
        println!("one server, {} texts", args.texts);
        let mut run = ClusterRun::start(&args, 1).await?;
        let one = run.send().await?;
        println!("  R1                {one:>8.0} messages/s");
        passes &= run.end().await?;
    }

    println!("{SERVERS} servers, {} processes of each stage, {} texts", args.each, args.texts);
    let mut run = ClusterRun::start(&args, SERVERS).await?;
    if !args.kills_alone {
        let three = run.send().await?;
        println!("  R{SERVERS}                {three:>8.0} messages/s");
    }
    let killed = run.send_under_blows().await?;
    println!("  R{SERVERS}, servers killed {killed:>6.0} messages/s");
    passes &= run.end().await?;

    println!("\n  {}", if passes { "every count agrees" } else { "THE COUNTS DO NOT AGREE" });
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A platform, and what it has accepted so far.
struct ClusterRun {
    platform: Platform,
    flow: Flow,
    texts: usize,
    limit: Duration,
    accepted: Vec<Uuid>,
    // Dropped last: the servers' files.
    _scratch: Scratch,
}

impl ClusterRun {
    async fn start(args: &cli::Cluster, servers: usize) -> anyhow::Result<Self> {
        let scratch = Scratch::under(Path::new(WORK_DIR))?;
        let plan = Plan {
            each: args.each,
            throttle_and_send: args.each,
            servers,
            streams: StreamSettings { replicas: servers, ..StreamSettings::default() },
            settings: vec![("RUST_LOG", "error".to_owned())],
            ..Plan::default()
        };

        let mut platform = Platform::start(scratch.path(), &plan).await?;
        let clock = json!({ "now": OPEN_HOUR, "rate": 1 });
        platform.sandbox.put("/sandbox/clock", &clock).await?;
        let callbacks = json!({ "retries": 12, "backoff_ms": [200, 2000] });
        let faults = json!({ "receipts": { "delay_ms": [0, 50] }, "callbacks": callbacks });
        platform.sandbox.put("/sandbox/faults", &faults).await?;
        let flow = Flow::prepare(&mut platform, TENANTS, PEOPLE).await?;

        let limit = Duration::from_secs(args.limit);
        let (texts, accepted) = (args.texts, Vec::new());
        Ok(Self { platform, flow, texts, limit, accepted, _scratch: scratch })
    }

    /// Sends the texts as fast as they are taken; gives messages per second.
    async fn send(&mut self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut load = ClusterLoad::start(&self.flow, self.accepted.len(), self.texts);
        load.allow(self.texts);
        self.finish(load, begun).await
    }

    /// Sends the texts while each server is killed once, the leader of a busy stream first; gives
    /// messages per second.
    async fn send_under_blows(&mut self) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut load = ClusterLoad::start(&self.flow, self.accepted.len(), self.texts);
        blows::kill_each(&mut self.platform, &mut load, self.texts, begun).await?;
        self.finish(load, begun).await
    }

    /// Waits until the carrier has everything.
    async fn finish(&mut self, load: ClusterLoad, begun: Instant) -> anyhow::Result<f64> {
        self.accepted.extend(load.end().await?);
        while self.platform.sandbox_stats().await?.accepted < self.accepted.len() {
            if begun.elapsed() > self.limit {
                let there = self.platform.sandbox_stats().await?.accepted;
                bail!("the carrier has {there} of {} texts in time", self.accepted.len());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(self.texts as f64 / begun.elapsed().as_secs_f64())
    }

    /// Compares every count, and ends the platform; false where something is wrong.
    async fn end(mut self) -> anyhow::Result<bool> {
        tally::settle(&self.platform, self.limit).await?;
        let tally = tally::reach(&self.platform, self.accepted).await?;
        tally.print();

        let stopped = self.platform.stopped();
        if !stopped.is_empty() {
            println!("  WRONG: processes have stopped: {}", stopped.join(", "));
        }
        self.platform.stop().await;
        Ok(tally.passes() && stopped.is_empty())
    }
}
