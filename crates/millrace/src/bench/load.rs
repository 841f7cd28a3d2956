//! What the benchmark sends: each message to another contact, all of them consenting, at an open
//! hour, under real policies and with a long list of opt-outs.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::json;
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
const OUTSTANDING: usize = 20_000;

/// Messages per second that contacts are made for, when sending for a time.
const CONTACTS_PER_SECOND: u64 = 5_000;

/// Likewise for a run of many minutes, whose contacts take minutes to load. It fails where they do
/// not last.
const CONTACTS_PER_HELD: u64 = 3_600;

/// Tenants with senders and contacts.
pub struct BenchWork {
    pools: Vec<String>,
    contacts: usize,
    /// Batches that were submitted; each has contacts of its own.
    batches: usize,
    /// Messages that were accepted.
    accepted: usize,
}

impl BenchWork {
    /// A tenant's pool.
    pub fn pool(&self, tenant: usize) -> &str {
        &self.pools[tenant % self.pools.len()]
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

/// Makes tenants, senders, contacts and opt-outs through the public API.
///
/// # Errors
/// The api refuses something.
pub async fn prepare(
    platform: &mut Platform,
    args: &cli::bench::Bench,
) -> anyhow::Result<BenchWork> {
    // Business time stands still there.
    platform.sandbox.put("/sandbox/clock", &json!({ "now": OPEN_HOUR, "rate": 0 })).await?;
    let receipts = json!({ "receipts": { "delay_ms": [0, 50] } });
    platform.sandbox.put("/sandbox/faults", &receipts).await?;

    platform.make_tenants(args.tenants).await?;
    let contacts = match args.load_seconds() {
        Some(seconds) if args.hold_xmin.is_some() => (seconds * CONTACTS_PER_HELD) as usize,
        Some(seconds) => (seconds * CONTACTS_PER_SECOND) as usize,
        None => args.messages,
    };

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
    Ok(BenchWork { pools, contacts, batches: 0, accepted: 0 })
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

/// A New York number: 2 million of them.
pub(super) fn number(index: usize) -> String {
    format!("+1212{:07}", 2_000_000 + index)
}

/// Submits until all messages, or the time, are used up; says how many were accepted in all.
///
/// # Errors
/// The api refuses a batch.
pub async fn submit(
    platform: &Platform,
    work: &mut BenchWork,
    time: Option<Duration>,
    sent: &Sent,
) -> anyhow::Result<usize> {
    let end = time.map(|time| Instant::now() + time);
    let per_tenant = work.contacts / platform.tenants();
    let batches = per_tenant.div_ceil(BATCH) * platform.tenants();
    let mut sending: JoinSet<anyhow::Result<usize>> = JoinSet::new();

    while work.batches < batches {
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }

        while sending.len() >= REQUESTS {
            work.accepted += sending.join_next().await.context("a request")???;
        }
        while end.is_some() && work.accepted > sent.count() + OUTSTANDING {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }

        let tenant = work.batches % platform.tenants();
        let first = work.batches / platform.tenants() * BATCH;
        let client = platform.client(tenant)?;
        let body = batch(work.pool(tenant), first, BATCH.min(per_tenant - first));
        work.batches += 1;
        sending.spawn(async move {
            let answer = client.post("/v1/messages/batch", &body).await?;
            Ok(answer["accepted"].as_u64().context("accepted")? as usize)
        });
    }

    while let Some(accepted) = sending.join_next().await {
        work.accepted += accepted??;
    }
    Ok(work.accepted)
}

fn batch(pool: &str, first: usize, count: usize) -> serde_json::Value {
    let message = |index| {
        json!({
            "to": number(index),
            "class": "promo",
            "pool": pool,
            "body": "Spring sale: 20 % off until Sunday",
        })
    };
    json!({ "messages": (first..first + count).map(message).collect::<Vec<_>>() })
}
