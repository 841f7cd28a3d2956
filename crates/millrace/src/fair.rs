//! `millrace fair`: tenants who flood, whose carrier is slow, who upload slowly or who share an
//! account, beside one who sends a login code each second. The codes must not notice, shares must
//! be kept, and no pace may be passed.

mod blow;
mod floods;
mod pace;
mod verdict;
mod work;

use std::{
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::bail;
use boot::{
    embedded::Scratch,
    telemetry::logs::{LogFormat, start_logging},
};
use tokio::task::JoinSet;

use crate::{
    cli,
    platform::{Plan, Platform, WORK_DIR},
};

/// How long codes are sent before the floods begin, in seconds: neighbours flood a platform that
/// runs, not one whose processes are opening their connections.
const BEFORE: u64 = 5;

/// Runs the platform with its neighbours and prints the verdict.
pub async fn run(args: cli::Fair) -> anyhow::Result<ExitCode> {
    start_logging(LogFormat::for_stderr(), "error")?;
    if args.blows && args.each < 2 {
        bail!("--blows strikes one of several processes: give --each 2 or more");
    }
    println!(
        "{} texts on a sender of {} a second, {} s of codes, {} processes of throttle and send{}",
        args.texts,
        work::FLOODED_PACE,
        args.seconds,
        args.each,
        if args.blows { ", one of each struck" } else { "" },
    );

    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let plan = Plan {
        throttle_and_send: args.each,
        ack_wait: Duration::from_secs(args.ack_wait),
        settings: vec![("RUST_LOG", "error".to_owned())],
        ..Plan::default()
    };
    let mut platform = Platform::start(scratch.path(), &plan).await?;
    let work = work::prepare(&mut platform, &args).await?;

    let client = platform.client(work::CODES)?;
    floods::codes(client.clone(), work.clone(), BEFORE).await?;

    let mut floods = JoinSet::new();
    work::start_campaigns(&platform, &work).await?;
    let posted = Arc::new(AtomicUsize::new(0));
    floods::begin(&mut floods, &platform, &work, &args, &posted)?;
    let codes = tokio::spawn(floods::codes(client, work.clone(), args.seconds));
    let blow =
        if args.blows { Some(blow::Blow::strike(&mut platform, &args).await?) } else { None };
    let codes = codes.await??;
    let flooded = floods::end(&mut floods).await?;

    let limits = verdict::FairLimits {
        used: f64::from(args.used) / 100.0,
        within: Duration::from_millis(args.within),
        off: f64::from(args.off) / 100.0,
    };
    let verdict = verdict::reach(&platform, &work, &codes, &flooded, &limits, blow).await?;
    println!("     {} single texts were posted meanwhile", posted.load(Ordering::Relaxed));
    if args.posts > 0 && posted.load(Ordering::Relaxed) == 0 {
        bail!("no single text was taken");
    }
    verdict.print();
    platform.stop().await;
    Ok(if verdict.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
