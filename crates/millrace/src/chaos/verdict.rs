//! The end of a run: what the api, the carrier, the rollup and the counters say, side by side.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use anyhow::{Context, bail};
use domain::{
    gates::{CounterKey, CounterKind, Windows},
    message::class::Channel,
    zones::Zone,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde_json::Value;
use store::{Role, capacity::counters};

use super::{by_receipts, load::ChaosWork, reported::ReportedMessage};
use crate::{
    demo::{check, client::HttpCaller},
    platform::{self, OPEN_HOUR, Platform},
    verdict,
};

/// Messages asked for at once.
const ASKED_AT_ONCE: usize = 16;

/// What was found.
pub struct ChaosVerdict {
    /// Messages by state, as the api tells them one by one.
    states: BTreeMap<String, usize>,
    /// Texts in the ledgers of all carriers together.
    carrier: usize,
    /// Texts by carrier.
    by_carrier: BTreeMap<String, usize>,
    /// What does not agree; empty is well.
    wrong: Vec<String>,
}

/// How many single messages are open.
///
/// # Errors
/// The api does not answer.
pub async fn open(
    platform: &Platform,
    work: &ChaosWork,
    accepted: &BTreeMap<String, String>,
) -> anyhow::Result<usize> {
    let singles = singles(&platform.client(0)?, work, accepted).await?;
    let is_open = |told: &&ReportedMessage| {
        verdict::OPEN.contains(&told.state.as_str()) && !by_receipts::is_without_receipt(told)
    };
    Ok(singles.iter().filter(is_open).count())
}

/// Asks everybody and compares.
///
/// # Errors
/// Somebody does not answer.
pub async fn reach(
    platform: &Platform,
    work: &ChaosWork,
    accepted: &BTreeMap<String, String>,
) -> anyhow::Result<ChaosVerdict> {
    let client = platform.client(0)?;
    let ledger = work.ledger(platform).await?;
    let mut all = singles(&client, work, accepted).await?;
    let single_cost: i64 = all.iter().map(|told| told.cost).sum();
    for recipient in check::recipients(&client, &work.campaign).await? {
        let text = |name: &str| Some(recipient[name].as_str()?.to_owned());
        let id = text("message_id").context("message_id")?;
        let state = text("state").context("state")?;
        all.push(ReportedMessage { id, state, code: None, can_be_asked: true, cost: 0 });
    }

    let mut wrong = Vec::new();
    let states = by_state(&all);
    if ledger["balanced"] != true {
        wrong.push(format!("the campaign's ledger does not balance: {ledger}"));
    }
    if all.len() != work.messages() {
        wrong.push(format!("{} messages, but {} were accepted", all.len(), work.messages()));
    }

    let ledger_of_carriers = platform.ledger().await?;
    against_carrier(&ledger_of_carriers, &all, &mut wrong)?;
    let by_carrier = by_carrier(&ledger_of_carriers, work, &mut wrong);
    let carrier = ledger_of_carriers.len();
    let (asked, by_receipts): (Vec<ReportedMessage>, Vec<ReportedMessage>) =
        all.into_iter().partition(|told| told.can_be_asked);
    verdict::final_states(&by_state(&asked), asked.len(), &mut wrong);
    by_receipts::final_states(&by_receipts, &mut wrong);
    verdict::against_rollup(&client, &states, &mut wrong).await?;
    verdict::against_rows(platform, 0, &mut wrong).await?;
    verdict::against_events(platform, 0, &states, &mut wrong).await?;
    let campaign_cost = money(&ledger["cost"])?;
    against_budget(platform, campaign_cost + single_cost, &mut wrong).await?;

    Ok(ChaosVerdict { states, carrier, by_carrier, wrong })
}

/// Checks that the carrier holds each reference at most once and tells each message's fate as we
/// do. A message that two carriers have is there twice as well.
fn against_carrier(
    ledger: &[Value],
    all: &[ReportedMessage],
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let mut texts: HashMap<String, (usize, String)> = HashMap::new();
    for line in ledger {
        let reference = line["reference"].as_str().context("a text without a reference")?;
        let entry = texts.entry(reference.to_owned()).or_default();
        *entry = (entry.0 + 1, line["status"].as_str().unwrap_or_default().to_owned());
    }

    let twice = texts.values().filter(|(times, _)| *times > 1).count();
    if twice > 0 {
        wrong.push(format!("{twice} messages are more than once at the carrier"));
    }

    let agree = |told: &&ReportedMessage| {
        let status = texts.get(&told.id).map(|(_, status)| status.as_str());
        by_receipts::is_excused(told, status) || check::agree(&told.state, status)
    };
    let different: Vec<&ReportedMessage> = all.iter().filter(|told| !agree(told)).collect();
    if let Some(example) = different.first() {
        let status = texts.get(&example.id).map(|(_, status)| status);
        wrong.push(format!(
            "{} messages are told differently by the carrier: {} is {} here and {status:?} there",
            different.len(),
            example.id,
            example.state
        ));
    }
    Ok(())
}

/// How many texts each carrier has. One that has none took no part, and the run shows nothing about
/// it.
fn by_carrier(
    ledger: &[Value],
    work: &ChaosWork,
    wrong: &mut Vec<String>,
) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> =
        work.carriers.iter().map(|carrier| (carrier.as_str().to_owned(), 0)).collect();
    for line in ledger {
        *counts.entry(line["carrier"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    for (carrier, _) in counts.iter().filter(|(_, count)| **count == 0) {
        wrong.push(format!("no text went to {carrier}"));
    }
    counts
}

/// Checks that the budget's counter holds what the carrier billed, in micro-units.
async fn against_budget(
    platform: &Platform,
    billed: i64,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let zone = Zone::parse("America/New_York").context("the zone")?;
    let opened: Timestamp = OPEN_HOUR.parse()?;
    let key = CounterKey {
        tenant: platform::tenant(0)?,
        kind: CounterKind::SpendMonth,
        target: None,
        window_start: Windows::at(opened, zone).month_start,
    };

    let store = platform.store(Role::Pipeline).await?;
    let mut tx = store.scoped([&key.tenant]).await?;
    let spent = counters::used(&mut tx, &key).await?;
    if spent != billed {
        wrong.push(format!("{spent} micro-units are reserved, {billed} were billed"));
    }
    Ok(())
}

/// Messages by state.
fn by_state(all: &[ReportedMessage]) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for told in all {
        *states.entry(told.state.clone()).or_insert(0) += 1;
    }
    states
}

/// The single messages, asked one by one.
async fn singles(
    client: &HttpCaller,
    work: &ChaosWork,
    accepted: &BTreeMap<String, String>,
) -> anyhow::Result<Vec<ReportedMessage>> {
    let ask = async |id: &String| {
        let told = client.get(&format!("/v1/messages/{id}")).await?;
        let state = told["status"].as_str().context("status")?.to_owned();
        let channel = told["channel"].as_str().and_then(Channel::from_name).context("channel")?;
        let cost = if told["carrier_id"].is_null() { 0 } else { money(&told["cost"])? };
        anyhow::Ok(ReportedMessage {
            id: id.clone(),
            state,
            code: told["code"].as_str().map(str::to_owned),
            can_be_asked: by_receipts::can_be_asked(&work.carriers, channel),
            cost,
        })
    };
    stream::iter(accepted.values().map(ask)).buffer_unordered(ASKED_AT_ONCE).try_collect().await
}

/// An amount of the api, in micro-units.
fn money(amount: &Value) -> anyhow::Result<i64> {
    let Some(text) = amount["amount"].as_str() else { bail!("no amount in {amount}") };
    Ok((text.parse::<f64>()? * 1e6).round() as i64)
}

// === impl ChaosVerdict ===

impl ChaosVerdict {
    /// Whether everything agrees.
    pub fn passes(&self) -> bool {
        self.wrong.is_empty()
    }

    /// Prints the counts, what is wrong, and the verdict.
    pub fn print(&self, took: Duration) {
        let all = self.states.values().sum();
        verdict::print_counts(all, &self.states, self.carrier, &self.wrong);

        for (carrier, count) in &self.by_carrier {
            println!("  {count:>7}  texts at {carrier}");
        }

        let verdict = if self.passes() { "every count agrees" } else { "THE COUNTS DO NOT AGREE" };
        println!("\n  {verdict}; {:.1} s", took.as_secs_f64());
    }
}
