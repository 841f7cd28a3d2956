//! `millrace rollup rebuild`: counts the rows of messages again, and holds that against the totals;
//! or holds the series against the events.

pub mod since;

use std::process::ExitCode;

use domain::ids::TenantId;
use jiff::Timestamp;
use store::{
    Role, Store,
    analytics::recount::{self, CountDifference},
    settings::tenants,
};

use since::{HourDifference, SeriesSpan};
use wire::subject::Scope;

use crate::{
    cli::rollup::{Rebuild, RollupAction, RollupCommand},
    process::ProcessParts,
};

/// How many tenants are looked up at once.
const TENANTS: i64 = 1_000;

/// Compares tenant by tenant, and corrects what differs unless it is only to be told.
pub async fn run(command: RollupCommand) -> anyhow::Result<ExitCode> {
    let RollupAction::Rebuild(Rebuild { check, since, tenant, common }) = command.action;
    let process = ProcessParts::begin(common)?;
    // One connection holds the turn, the other counts.
    let store = process.store(Role::Pipeline, 2).await?;
    let keys = match tenant {
        Some(tenant) => vec![tenant],
        None => everybody(&process.store(Role::Api, 1).await?).await?,
    };

    let found = match since {
        Some(since) => series(&process, &store, &keys, since, check).await?,
        None => totals(&process, &store, &keys, check).await?,
    };
    let (different, agree) = (found.different, found.compared - found.different);
    println!("{agree} of {} {} of {} tenants agree", found.compared, found.what, keys.len());
    if different > 0 && !check {
        println!("{different} are corrected");
    }
    Ok(if different > 0 && check { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What was compared, over all tenants.
struct Compared {
    what: &'static str,
    compared: usize,
    different: usize,
}

/// Holds the totals against the rows.
async fn totals(
    process: &ProcessParts,
    store: &Store,
    keys: &[TenantId],
    check: bool,
) -> anyhow::Result<Compared> {
    let mut all = Compared { what: "totals", compared: 0, different: 0 };
    for key in keys {
        let found = if check {
            recount::compare(store, key).await?
        } else {
            recount::rebuild(store, key, process.time.now()).await?
        };
        for CountDifference { scope, variant, name, counted, rows } in &found.differences {
            let scope = named(scope);
            let variant =
                variant.as_ref().map_or_else(String::new, |key| format!(" variant {key}"));
            println!("{key} {scope}{variant} {name}: {counted} counted, {rows} by the rows");
        }
        all.compared += found.compared;
        all.different += found.differences.len();
    }
    Ok(all)
}

/// Holds the series against the events.
async fn series(
    process: &ProcessParts,
    store: &Store,
    keys: &[TenantId],
    since: Timestamp,
    check: bool,
) -> anyhow::Result<Compared> {
    let broker = process.broker("rollup-rebuild").await?;
    let span = SeriesSpan::since(since, process.time.now())?;
    let mut all = Compared { what: "counts by the hour", compared: 0, different: 0 };
    for key in keys {
        let found = since::compare(store, &broker, key, span).await?;
        for HourDifference { key: (scope, hour, name), counted, events } in &found.differences {
            let scope = named(scope);
            println!("{key} {scope} {hour} {name}: {counted} counted, {events} by the events");
        }
        if !check && !found.differences.is_empty() {
            since::correct(store, key, span, &found).await?;
        }
        all.compared += found.compared;
        all.different += found.differences.len();
    }
    Ok(all)
}

/// A scope as it is printed.
fn named(scope: &Scope) -> String {
    let id = scope.id().map_or_else(String::new, |id| format!(" {id}"));
    format!("{}{id}", scope.as_str())
}

/// The keys of every tenant, in their order.
async fn everybody(directory: &Store) -> anyhow::Result<Vec<TenantId>> {
    let mut everybody: Vec<TenantId> = Vec::new();
    loop {
        let last = everybody.last().map_or("", TenantId::as_str);
        let page = tenants::after(directory, last, TENANTS).await?;
        if page.is_empty() {
            return Ok(everybody);
        }
        for key in page {
            everybody.push(key.parse()?);
        }
    }
}
