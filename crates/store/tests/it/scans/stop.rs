//! An opt-out finds what is parked for its address.

use std::fs;

use anyhow::Context;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use testkit::Database;

use super::measure::{cost, fill, pipeline, print, size};

/// Where the statements of this crate are kept for a build without a database.
const STATEMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");

/// One tenant's messages that are parked until tomorrow, one for each number; inserted as an older
/// process does, which knows of no address.
const PARKED: &str =
    "insert into millrace.parked (tenant_id, message_id, turn, due, cause, lane, payload, rank,
        parked_at)
    select case $3::bigint when 1 then 'acme' end, gen_random_uuid(), 1, now() + interval '1 day',
        'quiet_hours:window', 'bulk',
        jsonb_build_object('head',
            jsonb_build_object('to', '+1' || 2000000000 + n, 'channel', 'sms')),
        2, now()
    from generate_series($1::bigint, $2::bigint) n";

#[tokio::test]
async fn an_opt_out_finds_what_is_parked_for_its_address_among_many() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let acme = database.tenant("acme").await?;
    let store = pipeline(&database).await?;
    let rows = size(500_000, 20_000);
    fill(&database, PARKED, rows, 1).await?;

    let prepare =
        format!("set plan_cache_mode = force_generic_plan; prepare stop as {}", statement()?);
    let mut tx = store.scoped([&acme]).await?;
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *tx).await?;
    tx.commit().await?;

    let stop = "execute stop (array['acme'], array['+12000000007'], array['sms'], now())";
    let cost = cost(&store, &[acme], stop).await?;
    print("STOP of an address", rows, 1, cost);
    assert!(cost.pages < 100 && cost.millis < 5.0, "{cost:?}");
    Ok(())
}

/// The statement that wakes what is parked for addresses.
fn statement() -> anyhow::Result<String> {
    for file in fs::read_dir(STATEMENTS)? {
        let kept: Value = serde_json::from_str(&fs::read_to_string(file?.path())?)?;
        let query = kept["query"].as_str().context("a query")?;
        if query.contains("join parked p") && query.contains("'channel' = k.channel") {
            return Ok(query.to_owned());
        }
    }
    anyhow::bail!("no statement wakes by address")
}
