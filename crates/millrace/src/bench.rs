//! `millrace bench`: the whole pipeline against the sandbox at 0 ms, beside a reference measured in
//! the same run on the same machine. The median of several runs is held against the committed
//! baseline, and every figure against its bar. With `--full` other shapes of the load too, with
//! `--campaign` one large campaign. With `--hold-xmin`, what long snapshots cost instead, with
//! `--purge` what retention does, with `--inbound` what people write.

pub mod baseline;
mod campaign;
mod counters;
mod figures;
mod hold;
pub mod hop;
mod inbound;
mod latency;
mod load;
mod period;
mod posts;
mod purge;
mod report;
mod sends;
mod shapes;
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
use counters::ServerCounters;
use figures::{BenchPart, FigureTable};
use hop::RawHop;
use load::BatchSpan;
use report::BenchReport;
use store::Role;
use watch::{PeakMemory, PeakWatch, Sent};

use crate::{
    cli,
    platform::{Plan, Platform, WORK_DIR},
};

/// Runs the benchmark as often as it is told to, prints a report of each run, and at its end a
/// table of every figure. A part that fails is told, and the others follow.
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

    let mut table = FigureTable::default();
    let mut passes = runs(&args, &mut table).await?;
    if args.full {
        println!("\nother shapes");
        let found = shapes::run(&args, &mut table).await;
        passes &= has_passed(BenchPart::Shapes, found, &mut table);

        println!("\nprocesses of send");
        let found = sends::run(&args, &mut table).await;
        passes &= has_passed(BenchPart::Sends, found, &mut table);
    }
    if let Some(people) = args.campaign {
        println!("\na campaign to {people} people");
        let found = campaign::run(people as usize, &mut table).await;
        passes &= has_passed(BenchPart::Campaign, found, &mut table);
    }

    table.print();
    passes &= table.is_whole();
    println!("{}", if passes { "passes" } else { "FAILS" });
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The main part, run after run. False where a limit or the baseline is not held.
async fn runs(args: &cli::bench::Bench, table: &mut FigureTable) -> anyhow::Result<bool> {
    let (mut found, mut passes) = (Vec::new(), true);
    for run in 1..=args.runs {
        println!("run {run} of {}", args.runs);
        match once(args).await {
            Ok(report) => {
                report.print();
                report.add_to(table);
                passes &= report.passes();
                found.push(report.figures());
            }
            Err(why) => {
                table.failed(BenchPart::Main, &why);
                passes = false;
            }
        }
    }

    if found.is_empty() {
        println!("no run is held against the baseline");
    } else if args.is_the_baselines() {
        passes &= baseline::compare(found)?;
    } else {
        println!("not held against the baseline, which is of another load");
    }
    Ok(passes)
}

/// Whether a part has passed: it has its figures, and the carrier has each message exactly once.
fn has_passed(part: BenchPart, found: anyhow::Result<bool>, table: &mut FigureTable) -> bool {
    match found {
        Ok(true) => true,
        Ok(false) => {
            println!("FAILS: the carrier has other messages than were sent");
            false
        }
        Err(why) => {
            table.failed(part, &why);
            false
        }
    }
}

/// One run on servers of its own.
async fn once(args: &cli::bench::Bench) -> anyhow::Result<BenchReport> {
    // On a disk, where fsync costs what it costs.
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let reference = hop::reference_server(&scratch).await?;
    eprintln!("starting the platform, one process each ...");
    let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;
    let store = platform.store(Role::Owner).await?;

    let contacts = args.seconds.map(|seconds| (seconds * load::CONTACTS_PER_SECOND) as usize);
    let work = load::prepare(&mut platform, args, contacts.unwrap_or(args.messages)).await?;
    eprintln!("reference: raw hops, now and behind the load, as the machine's speed changes ...");
    let hop_before = hop::measure(&reference, hop::MESSAGES).await?;

    let groups = usage::each(&platform);
    let memory_before = PeakMemory::sample(&groups);
    let sent = Sent::start(&platform).await?;
    let servers_before = ServerCounters::take(&platform, &store, &sent).await?;
    eprintln!("sending ...");
    let cpu_before = usage::cpu(&groups);
    let peak = PeakWatch::start(groups.clone());
    let begun = Instant::now();

    let time = args.seconds.map(Duration::from_secs);
    let span = BatchSpan { time, outstanding: load::OUTSTANDING };
    let submitted = load::submit(&platform, &work, span, &sent).await?;
    let submitting = begun.elapsed();
    let messages = sent.wait_for(submitted).await?;
    let (took, cpu) = (begun.elapsed(), usage::cpu(&groups));
    sent.wait_for_the_end(&store, messages).await?;
    let (took_in_all, cpu_in_all) = (begun.elapsed(), usage::cpu(&groups));
    let memory_peak = peak.stop();
    if time.is_some_and(|time| submitting < time) {
        println!("the contacts lasted for {:.1} s", submitting.as_secs_f64());
    }

    let servers = ServerCounters::take(&platform, &store, &sent).await?.since(&servers_before);
    let dead_rows = counters::dead_rows(&store).await?;
    let hop_after = hop::measure(&reference, hop::MESSAGES).await?;
    reference.stop().await;
    // Nothing was left to do for them all the while.
    let memory_after = PeakMemory::sample(&groups);

    let truth = platform.sandbox_stats().await?;
    eprintln!("latency at a steady 200 per second ...");
    let latency = latency::measure(&platform, &work).await?;
    store.close().await;
    platform.stop().await;

    Ok(BenchReport {
        messages,
        took,
        took_in_all,
        cpu: usage::spent(&cpu_before, &cpu),
        cpu_in_all: usage::spent(&cpu_before, &cpu_in_all),
        memory: [memory_before, memory_peak, memory_after],
        servers,
        dead_rows,
        latency,
        hop: RawHop::mean(hop_before, hop_after),
        truth,
    })
}
