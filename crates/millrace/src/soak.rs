//! `millrace soak`: a steady load with receipts, replies and STOPs for as long as one likes, in
//! which every kind of process and Postgres are restarted. Nothing may drift: neither the time to
//! the carrier, nor memory; and in the end every count must agree.

mod blows;
mod load;
mod report;
mod sample;
mod slot;

use std::{path::Path, process::ExitCode, time::Duration};

use boot::{
    embedded::{Nats, Scratch},
    telemetry::logs::{LogFormat, start_logging},
};
use load::SoakLoad;
use report::{SoakReport, SoakWindow};
use sample::Sample;
use serde_json::json;
use slot::{SlotClock, SoakSlot};

use crate::{
    bench::hop,
    cli,
    flow::{Flow, tally},
    platform::{OPEN_HOUR, Plan, Platform, WORK_DIR},
};

/// Tenants that the texts are spread over.
const TENANTS: usize = 20;

/// Texts that a person gets in all: less than the most of marketing in an hour.
const TEXTS_EACH: u64 = 8;

/// The longest window of the report, and the most windows of a shorter run.
const WINDOW: Duration = Duration::from_secs(300);
const WINDOWS: u32 = 5;

/// The longest slot: time to the carrier is set against a raw hop of the same minute.
const SLOT: Duration = Duration::from_secs(60);

/// How long the last texts may take to come to their end.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs the load and prints what became of it.
pub async fn run(args: cli::Soak) -> anyhow::Result<ExitCode> {
    start_logging(LogFormat::for_stderr(), "error")?;
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let reference = hop::reference_server(&scratch).await?;
    let plan = Plan { settings: vec![("RUST_LOG", "error".to_owned())], ..Plan::default() };
    let mut platform = Platform::start(scratch.path(), &plan).await?;

    eprintln!("loading people ...");
    let texts = args.rate * args.minutes * 60;
    let people = (texts / TEXTS_EACH).max(1_000) as usize / TENANTS;
    let flow = Flow::prepare(&mut platform, TENANTS, people).await?;
    set_the_world(&platform).await?;
    println!(
        "{} texts a second for {} min, {} people of {TENANTS} tenants",
        args.rate,
        args.minutes,
        people * TENANTS
    );

    let load = SoakLoad::start(flow, args.rate);
    let report = Soak { platform: &mut platform, reference: &reference }.windows(&args).await?;
    let accepted = load.end().await?;
    reference.stop().await;

    tally::settle(&platform, LIMIT).await?;
    let tally = tally::reach(&platform, accepted).await?;
    tally.print();
    let drift = report.drift();
    for drift in &drift {
        println!("  DRIFT: {drift}");
    }
    platform.stop().await;

    let passes = tally.passes() && drift.is_empty();
    let verdict = if passes { "every count agrees, and nothing drifts" } else { "FAILS" };
    println!("\n  {verdict}");
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Business time runs on, receipts take their time, and some people answer or want no more.
async fn set_the_world(platform: &Platform) -> anyhow::Result<()> {
    let clock = json!({ "now": OPEN_HOUR, "rate": 1 });
    platform.sandbox.put("/sandbox/clock", &clock).await?;
    let faults = json!({
        "receipts": { "delay_ms": [50, 2000], "duplicate": 0.02, "reorder": 0.05 },
        "callbacks": { "retries": 12, "backoff_ms": [200, 2000] },
    });
    platform.sandbox.put("/sandbox/faults", &faults).await?;
    let personas = json!({
        "stop_rate": 0.01, "question_rate": 0.05, "help_rate": 0.01,
        "reply_delay_ms": [200, 5000],
    });
    platform.sandbox.put("/sandbox/personas", &personas).await.map(drop)
}

/// What is watched while the load goes on.
struct Soak<'a> {
    platform: &'a mut Platform,
    reference: &'a Nats,
}

impl Soak<'_> {
    /// Watches window after window, and prints each. In the middle one everything is restarted.
    async fn windows(&mut self, args: &cli::Soak) -> anyhow::Result<SoakReport> {
        let whole = Duration::from_secs(args.minutes * 60);
        let window = WINDOW.min(whole / WINDOWS);
        let count = whole.div_duration_f64(window).round() as usize;
        let struck = count / 2;
        let slots = window.div_duration_f64(SLOT).ceil() as u32;

        let mut report = SoakReport::new(args.rate, struck);
        let mut clock = SlotClock::start(self.platform).await?;
        let mut before = Sample::take(self.platform).await?;
        for number in 0..count {
            let mut found = Vec::new();
            for part in 0..slots {
                let share = blows::RestartShare { part, of: slots };
                let struck = (number == struck).then_some(share);
                found.push(self.slot(&mut clock, window / slots, struck).await?);
            }
            let after = Sample::take(self.platform).await?;
            let window = SoakWindow { ended: clock.elapsed(), slots: found, before, after };
            window.print();
            before = window.after.clone();
            report.windows.push(window);
        }
        Ok(report)
    }

    /// Watches for so long, restarts a share of the processes meanwhile if it is told to.
    async fn slot(
        &mut self,
        clock: &mut SlotClock,
        time: Duration,
        struck: Option<blows::RestartShare>,
    ) -> anyhow::Result<SoakSlot> {
        let end = clock.next(time);
        if let Some(share) = struck {
            blows::restart(self.platform, share, end).await?;
        }
        tokio::time::sleep_until(end).await;
        let slot = clock.read(self.platform, self.reference, struck.is_some()).await?;
        slot.print(clock.elapsed());
        Ok(slot)
    }
}
