//! What every run under blows is held to in the end, however its messages were made.

mod events;

use std::{collections::BTreeMap, time::Duration};

use domain::{ids::TenantId, message::state::MessageState};
use jiff::Timestamp;
use pipeline::Broker;
use store::{
    Role, Store,
    analytics::{
        counts,
        recount::{self, CountDifference},
    },
};

use crate::{
    demo::client::HttpCaller,
    platform::{self, Platform},
    recount::since::{self, HourDifference, SeriesSpan},
};

/// Fewer than one message in so many may end as unknown.
const UNKNOWN_IN: usize = 1_000;

/// How long the rollup may lag behind.
const LAG: Duration = Duration::from_secs(20);

/// States in which a message may still change by itself.
pub const OPEN: [&str; 7] =
    ["waiting", "accepted", "deferred", "held", "queued", "in_doubt", "sent"];

/// Checks that no message is open and that few ended as unknown.
pub fn final_states(states: &BTreeMap<String, usize>, all: usize, wrong: &mut Vec<String>) {
    for open in OPEN {
        if let Some(count) = states.get(open) {
            wrong.push(format!("{count} messages are {open}"));
        }
    }
    let unknown = states.get("unknown").copied().unwrap_or_default();
    if unknown * UNKNOWN_IN >= all {
        wrong.push(format!("{unknown} of {all} messages ended as unknown"));
    }
}

/// Checks that the dashboard's totals come to the same numbers.
///
/// # Errors
/// The api does not answer.
pub async fn against_rollup(
    client: &HttpCaller,
    states: &BTreeMap<String, usize>,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let begun = std::time::Instant::now();
    loop {
        let dashboard = client.get("/v1/analytics/dashboard").await?;
        let total = |state: &str| dashboard["totals"][state].as_u64().unwrap_or_default() as usize;
        let off: Vec<_> = states.iter().filter(|(state, count)| total(state) != **count).collect();
        if off.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > LAG {
            wrong.push(format!("the rollup differs in {off:?}: {}", dashboard["totals"]));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Checks that the totals of a tenant are what the rows say, to the last detail.
///
/// # Errors
/// The database does not answer.
pub async fn against_rows(
    platform: &Platform,
    tenant: usize,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let (store, tenant) = (platform.store(Role::Pipeline).await?, platform::tenant(tenant)?);
    let found = recount::compare(&store, &tenant).await?;
    for CountDifference { scope, variant, name, counted, rows } in found.differences {
        let of = variant.map_or_else(String::new, |key| format!(" of variant {key}"));
        let scope = scope.as_str();
        wrong.push(format!(
            "the {scope}'s {name}{of} is {counted} by the totals, {rows} by the rows"
        ));
    }
    against_backlog(&store, &tenant, wrong).await
}

/// Checks that rollup folds everything that a tenant's messages have moved.
async fn against_backlog(
    store: &Store,
    tenant: &TenantId,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let begun = std::time::Instant::now();
    loop {
        let groups = counts::unfolded(store, tenant).await?;
        if groups == 0 {
            return Ok(());
        }
        if begun.elapsed() > LAG {
            wrong.push(format!("{groups} groups of moves are in no total"));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Checks that the events of all changes of a tenant come to the same numbers, where EVENTS holds
/// all of them.
///
/// # Errors
/// The broker does not answer.
pub async fn against_events(
    platform: &Platform,
    tenant: usize,
    states: &BTreeMap<String, usize>,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let broker = platform.broker("verdict").await?;
    let tenant = platform::tenant(tenant)?;
    let Some(counts) = events::counts(&broker, &tenant).await? else { return Ok(()) };
    against_series(platform, &broker, &tenant, wrong).await?;
    for state in MessageState::ALL.map(MessageState::as_str) {
        let said = counts.get(state).copied().unwrap_or_default();
        let told = states.get(state).copied().unwrap_or_default();
        if i64::try_from(told) != Ok(said) {
            wrong.push(format!("{told} messages are {state}, {said} by the events"));
        }
    }
    Ok(())
}

/// Checks that the series of a tenant come to what the events say, hour by hour.
async fn against_series(
    platform: &Platform,
    broker: &Broker,
    tenant: &TenantId,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    let store = platform.store(Role::Pipeline).await?;
    let whole = SeriesSpan::whole(Timestamp::UNIX_EPOCH, Timestamp::MAX);
    let check = since::compare(&store, broker, tenant, whole).await?;
    if check.compared == 0 {
        wrong.push("the series hold nothing".to_owned());
    }
    for HourDifference { key: (scope, hour, name), counted, events } in check.differences {
        let scope = scope.as_str();
        wrong.push(format!(
            "the {scope}'s {name} in the hour from {hour} is {counted} by its series, {events} by \
             the events"
        ));
    }
    Ok(())
}

/// Prints the counts side by side, and what is wrong.
pub fn print_counts(
    accepted: usize,
    states: &BTreeMap<String, usize>,
    carrier: usize,
    wrong: &[String],
) {
    println!("\n  {:<32}{accepted:>8}", "accepted");
    for (state, count) in states {
        println!("  {state:<32}{count:>8}");
    }
    println!("  {:<32}{carrier:>8}", "in the carrier's ledger");
    for wrong in wrong {
        println!("  WRONG: {wrong}");
    }
}
