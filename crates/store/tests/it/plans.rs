//! Statements find rows by their keys, whatever a table held when they were planned
//! (docs/adr/0005).

use std::{collections::BTreeSet, fs};

use anyhow::Context;
use domain::ids::TenantId;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use store::{Role, Store};
use testkit::Database;

/// Where the statements of this crate are kept for a build without a database.
const STATEMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");

/// What grows with messages and people.
const GROWING: [&str; 10] = [
    "campaign_recipients",
    "consents",
    "contact_addresses",
    "contacts",
    "conversations",
    "counters",
    "messages",
    "open_claims",
    "parked",
    "standings",
];

/// Statements that Postgres plans by the tenant alone while a table is new, by their beginning, and
/// why that is to be borne.
const BORNE: [&str; 13] = [
    // A person's data is erased: once, not message by message.
    "with threads as materialized",
    // A text in doubt is settled: it is sorted by the key, and planned anew as the table grows.
    "select m.tenant_id, m.message_id, m.turn, m.state, m.class, m.contact_id, m.campaign_id,",
    // Totals are counted again: all messages of a tenant are.
    "with counted as",
    // Whoever checks a whole run counts its messages.
    "select state, count(*) as",
    // Whoever measures a purge makes all messages of its tenants old, and counts them.
    "update messages\n         set submitted_at = submitted_at -",
    "select count(*) as \"kept!\" from messages",
    // A person looks at a ledger: all that the tenant has put aside is looked through.
    "select min(p.due) from parked p",
    // A person reads what was taken for an opt-out: the index holds nothing else, in their order.
    "select c.consent_id, c.number, c.channel, c.program, c.evidence ->> 'words' as text,",
    // A receipt says neither our reference nor a number: the newest 20,000 are looked through.
    "with near as materialized",
    // What a switch or a setting wakes: so many rows at a time.
    "with woken as",
    // Somebody adds contacts: so many are counted as the plan of their company names, if any.
    "select count(*) as \"there!\" from (",
    // Conversations that are due go by where they lie, which an index of their age has found.
    "delete from conversations where ctid = any",
    // Whether a tenant has any message: the first that is found ends it.
    "select exists (select from messages where tenant_id = $1)",
];

#[tokio::test]
async fn in_a_new_database_no_statement_reads_all_rows_of_a_tenant() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let store = Store::connect(&database.url(), Role::Pipeline, 1).await?;

    let (mut planned, mut wide) = (0, BTreeSet::new());
    for (query, parameters) in statements()? {
        if query.starts_with("set ") || BORNE.iter().any(|borne| query.starts_with(borne)) {
            continue;
        }
        let Some(plan) = plan(&store, &tenant, &query, parameters).await? else { continue };
        planned += 1;
        scans(&plan, &mut |scan| {
            let table = scan["Relation Name"].as_str().unwrap_or_default();
            if GROWING.contains(&table) && !is_narrow(scan) {
                wide.insert(format!("{table}: {query}"));
            }
        });
    }

    assert!(planned > 200, "{planned} statements were planned");
    assert!(wide.is_empty(), "{wide:#?}");
    Ok(())
}

#[tokio::test]
async fn a_stage_keeps_one_plan_for_any_number_of_keys_and_the_api_chooses() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;

    for (role, mode) in [(Role::Pipeline, "force_generic_plan"), (Role::Api, "auto")] {
        let store = Store::connect(&database.url(), role, 1).await?;
        let mut tx = store.scoped([&tenant]).await?;
        let shown = sqlx::raw_sql("show plan_cache_mode").fetch_one(&mut *tx).await?;
        assert_eq!(shown.try_get::<String, _>(0)?, mode, "{role:?}");
    }
    Ok(())
}

/// The statements with how many parameters each takes.
fn statements() -> anyhow::Result<Vec<(String, usize)>> {
    let mut statements = Vec::new();
    for file in fs::read_dir(STATEMENTS)? {
        let kept: Value = serde_json::from_str(&fs::read_to_string(file?.path())?)?;
        let query = kept["query"].as_str().context("a query")?.to_owned();
        let parameters = kept["describe"]["parameters"]["Left"].as_array().map_or(0, Vec::len);
        statements.push((query, parameters));
    }
    Ok(statements)
}

/// The plan that is kept for a statement; none where a stage may not use its tables.
async fn plan(
    store: &Store,
    tenant: &TenantId,
    query: &str,
    parameters: usize,
) -> anyhow::Result<Option<Value>> {
    let mut tx = store.scoped([tenant]).await?;
    let prepare = format!("set local plan_cache_mode = force_generic_plan; prepare p as {query}");
    let prepared = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *tx).await;
    prepared.with_context(|| query.to_owned())?;

    let nulls = vec!["null"; parameters].join(", ");
    let arguments = if parameters == 0 { String::new() } else { format!("({nulls})") };
    let explain = format!("explain (format json, costs off) execute p{arguments}");
    let plan = match sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut *tx).await {
        Err(why) if why.to_string().contains("permission denied") => None,
        row => Some(row.with_context(|| query.to_owned())?.try_get(0)?),
    };

    tx.rollback().await?;
    sqlx::raw_sql("deallocate all").execute(&mut *store.scoped([tenant]).await?).await?;
    Ok(plan)
}

/// Every node of a plan that reads a table.
fn scans(plan: &Value, found: &mut impl FnMut(&Value)) {
    let kind = plan["Node Type"].as_str().unwrap_or_default();
    if plan["Relation Name"].is_string() && kind.ends_with("Scan") {
        found(plan);
    }
    match plan {
        Value::Object(fields) => fields.values().for_each(|field| scans(field, found)),
        Value::Array(items) => items.iter().for_each(|item| scans(item, found)),
        _ => {}
    }
}

/// Whether an index finds the rows by more than their tenant.
fn is_narrow(scan: &Value) -> bool {
    // A bitmap's condition is that of the index scan below it, or said again here.
    let condition = scan["Index Cond"].as_str().or(scan["Recheck Cond"].as_str());
    condition.is_some_and(|condition| {
        condition.contains(" AND ") || !condition.trim_start_matches('(').starts_with("tenant_id")
    })
}

#[tokio::test]
async fn what_was_planned_for_an_empty_table_is_planned_anew() -> anyhow::Result<()> {
    let database = Database::start().await?;
    let tenant = database.tenant("acme").await?;
    let mut superuser = database.superuser().await?;
    let by_hand = "alter table millrace.messages set (autovacuum_enabled = off)";
    sqlx::raw_sql(by_hand).execute(&mut superuser).await?;
    sqlx::raw_sql("vacuum analyze millrace.messages").execute(&mut superuser).await?;

    // The only connection keeps a plan for a table that is known to be empty.
    let store = Store::connect(&database.url(), Role::Pipeline, 1).await?;
    let prepare = "set plan_cache_mode = force_generic_plan; prepare p as
        select m.state from unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
        join messages m on m.tenant_id = k.tenant_id and m.message_id = k.message_id";
    let mut tx = store.scoped([&tenant]).await?;
    sqlx::raw_sql(prepare).execute(&mut *tx).await?;
    tx.commit().await?;
    assert!(!kept_is_narrow(&store, &tenant).await?);

    // The table grows before anybody analyses it.
    let insert =
        "insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id,
            number, body, segments, cost_micros, body_hash, submitted_at, changed_at, passport)
        select 'acme', gen_random_uuid(), 0, 'promo', 'sms', gen_random_uuid(), '+12125550100',
            'hello', 1, 7900, '', now(), now(), '[]'
        from generate_series(1, 20000)";
    sqlx::raw_sql(insert).execute(&mut superuser).await?;
    for _ in 0..61 {
        store.scoped([&tenant]).await?.commit().await?;
    }
    assert!(kept_is_narrow(&store, &tenant).await?);
    Ok(())
}

/// Whether the plan that is kept for `p` looks messages up by their keys.
async fn kept_is_narrow(store: &Store, tenant: &TenantId) -> anyhow::Result<bool> {
    let explain = "explain (format json, costs off) execute p(null, null)";
    let mut tx = store.scoped([tenant]).await?;
    let plan: Value = sqlx::raw_sql(explain).fetch_one(&mut *tx).await?.try_get(0)?;
    tx.commit().await?;

    let mut narrow = false;
    scans(&plan, &mut |scan| {
        narrow |= scan["Relation Name"] == "messages" && is_narrow(scan);
    });
    Ok(narrow)
}
