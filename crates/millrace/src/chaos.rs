//! `millrace chaos`: a campaign and a stream of single messages go through the platform while its
//! processes, its broker and its database are killed; at the end every count must agree.

mod blows;
mod by_receipts;
mod load;
mod reported;
mod verdict;

use std::{
    collections::BTreeMap,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use blows::Storm;
use boot::{
    embedded::Scratch,
    settings::stream_sizes,
    telemetry::logs::{LogFormat, start_logging},
};
use domain::message::class::Channel;
use pipeline::StreamSettings;
use serde_json::json;
use wire::stream::ACK_WAIT;

use crate::{
    cli,
    platform::{OPEN_HOUR, Plan, Platform, WORK_DIR},
};

/// How often progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Runs the platform under blows and prints the verdict.
pub async fn run(args: cli::Chaos) -> anyhow::Result<ExitCode> {
    start_logging(LogFormat::for_stderr(), "error")?;
    let seed = args.seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}: {} recipients, {} kills", args.recipients, args.kills);
    print_waits(&args);

    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    let plan = Plan {
        each: args.each,
        throttle_and_send: args.each,
        ack_wait: Duration::from_secs(args.ack_wait),
        streams: StreamSettings {
            sizes: stream_sizes(args.stream_sizes.as_deref())?,
            ..StreamSettings::default()
        },
        settings: settings(&args),
        ..Plan::default()
    };
    let mut platform = Platform::start(scratch.path(), &plan).await?;
    rig_the_carrier(&platform, seed).await?;
    let work = load::prepare(&mut platform, &args).await?;

    let begun = Instant::now();
    let submitting = tokio::spawn(load::submit(platform.client(0)?, work.clone()));
    Storm::new(seed, &args).rage(&mut platform).await?;
    println!("{:>6.1} s  calm", begun.elapsed().as_secs_f64());

    // The last blow may have hit the api, and the questions from here on are put to it once.
    platform.start_again()?;
    platform.wait().await?;
    let accepted = submitting.await??;

    let limit = limit(&args).saturating_sub(begun.elapsed());
    settle(&platform, &work, &accepted, limit).await?;

    let verdict = verdict::reach(&platform, &work, &accepted).await?;
    verdict.print(begun.elapsed());
    platform.stop().await;
    Ok(if verdict.passes() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How long everything may take. A text whose carrier cannot be asked about it and whose receipts
/// were lost is over at the horizon alone, however late it was sent.
fn limit(args: &cli::Chaos) -> Duration {
    let limit = Duration::from_secs(args.limit);
    let can_be_asked = |channel| by_receipts::can_be_asked(&args.carriers, channel);
    if Channel::ALL.into_iter().all(can_be_asked) {
        return limit;
    }
    limit + Duration::from_secs(args.receipt_horizon)
}

/// Which waits are shortened, so that what would take minutes takes seconds.
fn settings(args: &cli::Chaos) -> Vec<(&'static str, String)> {
    vec![
        ("MILLRACE_CALL_BY", args.call_by.to_string()),
        ("MILLRACE_REQUEST_TIMEOUT", args.request_timeout.to_string()),
        ("MILLRACE_LIST_LAG", args.list_lag.to_string()),
        ("MILLRACE_RECEIPT_FETCH", args.receipt_fetch.to_string()),
        ("MILLRACE_RECEIPT_HORIZON", args.receipt_horizon.to_string()),
        ("RUST_LOG", "error".to_owned()),
    ]
}

/// Says which waits are not as they are by default.
fn print_waits(args: &cli::Chaos) {
    let grace = args.call_by + (args.request_timeout + args.list_lag) as f64;
    println!(
        "waits in seconds, otherwise: ack_wait {} ({}), call_by {} (0.2), request timeout {} (10), \
         list lag {} (30), so that the grace is {grace} (40.2); receipt fetch {} (600), receipt \
         horizon {} (259200)",
        args.ack_wait,
        ACK_WAIT.as_secs(),
        args.call_by,
        args.request_timeout,
        args.list_lag,
        args.receipt_fetch,
        args.receipt_horizon,
    );
}

/// The carrier loses answers and receipts, throttles, fails before and after accepting, and repeats
/// itself.
async fn rig_the_carrier(platform: &Platform, seed: u64) -> anyhow::Result<()> {
    // Business time runs on from there.
    let clock = json!({ "now": OPEN_HOUR, "rate": 1 });
    platform.sandbox.put("/sandbox/clock", &clock).await?;

    let faults = json!({
        "seed": seed,
        "lost_response": 0.02,
        "http_429": 0.03,
        "http_5xx_before": 0.01,
        "http_5xx_after": 0.01,
        "receipts": { "delay_ms": [50, 2000], "drop": 0.05, "duplicate": 0.1, "reorder": 0.1 },
        "callbacks": { "retries": 12, "backoff_ms": [200, 2000] },
    });
    platform.sandbox.put("/sandbox/faults", &faults).await.map(drop)
}

/// Waits until the campaign has ended by itself and no message is open.
async fn settle(
    platform: &Platform,
    work: &load::ChaosWork,
    accepted: &BTreeMap<String, String>,
    limit: Duration,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut said_at = Instant::now();
    loop {
        // Right after the last blow the api may say to come again.
        let open = verdict::open(platform, work, accepted);
        let looked = tokio::try_join!(work.ledger(platform), open);
        let (ledger, open) = match looked {
            Ok(looked) => looked,
            Err(why) if begun.elapsed() < limit => {
                println!("          {why:#}");
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Err(why) => return Err(why),
        };

        if ledger["state"] == "completed" && open == 0 {
            return Ok(());
        }

        if said_at.elapsed() > Duration::from_secs(5) {
            said_at = Instant::now();
            println!("          campaign {}, {open} single messages open", ledger["open"]);
        }
        if begun.elapsed() > limit {
            bail!("not settled in time: campaign {ledger}, {open} single messages open");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
