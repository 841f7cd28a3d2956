//! What a statement reads and how long it takes.

use anyhow::Context;
use domain::ids::TenantId;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};
use store::{Role, Store};
use testkit::Database;

/// How often a statement is run; the median counts.
const RUNS: usize = 9;

/// Rows that one statement inserts.
const STEP: i64 = 250_000;

/// Set for the full form: `make scans`.
const FULL: Option<&str> = option_env!("SCANS");

/// This many rows in the full form, and fewer in `make test`.
pub fn size(full: i64, reduced: i64) -> i64 {
    if FULL.is_some() { full } else { reduced }
}

/// What a statement costs.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Pages of 8 KB that it looks at.
    pub pages: i64,
    /// How long it takes, in milliseconds.
    pub millis: f64,
}

impl Cost {
    /// Fails where a statement looks at more than twice the pages of another, and some.
    pub fn is_like(self, other: Self, what: &str) {
        let most = other.pages * 2 + 100;
        assert!(self.pages <= most, "{what}: {} pages, {} before", self.pages, other.pages);
    }
}

/// Adds a line to what is printed.
#[expect(clippy::print_stdout, reason = "docs/performance.md shows it")]
pub fn print(what: &str, rows: i64, tenants: i64, cost: Cost) {
    println!("| {what} | {rows} | {tenants} | {} | {:.2} ms |", cost.pages, cost.millis);
}

/// A statement of these tenants, in a transaction that is undone after each run.
pub async fn cost(store: &Store, tenants: &[TenantId], statement: &str) -> anyhow::Result<Cost> {
    let mut costs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let explain = format!("explain (analyze, buffers, format json) {statement}");
        let mut tx = store.scoped(tenants).await?;
        let row = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut *tx).await?;
        tx.rollback().await?;

        let plan: Value = row.try_get(0)?;
        let pages = |kind: &str| plan[0]["Plan"][kind].as_i64().unwrap_or_default();
        let millis = plan[0]["Execution Time"].as_f64().context("a time")?;
        costs
            .push(Cost { pages: pages("Shared Hit Blocks") + pages("Shared Read Blocks"), millis });
    }
    costs.sort_by(|one, other| one.millis.total_cmp(&other.millis));
    Ok(costs[RUNS / 2])
}

/// One connection as a stage has it: a statement that it has prepared stays.
pub async fn pipeline(database: &Database) -> anyhow::Result<Store> {
    Ok(Store::connect(&database.url(), Role::Pipeline, 1).await?)
}

/// Runs a statement as the superuser.
pub async fn run(database: &Database, statement: &'static str) -> anyhow::Result<()> {
    sqlx::raw_sql(statement).execute(&mut database.superuser().await?).await?;
    Ok(())
}

/// Inserts rows from 1 on as the superuser, step by step: `$1` and `$2` are the first and the last
/// of a step, `$3` is how many tenants they are of. Gathers statistics after that, as autovacuum
/// does.
pub async fn fill(
    database: &Database,
    insert: &'static str,
    rows: i64,
    tenants: i64,
) -> anyhow::Result<()> {
    let mut superuser = database.superuser().await?;
    let mut first = 1;
    while first <= rows {
        let last = rows.min(first + STEP - 1);
        let step = sqlx::query(insert).bind(first).bind(last).bind(tenants);
        step.execute(&mut superuser).await?;
        first = last + 1;
    }

    sqlx::raw_sql("vacuum analyze").execute(&mut superuser).await?;
    Ok(())
}
