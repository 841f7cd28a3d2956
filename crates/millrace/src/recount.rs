//! `millrace rollup rebuild`: counts the rows of messages again, and holds that against the totals.

use std::process::ExitCode;

use domain::ids::TenantId;
use store::{
    Role, Store,
    analytics::recount::{self, CountDifference, Recount},
    settings::tenants,
};

use crate::{
    cli::rollup::{Rebuild, RollupAction, RollupCommand},
    process::ProcessParts,
};

/// How many tenants are looked up at once.
const TENANTS: i64 = 1_000;

/// Compares tenant by tenant, and corrects what differs unless it is only to be told.
pub async fn run(command: RollupCommand) -> anyhow::Result<ExitCode> {
    let RollupAction::Rebuild(Rebuild { check, tenant, common }) = command.action;
    let process = ProcessParts::begin(common)?;
    // One connection holds the turn, the other counts.
    let store = process.store(Role::Pipeline, 2).await?;
    let keys = match tenant {
        Some(tenant) => vec![tenant],
        None => everybody(&process.store(Role::Api, 1).await?).await?,
    };

    let (mut compared, mut different) = (0, 0);
    for key in &keys {
        let found = if check {
            recount::compare(&store, key).await?
        } else {
            recount::rebuild(&store, key, process.time.now()).await?
        };
        print(key, &found);
        compared += found.compared;
        different += found.differences.len();
    }

    let (agree, tenants) = (compared - different, keys.len());
    println!("{agree} of {compared} totals of {tenants} tenants are what the rows say");
    if different > 0 && !check {
        println!("{different} are corrected");
    }
    Ok(if different > 0 && check { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(tenant: &TenantId, found: &Recount) {
    for CountDifference { scope, name, counted, rows } in &found.differences {
        let id = scope.id().map_or_else(String::new, |id| format!(" {id}"));
        println!("{tenant} {}{id} {name}: {counted} counted, {rows} by the rows", scope.as_str());
    }
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
