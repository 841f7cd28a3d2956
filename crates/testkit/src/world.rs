//! What the tests of stages begin with: a tenant on a database of its own, rows and messages of it,
//! and a look at what a stage makes of them. A stage's own tests add what is particular to it.

mod carrier;
mod messages;
mod reserved;
mod rows;
mod stored;

use std::time::Duration;

use anyhow::Context;
use domain::ids::TenantId;
use jiff::Timestamp;
use serde_json::Value;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use store::{Role, Scoped, Store, core::seal::Sealer};
use tokio::time::timeout;

use crate::Database;

pub use carrier::TestCarrier;
pub use messages::{COST, enriched, person, submitted};
pub use rows::{POOL, message_row, with};
pub use stored::{Stored, stored};

/// A tenant, and the database that it has for itself.
pub struct TestWorld {
    /// The database of this test alone.
    pub database: Database,
    /// The tenant, `acme` unless the test names another one.
    pub tenant: TenantId,
}

/// How long those may take that are to wait for a lock, on a busy machine.
const LOCKED_WITHIN: Duration = Duration::from_secs(60);

/// Business time of tests that need no other: noon in New York, on a Monday.
///
/// # Panics
/// Never: it is an instant.
pub fn now() -> Timestamp {
    "2026-03-02T17:00:00Z".parse().expect("an instant")
}

/// The sealer of every test.
pub fn sealer() -> Sealer {
    Sealer::new(&[[7; 32]])
}

impl TestWorld {
    /// Starts a database with the tenant `acme`, which has nothing yet.
    ///
    /// # Errors
    /// No Postgres on this machine.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_as("acme").await
    }

    /// Starts a database with a tenant under this key, which has nothing yet.
    ///
    /// # Errors
    /// No Postgres on this machine.
    pub async fn start_as(key: &str) -> anyhow::Result<Self> {
        let database = Database::start().await?;
        let tenant = database.tenant(key).await?;
        Ok(Self { database, tenant })
    }

    /// A store as one more process of a stage would have it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn pipeline(&self) -> anyhow::Result<Store> {
        self.database.store(Role::Pipeline).await
    }

    /// A transaction of a stage, for the tenant.
    ///
    /// # Errors
    /// The database is away.
    pub async fn scoped(&self) -> anyhow::Result<Scoped> {
        Ok(self.pipeline().await?.scoped([&self.tenant]).await?)
    }

    /// Runs statements as the superuser.
    ///
    /// # Errors
    /// The database refuses one.
    pub async fn run(&self, sql: &str) -> anyhow::Result<()> {
        let mut connection = self.database.superuser().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        Ok(())
    }

    /// The one number that a query gives.
    ///
    /// # Errors
    /// The database refuses the query, or it gives no row.
    pub async fn number(&self, sql: &'static str) -> anyhow::Result<i64> {
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// The one text that a query gives.
    ///
    /// # Errors
    /// The database refuses the query, or it gives no row.
    pub async fn one(&self, sql: &'static str) -> anyhow::Result<String> {
        let mut connection = self.database.superuser().await?;
        Ok(sqlx::query(sql).fetch_one(&mut connection).await?.get(0))
    }

    /// Waits until so many connections wait for a lock.
    ///
    /// # Errors
    /// The database is away; after a minute they still do not wait.
    pub async fn waiting(&self, connections: i64) -> anyhow::Result<()> {
        let waiting = "select count(distinct pid) from pg_locks where not granted";
        let all_wait = async {
            while self.number(waiting).await? < connections {
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        timeout(LOCKED_WITHIN, all_wait).await.context("nobody waits for a lock")?
    }

    /// Makes rows of a table, each an object by column. Columns that the first row does not name
    /// keep their defaults.
    ///
    /// # Errors
    /// The database refuses a row.
    pub async fn insert(&self, table: &str, rows: &[Value]) -> anyhow::Result<()> {
        self.write(table, rows, "").await
    }

    /// Makes the rows that are missing; what exists stays as it is.
    async fn insert_missing(&self, table: &str, rows: &[Value]) -> anyhow::Result<()> {
        self.write(table, rows, "on conflict do nothing").await
    }

    async fn write(&self, table: &str, rows: &[Value], conflict: &str) -> anyhow::Result<()> {
        let Some(first) = rows.first().and_then(Value::as_object) else { return Ok(()) };
        let columns: Vec<&str> = first.keys().map(String::as_str).collect();
        let columns = columns.join(", ");
        let sql = format!(
            "insert into millrace.{table} ({columns})
             select {columns} from jsonb_populate_recordset(null::millrace.{table}, $1::text::jsonb)
             {conflict}"
        );

        let mut connection: PgConnection = self.database.superuser().await?;
        let rows = serde_json::to_string(rows)?;
        sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut connection).await?;
        Ok(())
    }
}
