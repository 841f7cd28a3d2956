//! What came of it: how long the codes took, whose part of the shared account was how large, how
//! often a message waited for its pace, and whether every pace was kept.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    blow::Blow,
    pace::{self, SentTexts},
    work::{CODES, FLOODED_PACE, FLOODING, FairWork, LARGE, NUMBERS, SHARED_PACE, SMALL, WEIGHTS},
};
use crate::platform::Platform;

/// How often a message may be put aside for its pace, on average.
const PARKS: f64 = 1.2;

/// The least of its rate that an account keeps beside a slow one.
const KEPT: f64 = 0.9;

/// Flooded messages whose passports are read, and how many at once.
const SAMPLE: usize = 200;
const ASKED_AT_ONCE: usize = 8;

/// How long the last codes may take, and how long the small campaign may.
const PATIENCE: Duration = Duration::from_secs(60);
const CAMPAIGN: Duration = Duration::from_secs(180);

/// What was found.
pub struct FairVerdict {
    rows: Vec<Row>,
}

/// One line of the table.
struct Row {
    what: String,
    found: String,
    fine: bool,
}

/// What is fair.
pub struct FairLimits {
    /// The part of their paces that the flooded sender must have used and, where it is less than
    /// [`KEPT`], the shared account.
    pub used: f64,
    /// How long 99 of 100 codes may take; any may take twice as long.
    pub within: Duration,
    /// How far the part of a shared account may be off.
    pub off: f64,
}

/// Waits until the codes and the small campaign are at the carrier, and looks at its ledger.
/// # Errors
/// Somebody does not answer, or something does not arrive.
pub async fn reach(
    platform: &Platform,
    work: &FairWork,
    codes: &BTreeMap<String, Timestamp>,
    flooded: &[String],
    limits: &FairLimits,
    blow: Option<Blow>,
) -> anyhow::Result<FairVerdict> {
    let arrived = tokio::time::timeout(PATIENCE, arrivals(platform, codes)).await;
    let took = arrived.context("codes did not arrive at the carrier")??;
    let small = tokio::time::timeout(CAMPAIGN, small_is_sent(platform, work)).await;
    small.context("the small campaign was not sent in time")??;

    let lines = Lines::of(platform).await?;
    print_slow(platform, &took, limits.within).await?;
    let (held, took): (Vec<Arrival>, Vec<Arrival>) = took
        .into_iter()
        .partition(|code| blow.is_some_and(|blow| blow.held(code.begun_at, code.took())));
    let mut rows = latency(&took, limits.within);
    rows.extend(blow.map(|blow| held_by(blow, &held)));
    rows.push(share(&lines, limits.off, blow));
    rows.push(parks(platform, flooded).await?);
    rows.extend(used(&lines, limits.used, blow));
    rows.extend(paces(&lines));
    Ok(FairVerdict { rows })
}

impl FairVerdict {
    /// Whether everything is as it must be.
    pub fn passes(&self) -> bool {
        self.rows.iter().all(|row| row.fine)
    }

    /// Prints the table.
    pub fn print(&self) {
        for Row { what, found, fine } in &self.rows {
            println!("{:<4} {what:<44} {found}", if *fine { "ok" } else { "FAIL" });
        }
        let verdict = if self.passes() { "the neighbours notice nothing" } else { "not fair" };
        println!("{verdict}");
    }
}

/// The texts that the carrier has, by the number that sent them.
struct Lines(BTreeMap<String, SentTexts>);

impl Lines {
    async fn of(platform: &Platform) -> anyhow::Result<Self> {
        let mut by_sender: BTreeMap<String, SentTexts> = BTreeMap::new();
        for line in platform.ledger().await? {
            let from = line["from"].as_str().context("from")?.to_owned();
            let segments = u32::try_from(line["segments"].as_u64().context("segments")?)?;
            by_sender.entry(from).or_default().push((received_at(&line)?, segments));
        }
        by_sender.values_mut().for_each(|sent| sent.sort_unstable());
        Ok(Self(by_sender))
    }

    fn from(&self, tenant: usize) -> SentTexts {
        self.0.get(NUMBERS[tenant]).cloned().unwrap_or_default()
    }
}

fn received_at(line: &Value) -> anyhow::Result<Timestamp> {
    Ok(line["received_at"].as_str().context("received_at")?.parse()?)
}

/// A code that has arrived at the carrier.
struct Arrival {
    id: String,
    /// When it was requested.
    begun_at: Timestamp,
    /// How long it took from there, in milliseconds.
    millis: f64,
}

impl Arrival {
    fn took(&self) -> Duration {
        Duration::from_secs_f64(self.millis.max(0.0) / 1_000.0)
    }
}

/// The codes in order of time, once all have arrived.
async fn arrivals(
    platform: &Platform,
    codes: &BTreeMap<String, Timestamp>,
) -> anyhow::Result<Vec<Arrival>> {
    loop {
        let mut took = Vec::new();
        for line in platform.ledger().await? {
            let known = line["reference"].as_str().and_then(|id| codes.get_key_value(id));
            if let Some((id, begun)) = known {
                let millis = received_at(&line)?.duration_since(*begun).as_secs_f64() * 1_000.0;
                took.push(Arrival { id: id.clone(), begun_at: *begun, millis });
            }
        }
        if took.len() >= codes.len() {
            took.sort_by_key(|code| code.begun_at);
            return Ok(took);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits until the small campaign is with the carrier.
async fn small_is_sent(platform: &Platform, work: &FairWork) -> anyhow::Result<()> {
    while Lines::of(platform).await?.from(SMALL).len() < work.small {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Tells which codes took longest, when they were sent, and when each stage had them.
async fn print_slow(
    platform: &Platform,
    codes: &[Arrival],
    within: Duration,
) -> anyhow::Result<()> {
    let Some(first) = codes.first() else { return Ok(()) };
    for code in codes.iter().filter(|code| code.took() > within / 2) {
        let message = platform.client(CODES)?.get(&format!("/v1/messages/{}", code.id)).await?;
        let stamps = message["passport"].as_array().cloned().unwrap_or_default();
        let at =
            |stamp: &Value| Some(format!("{} {}", stamp["stage"].as_str()?, stamp["at"].as_str()?));
        let stages: Vec<String> = stamps.iter().filter_map(at).collect();

        let after = code.begun_at.duration_since(first.begun_at).as_secs_f64();
        let (millis, stages) = (code.millis, stages.join(", "));
        println!("     the code of second {after:.0} took {millis:.0} ms: {stages}");
    }
    Ok(())
}

fn latency(codes: &[Arrival], within: Duration) -> Vec<Row> {
    let mut took: Vec<f64> = codes.iter().map(|code| code.millis).collect();
    took.sort_by(f64::total_cmp);
    let percentile = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    let (p50, p99, longest) = (percentile(0.5), percentile(0.99), percentile(1.0));
    let row = |what: &str, found: f64, limit: f64| Row {
        what: format!("codes, {what}"),
        found: format!("{found:.0} ms of {limit:.0}"),
        fine: found < limit,
    };
    let within = within.as_secs_f64() * 1_000.0;
    vec![row("median", p50, within), row("p99", p99, within), row("longest", longest, 2.0 * within)]
}

/// The codes that a dead or frozen process held, and for how long at most.
fn held_by(blow: Blow, held: &[Arrival]) -> Row {
    let bound = blow.bound().as_secs_f64() * 1_000.0;
    let longest = held.iter().map(|code| code.millis).fold(0.0, f64::max);
    Row {
        what: "codes that a dead or frozen process held".to_owned(),
        found: format!("{}, {longest:.0} ms of {bound:.0} at most", held.len()),
        fine: longest <= bound,
    }
}

/// From when to when both campaigns on the shared account had texts to send; none unless both did.
fn both(lines: &Lines) -> (Option<Timestamp>, Option<Timestamp>) {
    let (small, large) = (lines.from(SMALL), lines.from(LARGE));
    let begun = small.first().zip(large.first()).map(|(a, b)| a.0.max(b.0));
    let ended = small.last().zip(large.last()).map(|(a, b)| a.0.min(b.0));
    (begun, ended)
}

/// The small campaign's part of the account while both campaigns had texts to send, and nothing of
/// theirs was held by a dead or frozen process.
fn share(lines: &Lines, off: f64, blow: Option<Blow>) -> Row {
    let (small, large) = (lines.from(SMALL), lines.from(LARGE));
    let (begun, ended) = both(lines);
    let within = |sent: &SentTexts| {
        let is_in = |at: Timestamp| {
            begun <= Some(at) && Some(at) <= ended && !blow.is_some_and(|blow| blow.affects(at))
        };
        sent.iter().filter(|(at, _)| is_in(*at)).map(|(_, segments)| f64::from(*segments)).sum()
    };

    let (small, large): (f64, f64) = (within(&small), within(&large));
    let wanted = f64::from(WEIGHTS[0]) / f64::from(WEIGHTS.iter().sum::<u32>());
    let got = small / (small + large).max(1.0);
    Row {
        what: "small campaign's part of a shared account".to_owned(),
        found: format!("{:.1} % of {:.1} %", got * 100.0, wanted * 100.0),
        fine: (got / wanted - 1.0).abs() <= off,
    }
}

/// How often flooded messages were put aside for their pace, by their passports.
async fn parks(platform: &Platform, flooded: &[String]) -> anyhow::Result<Row> {
    let client = platform.client(FLOODING)?;
    let step = (flooded.len() / SAMPLE).max(1);
    let asked = flooded.iter().step_by(step).map(|id| {
        let client = client.clone();
        async move {
            let message = client.get(&format!("/v1/messages/{id}")).await?;
            let stamps = message["passport"].as_array().cloned().unwrap_or_default();
            anyhow::Ok(stamps.iter().filter(|stamp| stamp["code"] == "pace").count())
        }
    });
    let parks: Vec<usize> = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;

    let mean = parks.iter().sum::<usize>() as f64 / parks.len().max(1) as f64;
    let most = parks.iter().max().copied().unwrap_or_default();
    Ok(Row {
        what: "waits for the pace per flooded message".to_owned(),
        found: format!("{mean:.2} on average, {most} at most, of {PARKS}"),
        fine: mean <= PARKS,
    })
}

/// How much of their paces the flooded sender and the shared account used, while nothing of theirs
/// was held by a dead or frozen process. The account has the slow account beside it.
fn used(lines: &Lines, least: f64, blow: Option<Blow>) -> Vec<Row> {
    let (begun, ended) = both(lines);
    let mut shared = [lines.from(SMALL), lines.from(LARGE)].concat();
    shared.retain(|(at, _)| begun <= Some(*at) && Some(*at) <= ended);
    shared.sort_unstable();

    let of = [
        ("the flooded sender's pace is used", lines.from(FLOODING), FLOODED_PACE, least),
        ("the shared account's pace is used", shared, SHARED_PACE, least.min(KEPT)),
    ];
    let row = |(what, sent, rate, least): (&str, SentTexts, u32, f64)| {
        let used = rate_of(&sent, blow) / f64::from(rate);
        let (what, found) = (what.to_owned(), format!("{:.1} %", used * 100.0));
        Row { what, found, fine: used >= least }
    };
    of.into_iter().map(row).collect()
}

/// Segments per second, apart from what a dead or frozen process held.
fn rate_of(sent: &SentTexts, blow: Option<Blow>) -> f64 {
    let (mut segments, mut seconds) = (0.0, 0.0);
    for ((before, _), (at, size)) in sent.iter().zip(sent.iter().skip(1)) {
        if !blow.is_some_and(|blow| blow.affects(*before) || blow.affects(*at)) {
            segments += f64::from(*size);
            seconds += at.duration_since(*before).as_secs_f64();
        }
    }
    segments / f64::max(seconds, 1.0)
}

/// Whether the paces of the flooded sender and of the shared account were kept.
fn paces(lines: &Lines) -> Vec<Row> {
    let mut shared = [lines.from(SMALL), lines.from(LARGE)].concat();
    shared.sort_unstable();
    let of = [
        ("the flooded sender's pace", lines.from(FLOODING), FLOODED_PACE),
        ("the shared account's pace", shared, SHARED_PACE),
    ];
    let row = |(what, sent, rate): (&str, SentTexts, u32)| {
        let broken = pace::broken(&sent, rate.into());
        let fine = broken.is_none();
        Row { what: what.to_owned(), found: broken.unwrap_or_else(|| "kept".into()), fine }
    };
    of.into_iter().map(row).collect()
}
