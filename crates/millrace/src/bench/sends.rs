//! Eight processes of send beside one, with a carrier that takes 200 ms for each answer and 16
//! calls for each process: then calls under way are what limits the rate, and eight times as many
//! of them should send nearly eight times as much.

use std::{path::Path, time::Duration};

use anyhow::ensure;
use boot::embedded::Scratch;
use stage::StageName;

use super::{
    figures::{self, FigureTable},
    load::{self, BatchSpan},
    watch::Sent,
};
use crate::{
    cli,
    platform::{Plan, Platform, WORK_DIR},
};

/// How long the carrier takes for an answer, in milliseconds.
const CARRIER_MS: u32 = 200;

/// Calls that a process may have under way, and how many of them that can be in a second.
const CALLS: usize = 16;
const CALLS_PER_SECOND: usize = CALLS * 1000 / CARRIER_MS as usize;

/// Processes of send in the end.
const PROCESSES: usize = 8;

/// Messages that wait for them throughout: some seconds of what all of them could send. Requests
/// under way may add half as many.
const BACKLOG: usize = 8_000;

/// How long messages are counted, with one process and with all.
const COUNTED: Duration = Duration::from_secs(15);

/// How long it takes before that until processes have come up and share the work.
const SETTLES: Duration = Duration::from_secs(10);

/// Measures both rates, and notes how many times the one is the other.
///
/// # Errors
/// The platform does not start, or a batch is refused.
pub async fn run(args: &cli::bench::Bench, table: &mut FigureTable) -> anyhow::Result<bool> {
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let plan =
        Plan { settings: vec![("MILLRACE_CARRIER_CALLS", CALLS.to_string())], ..Plan::default() };
    eprintln!("starting the platform, one process each, {CALLS} carrier calls at once ...");
    let mut platform = Platform::start(scratch.path(), &plan).await?;

    let seconds = (SETTLES + COUNTED).as_secs() as usize;
    let contacts = 2 * BACKLOG + seconds * CALLS_PER_SECOND * (1 + PROCESSES);
    let work = load::prepare(&mut platform, args, contacts).await?;
    load::carrier_takes(&platform, CARRIER_MS).await?;
    let sent = Sent::start(&platform).await?;

    let span = BatchSpan { time: Some(SETTLES + COUNTED), outstanding: BACKLOG };
    let one = rate_beside(load::submit(&platform, &work, span, &sent), &sent).await?;
    platform.start_more(&plan, StageName::Send, PROCESSES - 1)?;
    let all = rate_beside(load::submit(&platform, &work, span, &sent), &sent).await?;

    let truth = platform.sandbox_stats().await?;
    let ended = platform.stopped();
    platform.stop().await;

    println!("one process of send  {one:.1} messages/s");
    println!("{PROCESSES} processes          {all:.1} messages/s");
    ensure!(ended.is_empty(), "ended by themselves: {}", ended.join(", "));
    table.add(&figures::EIGHT_SENDS, all / one);
    Ok(truth.duplicates == 0)
}

/// Messages sent in a second, while there is a load.
async fn rate_beside(
    load: impl Future<Output = anyhow::Result<usize>>,
    sent: &Sent,
) -> anyhow::Result<f64> {
    let counting = async {
        tokio::time::sleep(SETTLES).await;
        let before = sent.count();
        tokio::time::sleep(COUNTED).await;
        anyhow::Ok((sent.count() - before) as f64 / COUNTED.as_secs_f64())
    };
    let (accepted, rate) = tokio::try_join!(load, counting)?;
    ensure!(accepted > sent.count(), "all {accepted} messages were sent: there was no backlog");
    ensure!(rate > 0.0, "none of {accepted} messages was sent");
    Ok(rate)
}
