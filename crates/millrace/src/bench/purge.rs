//! `millrace bench --purge`: what retention costs that removes old messages. The same load twice on
//! one platform: alone, and while what was sent before is as old as nobody keeps it.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::ensure;
use domain::ids::TenantId;
use jiff::SignedDuration;
use store::{Role, Store, statistics};

use super::{
    load,
    period::{self, PeriodBench},
};
use crate::{cli, platform};

/// The share of the rate that is left beside a purge, at least.
const BESIDE_A_PURGE: f64 = 0.9;

/// Messages that a purge removes in a second, at least.
const LEAST: f64 = 500.0;

/// How much older the messages are made: their records are kept for 400 days.
const AGE: SignedDuration = SignedDuration::from_hours(24 * 500);

/// How long it may take until the purge has begun: a rule of which nothing was due rests a minute.
const BEGINS_WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs both periods and prints what the purge cost and removed.
///
/// # Errors
/// The platform does not start, a message is not sent, or the purge does not begin.
pub async fn run(args: &cli::bench::Bench, time: Duration) -> anyhow::Result<ExitCode> {
    let contacts = (2 * time.as_secs() * load::CONTACTS_PER_SECOND) as usize;
    let mut bench = PeriodBench::start(args, contacts).await?;
    let tenants = (0..args.tenants).map(platform::tenant).collect::<anyhow::Result<Vec<_>>>()?;
    let alone = bench.period("alone", time).await?;

    let store = bench.platform.store(Role::Pipeline).await?;
    eprintln!("what was sent becomes 500 days old ...");
    let mut aged = 0;
    for tenant in &tenants {
        aged += statistics::age_messages(&store, tenant, AGE).await?;
    }
    bench.platform.postgres.settle().await?;
    wait_for_a_purge(&store, &tenants, aged).await?;

    let before = statistics::messages_of(&store, &tenants).await?;
    let beside = bench.period("a purge", time).await?;
    let sent = beside.messages() as u64;
    let removed = (before + sent).saturating_sub(statistics::messages_of(&store, &tenants).await?);
    let rate = removed as f64 / beside.took().as_secs_f64();

    let rates = period::print(&alone, &[(&beside, BESIDE_A_PURGE)]);
    let verdict = if rate < LEAST { "  FAILS" } else { "" };
    println!("purge              {removed} of {aged} messages, {rate:.0} per second{verdict}");
    ensure!(removed < before, "the purge was over before the load: give fewer --purge seconds");
    bench.finish(rates && rate >= LEAST).await
}

/// Waits until the first of the old messages have gone.
async fn wait_for_a_purge(store: &Store, tenants: &[TenantId], aged: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    while statistics::messages_of(store, tenants).await? >= aged {
        ensure!(begun.elapsed() < BEGINS_WITHIN, "nothing is removed within {BEGINS_WITHIN:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
