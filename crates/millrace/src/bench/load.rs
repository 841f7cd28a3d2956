//! What the benchmark sends: each message to another contact, all of them consenting, at an open
//! hour, under real policies and with a long list of opt-outs.

use std::{
    fmt::Write,
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::watch::Sent;
use crate::{
    cli,
    demo::setup,
    platform::{OPEN_HOUR, Platform},
};

/// Contacts kept for the latency measurement.
const SPARE: usize = 3_000;

/// Messages in one request.
const BATCH: usize = 1_000;

/// Requests under way at once.
const REQUESTS: usize = 4;

/// Messages that may be submitted and not sent yet, when sending for a time.
pub const OUTSTANDING: usize = 20_000;

/// Messages per second that contacts are made for, when sending for a time.
pub const CONTACTS_PER_SECOND: u64 = 8_000;

/// Likewise for a run of many minutes, whose contacts take minutes to load. It fails where they do
/// not last.
pub const CONTACTS_PER_HELD: u64 = 5_000;

/// Tenants with senders and contacts.
pub struct BenchWork {
    pools: Vec<String>,
    contacts: usize,
    /// How many of each tenant's contacts were taken: each gets one message.
    taken: Vec<AtomicUsize>,
    /// Messages that were accepted.
    accepted: AtomicUsize,
}

/// For how long batches are submitted, and how far ahead of the carrier.
#[derive(Debug, Clone, Copy)]
pub struct BatchSpan {
    /// None: until the contacts are used up, as fast as the api takes them.
    pub time: Option<Duration>,
    /// Messages that may be submitted and not sent yet, where there is a time.
    pub outstanding: usize,
}

impl BatchSpan {
    /// For so long, with a backlog throughout.
    pub fn of(time: Duration) -> Self {
        Self { time: Some(time), outstanding: OUTSTANDING }
    }
}

impl BenchWork {
    /// A tenant's pool.
    pub fn pool(&self, tenant: usize) -> &str {
        &self.pools[tenant % self.pools.len()]
    }

    /// How many messages were accepted so far.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Notes that so many more were accepted.
    pub fn accept(&self, messages: usize) {
        self.accepted.fetch_add(messages, Ordering::Relaxed);
    }

    /// Takes the next contacts of a tenant, so many at most; none where all are used up.
    pub fn take(&self, tenant: usize, most: usize) -> Option<Range<usize>> {
        let all = self.contacts / self.pools.len();
        let first = self.taken[tenant].fetch_add(most, Ordering::Relaxed);
        (first < all).then(|| first..all.min(first + most))
    }

    /// The tenant and the number of one of the contacts that are kept for the latency.
    pub fn spare(&self, index: usize) -> (usize, String) {
        self.contact(self.contacts + index)
    }

    /// Contacts are dealt out to the tenants one by one.
    fn contact(&self, index: usize) -> (usize, String) {
        (index % self.pools.len(), number(index / self.pools.len()))
    }
}

/// Has the carrier take so many milliseconds for each answer. Both receipts of a text follow soon.
///
/// # Errors
/// The sandbox does not answer.
pub async fn carrier_takes(platform: &Platform, milliseconds: u32) -> anyhow::Result<()> {
    let faults = json!({ "latency_ms": milliseconds, "receipts": { "delay_ms": [0, 50] } });
    platform.sandbox.put("/sandbox/faults", &faults).await.map(drop)
}

/// Makes tenants, senders, so many contacts and opt-outs through the public API.
///
/// # Errors
/// The api refuses something.
pub async fn prepare(
    platform: &mut Platform,
    args: &cli::bench::Bench,
    contacts: usize,
) -> anyhow::Result<BenchWork> {
    // Business time stands still there.
    platform.sandbox.put("/sandbox/clock", &json!({ "now": OPEN_HOUR, "rate": 0 })).await?;
    carrier_takes(platform, 0).await?;
    platform.make_tenants(args.tenants).await?;

    let mut pools = Vec::new();
    let each = (contacts + SPARE).div_ceil(args.tenants);
    eprintln!("loading {} contacts and {} opt-outs ...", each * args.tenants, args.opt_outs);
    for tenant in 0..platform.tenants() {
        let client = platform.client(tenant)?;
        let sender = format!("+1202555{:04}", 1000 + tenant);
        let account = format!("bench{tenant:02}");
        let senders = [setup::DemoSender { number: &sender, pace: 10_000, country: "US" }];
        setup::account(&client, &platform.sandbox_url, &account).await?;
        pools.push(setup::pool(&client, &account, &senders).await?);
        let refused = args.opt_outs / args.tenants;
        setup::import(&client, contacts_csv(each, refused)).await?;
    }

    // Loading is not what is measured, nor is what it leaves to be done.
    platform.postgres.settle().await?;
    let taken = pools.iter().map(|_| AtomicUsize::new(0)).collect();
    Ok(BenchWork { pools, contacts, taken, accepted: AtomicUsize::new(0) })
}

/// Contacts who consent, and behind them as many again as have opted out.
fn contacts_csv(consenting: usize, refused: usize) -> String {
    let mut csv = String::with_capacity((consenting + refused) * 48);
    csv.push_str("phone,first_name,region,consent,consent_source,do_not_contact\n");
    for index in 0..consenting + refused {
        let no = if index < consenting { "" } else { "yes" };
        let _ = writeln!(csv, "{},Pat,US-NY,yes,bench,{no}", number(index));
    }
    csv
}

/// A New York number: nearly 8 million of them.
pub fn number(index: usize) -> String {
    format!("+1212{:07}", 2_000_000 + index)
}

/// Submits batches until the contacts, or the time, are used up; says how many messages were
/// accepted in all.
///
/// # Errors
/// The api refuses a batch.
pub async fn submit(
    platform: &Platform,
    work: &BenchWork,
    span: BatchSpan,
    sent: &Sent,
) -> anyhow::Result<usize> {
    let end = span.time.map(|time| Instant::now() + time);
    let mut sending: JoinSet<anyhow::Result<usize>> = JoinSet::new();
    let mut tenants = (0..platform.tenants()).cycle();

    while end.is_none_or(|end| Instant::now() < end) {
        while sending.len() >= REQUESTS {
            work.accept(sending.join_next().await.context("a request")???);
        }
        if end.is_some() && work.accepted() > sent.count() + span.outstanding {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        }

        let tenant = tenants.next().context("a tenant")?;
        let Some(people) = work.take(tenant, BATCH) else { break };
        let client = platform.client(tenant)?;
        let body = batch(work.pool(tenant), people);
        sending.spawn(async move {
            let answer = client.post("/v1/messages/batch", &body).await?;
            Ok(answer["accepted"].as_u64().context("accepted")? as usize)
        });
    }

    while let Some(accepted) = sending.join_next().await {
        work.accept(accepted??);
    }
    Ok(work.accepted())
}

fn batch(pool: &str, people: Range<usize>) -> Value {
    let messages: Vec<Value> = people.map(|index| message(pool, index)).collect();
    json!({ "messages": messages })
}

/// A promotion to one of a tenant's contacts.
pub fn message(pool: &str, index: usize) -> Value {
    json!({
        "to": number(index),
        "class": "promo",
        "pool": pool,
        "body": "Spring sale: 20 % off until Sunday",
    })
}
