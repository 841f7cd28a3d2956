//! `millrace bench --inbound`: what people write, at 2,000 texts a second through the signed
//! webhook, of which 200 a second are a keyword that is answered. Twice: the keywords alone, and
//! among all others. The rate that is taken, the time from a webhook to its answer at the carrier,
//! and the time from there to the receipt of that answer are held against bars.

mod generator;

use std::{
    collections::HashMap,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use boot::{clock::machine_now, embedded::Scratch};
use futures::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinHandle;

use self::generator::{Generator, Written};
use super::load;
use crate::{
    cli,
    demo::setup,
    platform::{OPEN_HOUR, Plan, Platform, WORK_DIR},
};

/// Texts in a second, and those of them that are answered.
const TEXTS: u64 = 2_000;
const KEYWORDS: u64 = 200;

/// The share of a rate that must be kept: the last tick of a load may be late.
const KEPT: f64 = 0.98;

/// From a webhook to its answer at the carrier, at most, in milliseconds, for 99 in 100.
const ANSWERED_WITHIN: f64 = 2_000.0;

/// From the carrier to the event of the receipt, likewise; the sandbox waits up to 50 of these.
const RECEIPT_WITHIN: f64 = 1_000.0;

/// How long the last answers and receipts may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs both periods and prints what they took.
///
/// # Errors
/// The platform does not start, or answers do not come.
pub async fn run(args: &cli::bench::Bench, time: Duration) -> anyhow::Result<ExitCode> {
    let scratch = Scratch::under(Path::new(WORK_DIR))?;
    eprintln!("starting the platform, one process each ...");
    let mut platform = Platform::start(scratch.path(), &Plan::default()).await?;
    let generator = prepare(&mut platform, args.tenants).await?;
    let receipts = Receipts::start(&platform).await?;

    let mut first = 0;
    let (mut accepted, mut duplicates) = (0, 0);
    let mut periods = Vec::new();
    for (name, rate) in [("keywords alone", KEYWORDS), ("among all others", TEXTS)] {
        eprintln!("{name}: {rate} texts a second for {} s ...", time.as_secs());
        platform.sandbox.post("/sandbox/reset", &json!({})).await?;
        let every = rate / KEYWORDS;
        let written = generator.run(rate, every, time, first).await?;
        first += written.texts;
        periods.push(measure(&platform, &receipts, name, rate, written).await?);
        let truth = platform.sandbox_stats().await?;
        accepted += truth.accepted;
        duplicates += truth.duplicates;
    }
    platform.stop().await;

    println!(
        "{:<18} {:>9} {:>10} {:>9} {:>22} {:>22} {:>22}",
        "inbound",
        "texts",
        "per second",
        "answered",
        "webhook p50, p99 ms",
        "answer p50, p99 ms",
        "receipt p50, p99 ms"
    );
    let failed = periods.iter().filter(|period| !period.print()).count();
    println!("carrier            {accepted} accepted, {duplicates} duplicates");
    let passes = failed == 0 && duplicates == 0;
    println!("{}", if passes { "passes" } else { "FAILS" });
    Ok(if passes { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes tenants, each with a sender and an assistant that knows one keyword and asks no model.
async fn prepare(platform: &mut Platform, tenants: usize) -> anyhow::Result<Generator> {
    // Business time stands still there.
    platform.sandbox.put("/sandbox/clock", &json!({ "now": OPEN_HOUR, "rate": 0 })).await?;
    load::carrier_takes(platform, 0).await?;
    platform.sandbox.put("/sandbox/personas", &json!({})).await?;
    platform.make_tenants(tenants).await?;

    let mut hooks = Vec::new();
    for tenant in 0..platform.tenants() {
        let client = platform.client(tenant)?;
        let number = format!("+1202555{:04}", 1000 + tenant);
        let account = format!("bench{tenant:02}");
        let senders = [setup::DemoSender { number: &number, pace: 10_000, country: "US" }];
        setup::account(&client, &platform.sandbox_url, &account).await?;
        setup::pool(&client, &account, &senders).await?;
        let keyword = json!({ "words": [generator::KEYWORD], "answer": "Nine to five." });
        let settings = json!({ "scope": "company", "settings": { "keywords": [keyword] } });
        client.put("/v1/ai/settings", &settings).await?;
        hooks.push((format!("{}/webhooks/twilio/{account}/inbound", platform.api_url), number));
    }
    platform.postgres.settle().await?;
    let generator = Generator::new(hooks)?;
    generator.wait_until_known().await?;
    Ok(generator)
}

/// What a while of the load took.
struct InboundPeriod {
    name: &'static str,
    written: usize,
    rate: f64,
    wanted: f64,
    refused: usize,
    keywords: usize,
    webhooks: Spread,
    answers: Spread,
    receipts: Spread,
}

/// Milliseconds, from the shortest to the longest.
struct Spread(Vec<f64>);

impl Spread {
    fn of(mut millis: Vec<f64>) -> Self {
        millis.sort_by(f64::total_cmp);
        Self(millis)
    }

    fn at(&self, share: f64) -> f64 {
        let last = self.0.len().saturating_sub(1) as f64;
        self.0.get((last * share) as usize).copied().unwrap_or(f64::INFINITY)
    }

    fn told(&self) -> String {
        format!("{:.0}, {:.0}", self.at(0.5), self.at(0.99))
    }
}

impl InboundPeriod {
    /// Prints it, and says whether it holds every bar.
    fn print(&self) -> bool {
        let answered = format!("{} of {}", self.answers.0.len(), self.keywords);
        println!(
            "{:<18} {:>9} {:>10.0} {answered:>9} {:>22} {:>22} {:>22}",
            self.name,
            self.written,
            self.rate,
            self.webhooks.told(),
            self.answers.told(),
            self.receipts.told(),
        );

        let bars = [
            (self.refused == 0, format!("{} webhooks were refused", self.refused)),
            (self.rate >= self.wanted * KEPT, format!("{:.0} a second is the least", self.wanted)),
            (self.answers.0.len() == self.keywords, "not every keyword was answered".to_owned()),
            (
                self.answers.at(0.99) <= ANSWERED_WITHIN,
                format!("an answer takes {ANSWERED_WITHIN:.0} ms at most"),
            ),
            (self.receipts.0.len() == self.keywords, "not every receipt was told".to_owned()),
            (
                self.receipts.at(0.99) <= RECEIPT_WITHIN,
                format!("a receipt takes {RECEIPT_WITHIN:.0} ms at most"),
            ),
        ];

        let broken: Vec<String> =
            bars.into_iter().filter(|bar| !bar.0).map(|(_, why)| why).collect();
        broken.iter().for_each(|why| println!("  FAILS: {why}"));
        broken.is_empty()
    }
}

/// Waits until every keyword is answered at the carrier and its receipt told, or no more comes, and
/// puts the times together.
async fn measure(
    platform: &Platform,
    receipts: &Receipts,
    name: &'static str,
    rate: u64,
    written: Written,
) -> anyhow::Result<InboundPeriod> {
    let keywords = written.keywords.len();
    let told = async {
        while receipts.count() < keywords || platform.sandbox_stats().await?.accepted < keywords {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(done) => done?,
        Err(_) => eprintln!("what has not come after {} s is missing", PATIENCE.as_secs()),
    }

    let delivered = receipts.take();
    let (mut answers, mut reported) = (Vec::new(), Vec::new());
    for line in platform.ledger().await? {
        let read = |name: &str| line[name].as_str().context("a line of the ledger");
        let at: Timestamp = read("received_at")?.parse()?;
        answers.extend(written.keywords.get(read("to")?).map(|begun| millis(*begun, at)));
        reported.extend(delivered.get(read("reference")?).map(|told| millis(at, *told)));
    }
    Ok(InboundPeriod {
        name,
        written: written.texts,
        rate: written.texts as f64 / written.took.as_secs_f64(),
        wanted: rate as f64,
        refused: written.refused,
        keywords,
        webhooks: Spread::of(written.webhooks),
        answers: Spread::of(answers),
        receipts: Spread::of(reported),
    })
}

fn millis(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() * 1_000.0
}

/// When the receipt of each message was told first, by the event of it.
struct Receipts {
    told: Arc<Mutex<HashMap<String, Timestamp>>>,
    task: JoinHandle<()>,
}

/// What is read of an event.
#[derive(Deserialize)]
struct Said {
    data: Delivered,
}

#[derive(Deserialize)]
struct Delivered {
    message: String,
}

impl Receipts {
    async fn start(platform: &Platform) -> anyhow::Result<Self> {
        let client = platform.broker("bench").await?.client;
        let mut events = client.subscribe("events.*.message.delivered").await?;
        client.flush().await?;

        let told: Arc<Mutex<HashMap<String, Timestamp>>> = Arc::default();
        let noted = Arc::clone(&told);
        let task = tokio::spawn(async move {
            while let Some(frame) = events.next().await {
                let now = machine_now();
                let Ok(said) = serde_json::from_slice::<Vec<Said>>(&frame.payload) else {
                    continue;
                };
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                for one in said {
                    noted.entry(one.data.message).or_insert(now);
                }
            }
        });
        Ok(Self { told, task })
    }

    fn count(&self) -> usize {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What was told until now; what follows is counted anew.
    fn take(&self) -> HashMap<String, Timestamp> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Receipts {
    fn drop(&mut self) {
        self.task.abort();
    }
}
