//! What the database server counts of itself, for whoever measures it: sizes, dead rows, its log,
//! commits; and a snapshot that is held as a long report holds one.

use domain::ids::TenantId;
use jiff::SignedDuration;
use stage::Fault;

use crate::core::{
    fault::fault,
    scope::{Scoped, Store},
};

/// A table of the schema, as the server's statistics have it; they follow within a second or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableStatistics {
    /// The table's name.
    pub table: String,
    /// Bytes on disk, with its indexes and what lies beside it.
    pub bytes: i64,
    /// Versions of rows that nothing has removed yet.
    pub dead: i64,
    /// As many dead versions autovacuum leaves where they are.
    pub tolerated: i64,
}

/// Every table of the schema, by name.
///
/// # Errors
/// An outage.
pub async fn tables(store: &Store) -> Result<Vec<TableStatistics>, Fault> {
    // A table's own setting comes before the server's.
    sqlx::query_as!(
        TableStatistics,
        r#"select s.relname::text as "table!", pg_total_relation_size(s.relid) as "bytes!",
                  s.n_dead_tup as "dead!",
                  (coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
                   + coalesce(o.factor, current_setting('autovacuum_vacuum_scale_factor')::float8)
                   * greatest(c.reltuples, s.n_live_tup, 0))::bigint as "tolerated!"
             from pg_stat_user_tables s
             join pg_class c on c.oid = s.relid
             cross join lateral (
                 select max(option_value::float8)
                            filter (where option_name = 'autovacuum_vacuum_threshold') as threshold,
                        max(option_value::float8)
                            filter (where option_name = 'autovacuum_vacuum_scale_factor') as factor
                   from pg_options_to_table(c.reloptions)
             ) o
            where s.schemaname = 'millrace'
            order by s.relname"#
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)
}

/// What the server has counted since it was made; only differences mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerStatistics {
    /// Bytes of its write-ahead log.
    pub wal_bytes: i64,
    /// Transactions of this database that were committed.
    pub commits: i64,
}

/// Reads the server's counters.
///
/// # Errors
/// An outage.
pub async fn server(store: &Store) -> Result<ServerStatistics, Fault> {
    sqlx::query_as!(
        ServerStatistics,
        r#"select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as "wal_bytes!",
                  xact_commit as "commits!"
             from pg_stat_database
            where datname = current_database()"#
    )
    .fetch_one(store.pool())
    .await
    .map_err(fault)
}

/// Makes every message of a tenant older than it is, by so much. Gives how many they are.
///
/// # Errors
/// An outage.
pub async fn age_messages(
    store: &Store,
    tenant: &TenantId,
    by: SignedDuration,
) -> Result<u64, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    // Before any row: whoever has rows locked goes on, and nobody comes to wait for the others.
    sqlx::query("lock table messages in exclusive mode").execute(&mut *tx).await.map_err(fault)?;
    let aged = sqlx::query!(
        "update messages
         set submitted_at = submitted_at - make_interval(secs => $2),
             changed_at = changed_at - make_interval(secs => $2)
         where tenant_id = $1",
        tenant.as_str(),
        by.as_secs_f64(),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)?;
    Ok(aged.rows_affected())
}

/// How many messages of these tenants are kept.
///
/// # Errors
/// An outage.
pub async fn messages_of(store: &Store, tenants: &[TenantId]) -> Result<u64, Fault> {
    let mut tx = store.scoped(tenants).await?;
    let kept = sqlx::query_scalar!(
        r#"select count(*) as "kept!" from messages where tenant_id = any ($1)"#,
        &keys(tenants) as _,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)?;
    Ok(kept.unsigned_abs())
}

/// A snapshot of everything, in a transaction of repeatable reads: while it is held, no version of
/// a row goes that was there when it was taken, nor any that died later.
pub struct HeldSnapshot(Scoped);

impl HeldSnapshot {
    /// Takes a snapshot, and holds it.
    ///
    /// # Errors
    /// An outage.
    pub async fn take(store: &Store) -> Result<Self, Fault> {
        let begin = "begin isolation level repeatable read read only;
                     set local idle_in_transaction_session_timeout = 0";
        let mut tx = store.pool().begin_with(begin).await.map_err(fault)?;
        // The first statement that reads takes it.
        sqlx::query_scalar!(r#"select count(*) as "rows!" from platform_switch"#)
            .fetch_one(&mut *tx)
            .await
            .map_err(fault)?;
        Ok(Self(tx))
    }

    /// Lets go of it.
    ///
    /// # Errors
    /// The connection was lost, so it was not held until now.
    pub async fn release(self) -> Result<(), Fault> {
        self.0.rollback().await.map_err(fault)
    }
}

fn keys(tenants: &[TenantId]) -> Vec<&str> {
    tenants.iter().map(TenantId::as_str).collect()
}
