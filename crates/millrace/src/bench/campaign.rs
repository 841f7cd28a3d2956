//! One large campaign from its first message to its last: whether its end is as fast as its
//! beginning, and takes no more memory.

use std::{
    collections::BTreeMap,
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use boot::embedded::Scratch;
use serde_json::json;
use store::Role;

use super::{
    figures::{self, FigureTable},
    load,
    report::MEGABYTE,
    usage::{self, UsageGroup},
    watch::Sent,
};
use crate::{
    demo::setup,
    platform::{OPEN_HOUR, Plan, Platform, WORK_DIR},
};

/// The tenant of the campaign.
const TENANT: usize = 0;

/// Lines of one import.
const LINES: usize = 200_000;

/// Parts that the campaign is seen in.
const PARTS: usize = 10;

/// The part whose end memory is compared with: buffers are made by then.
const WARM: usize = 2;

/// A tenth of the campaign.
struct Tenth {
    /// Messages that were sent in it.
    messages: usize,
    took: Duration,
    /// Bytes of memory of each kind of process at its end, the sandbox left out.
    memory: BTreeMap<&'static str, u64>,
}

/// Runs a campaign to so many people, and notes what was found. False where the carrier has other
/// messages than were sent.
///
/// # Errors
/// The platform does not start, refuses something, or sends nothing for half a minute.
pub async fn run(people: usize, table: &mut FigureTable) -> anyhow::Result<bool> {
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    eprintln!("starting the platform, one process each ...");
    let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;
    let campaign = prepare(&mut platform, people).await?;

    let store = platform.store(Role::Owner).await?;
    let sent = Sent::start(&platform).await?;
    let start = format!("/v1/campaigns/{campaign}/start");
    platform.client(TENANT)?.post(&start, &json!({})).await?;
    let tenths = watch(&platform, &sent, people).await?;
    sent.wait_for_the_end(&store, people).await?;

    let truth = platform.sandbox_stats().await?;
    store.close().await;
    platform.stop().await;

    print(&tenths);
    table.add(&figures::LAST_TENTH, rate_kept(&tenths));
    table.add(&figures::GROWTH, growth(&tenths));
    println!("carrier            {} accepted, {} duplicates", truth.accepted, truth.duplicates);
    Ok(truth.duplicates == 0 && truth.accepted == people)
}

/// Makes a tenant with a sender, so many contacts and a campaign to all of them; gives its id.
async fn prepare(platform: &mut Platform, people: usize) -> anyhow::Result<String> {
    let clock = json!({ "now": OPEN_HOUR, "rate": 1 });
    platform.sandbox.put("/sandbox/clock", &clock).await?;
    load::carrier_takes(platform, 0).await?;
    platform.make_tenants(1).await?;

    let client = platform.client(TENANT)?;
    setup::account(&client, &platform.sandbox_url, "bench").await?;
    let sender = setup::DemoSender { number: "+12025551000", pace: 10_000, country: "US" };
    let pool = setup::pool(&client, "bench", &[sender]).await?;
    // A quota of a minute would end before the platform does.
    let most = 100 * people;
    let quota = json!({ "quota": { "per_minute": most, "per_hour": most, "per_day": most } });
    client.put("/v1/policies", &quota).await?;

    for first in (0..people).step_by(LINES) {
        eprintln!("loading contacts: {first} of {people} ...");
        let lines = first..people.min(first + LINES);
        let mut csv = String::from("phone,first_name,region,consent,consent_source\n");
        for index in lines {
            let _ = writeln!(csv, "{},Pat,US-NY,yes,bench", load::number(index));
        }
        setup::import(&client, csv).await?;
    }
    platform.postgres.settle().await?;
    let text = "Spring sale, {first_name|friend}: 20 % off until Sunday";
    setup::campaign(&client, "bench", &pool, text).await
}

/// Watches every tenth of the campaign, from the first message that is sent.
async fn watch(platform: &Platform, sent: &Sent, people: usize) -> anyhow::Result<Vec<Tenth>> {
    let groups: Vec<UsageGroup> =
        usage::each(platform).into_iter().filter(UsageGroup::is_ours).collect();
    let mut before = sent.wait_for(1).await?;
    let mut begun = Instant::now();
    // Every tenth begins with such a look, which takes its time.
    let _ = usage::own_memory(&groups);

    let mut tenths = Vec::with_capacity(PARTS);
    for part in 1..=PARTS {
        let reached = sent.wait_for(people * part / PARTS).await?;
        let (messages, took) = (reached - before, begun.elapsed());
        (before, begun) = (reached, Instant::now());
        eprintln!("{reached} sent, {:.0} messages/s ...", messages as f64 / took.as_secs_f64());
        let memory = usage::own_memory(&groups);
        tenths.push(Tenth { messages, took, memory });
    }
    Ok(tenths)
}

/// The last tenth's rate in that of the first.
fn rate_kept(tenths: &[Tenth]) -> f64 {
    match (tenths.first(), tenths.last()) {
        (Some(first), Some(last)) => last.rate() / first.rate(),
        _ => f64::NAN,
    }
}

/// The memory at the end in that of when everything was warm.
fn growth(tenths: &[Tenth]) -> f64 {
    match (tenths.get(WARM - 1), tenths.last()) {
        (Some(warm), Some(last)) => last.bytes() as f64 / warm.bytes() as f64,
        _ => f64::NAN,
    }
}

fn print(tenths: &[Tenth]) {
    println!();
    println!("{:<8} {:>9} {:>12} {:>9}   of each process", "tenth", "messages", "messages/s", "MB");
    for (index, tenth) in tenths.iter().enumerate() {
        let megabytes = |bytes: u64| bytes as f64 / MEGABYTE;
        let each: Vec<String> = tenth
            .memory
            .iter()
            .map(|(name, bytes)| format!("{name} {:.0}", megabytes(*bytes)))
            .collect();
        println!(
            "{:<8} {:>9} {:>12.0} {:>9.0}   {}",
            index + 1,
            tenth.messages,
            tenth.rate(),
            megabytes(tenth.bytes()),
            each.join(", ")
        );
    }
}

// === impl Tenth ===

impl Tenth {
    /// Messages per second.
    fn rate(&self) -> f64 {
        self.messages as f64 / self.took.as_secs_f64()
    }

    /// Bytes of memory of all processes.
    fn bytes(&self) -> u64 {
        self.memory.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenth(messages: usize, megabytes: u64) -> Tenth {
        let memory = BTreeMap::from([("gate", megabytes * 1_000_000)]);
        Tenth { messages, took: Duration::from_secs(2), memory }
    }

    #[test]
    fn the_end_is_held_against_the_beginning_and_memory_against_what_was_warm() {
        let tenths = [tenth(1_000, 10), tenth(1_500, 100), tenth(900, 110)];
        assert!((rate_kept(&tenths) - 0.9).abs() < 1e-9);
        assert!((growth(&tenths) - 1.1).abs() < 1e-9);
    }

    #[test]
    fn without_tenths_there_is_no_figure() {
        assert!(rate_kept(&[]).is_nan() && growth(&[tenth(1, 1)]).is_nan());
    }
}
