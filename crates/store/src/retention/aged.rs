//! Rows that go by their age alone: the oldest first, found by an index of it. Whoever holds a row
//! keeps it for this step.

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{Removed, Step};
use crate::{Scoped, Store, contacts::merge, core::words, fault, idempotency, settings::api_keys};

/// After this long no window of a budget counts: the longest is a month in any zone.
pub(super) const WINDOWS: SignedDuration = SignedDuration::from_hours(33 * 24);

/// How many imports lose rows in one step.
const IMPORTS: i64 = 20;

/// A table whose rows go by their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgedTable {
    /// Texts that came in.
    InboundTexts,
    /// What the AI answered.
    AiReplies,
    /// Conversations, once the last text of each is due.
    Conversations,
    /// Notes of people in conversations, and what was done with them.
    ConversationEntries,
    /// Events that were counted.
    CountedEvents,
    /// Answers under an `Idempotency-Key`.
    IdempotencyKeys,
    /// Batches that have taken a key.
    BatchKeys,
    /// Cancels that came before their message.
    CancelMarks,
    /// Carriers' texts that lists gave to messages.
    TakenSids,
    /// Warnings about budgets.
    BudgetAlerts,
    /// Imports whose rows are gone.
    Imports,
    /// API keys that were revoked or have ended.
    ApiKeys,
    /// Second bodies of which no message is stored; the others go with theirs.
    LoneConflicts,
    /// Merges of contacts that cannot be undone any more.
    ContactMerges,
}

impl AgedTable {
    /// Every such table.
    pub const ALL: [Self; 14] = [
        Self::InboundTexts,
        Self::AiReplies,
        Self::Conversations,
        Self::ConversationEntries,
        Self::CountedEvents,
        Self::IdempotencyKeys,
        Self::BatchKeys,
        Self::CancelMarks,
        Self::TakenSids,
        Self::BudgetAlerts,
        Self::Imports,
        Self::ApiKeys,
        Self::LoneConflicts,
        Self::ContactMerges,
    ];

    /// The name in the schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InboundTexts => "inbound_texts",
            Self::AiReplies => "ai_replies",
            Self::Conversations => "conversations",
            Self::ConversationEntries => "conversation_entries",
            Self::CountedEvents => "counted_events",
            Self::IdempotencyKeys => "idempotency_keys",
            Self::BatchKeys => "batch_keys",
            Self::CancelMarks => "cancel_marks",
            Self::TakenSids => "taken_sids",
            Self::BudgetAlerts => "budget_alerts",
            Self::Imports => "imports",
            Self::ApiKeys => "api_keys",
            Self::LoneConflicts => "message_conflicts",
            Self::ContactMerges => "contact_merges",
        }
    }

    /// Rows that are not younger than this go. Some are stamped by the machine's clock.
    fn until(self, step: &Step) -> Timestamp {
        let keep = step.keep.messages;
        match self {
            Self::InboundTexts
            | Self::AiReplies
            | Self::Conversations
            | Self::CountedEvents
            | Self::BatchKeys
            | Self::LoneConflicts => step.now - keep,
            Self::ConversationEntries => step.now - step.keep.texts,
            Self::CancelMarks | Self::TakenSids | Self::Imports => step.machine - keep,
            Self::IdempotencyKeys => step.machine - idempotency::KEPT,
            Self::BudgetAlerts => step.now - WINDOWS,
            Self::ApiKeys => step.now - api_keys::KEPT,
            Self::ContactMerges => step.now - merge::UNDO,
        }
    }
}

/// Removes the oldest rows of a table that are due.
pub async fn remove(store: &Store, table: AgedTable, step: &Step) -> Result<Removed, Fault> {
    let until = table.until(step);
    let found = match table {
        AgedTable::ApiKeys => with_ended_keys(store, until, step.rows).await?,
        AgedTable::LoneConflicts => with_lone_conflicts(store, until, step.rows).await?,
        AgedTable::ContactMerges => with_merges(store, until, step.rows).await?,
        aged => with_aged(store, aged, until, step.rows).await?,
    };
    let tenants: Vec<TenantId> =
        found.iter().filter_map(|key| words::readable(words::tenant(key))).collect();
    if tenants.is_empty() {
        return Ok(Removed::default());
    }

    let mut tx = store.scoped(&tenants).await?;
    let rows = delete(&mut tx, table, until, step.rows).await?;
    tx.commit().await.map_err(fault)?;
    Ok(Removed { rows, more: rows >= step.rows.unsigned_abs() })
}

/// The tenants that have the oldest rows of a table.
async fn with_aged(
    store: &Store,
    table: AgedTable,
    until: Timestamp,
    at_most: i64,
) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_aged($1, $2, $3)"#,
        table.as_str(),
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)
}

/// The tenants of the keys that have ended first.
async fn with_ended_keys(
    store: &Store,
    until: Timestamp,
    at_most: i64,
) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_ended_keys($1, $2)"#,
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)
}

/// The tenants of the oldest conflicts of which no message is stored.
async fn with_lone_conflicts(
    store: &Store,
    until: Timestamp,
    at_most: i64,
) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_lone_conflicts($1, $2)"#,
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)
}

/// The tenants of the oldest merges of contacts.
async fn with_merges(store: &Store, until: Timestamp, at_most: i64) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_with_aged_merges($1, $2)"#,
        until.to_sqlx() as _,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)
}

/// Deletes the oldest rows of a table in this transaction's scope that nobody else has locked: by
/// where they lie, which holds while they are locked.
macro_rules! delete_oldest {
    (($tx:ident, $until:ident, $at_most:ident), $sql:literal) => {
        sqlx::query!($sql, $until.to_sqlx() as _, $at_most)
            .execute(&mut **$tx)
            .await
            .map_err(fault)
            .map(|done| done.rows_affected())
    };
}

async fn delete(
    tx: &mut Scoped,
    table: AgedTable,
    until: Timestamp,
    at_most: i64,
) -> Result<u64, Fault> {
    match table {
        AgedTable::InboundTexts => delete_oldest!(
            (tx, until, at_most),
            "delete from inbound_texts where ctid = any (array(
                 select ctid from inbound_texts where received_at <= $1
                 order by received_at limit $2 for update skip locked))"
        ),
        AgedTable::AiReplies => delete_oldest!(
            (tx, until, at_most),
            "delete from ai_replies where ctid = any (array(
                 select ctid from ai_replies where at <= $1
                 order by at limit $2 for update skip locked))"
        ),
        AgedTable::Conversations => delete_conversations(tx, until, at_most).await,
        AgedTable::ConversationEntries => delete_entries(tx, until, at_most).await,
        AgedTable::CountedEvents => delete_oldest!(
            (tx, until, at_most),
            "delete from counted_events where ctid = any (array(
                 select ctid from counted_events where counted_at <= $1
                 order by counted_at limit $2 for update skip locked))"
        ),

        AgedTable::IdempotencyKeys => delete_oldest!(
            (tx, until, at_most),
            "delete from idempotency_keys where ctid = any (array(
                 select ctid from idempotency_keys where created_at <= $1
                 order by created_at limit $2 for update skip locked))"
        ),
        AgedTable::BatchKeys => delete_oldest!(
            (tx, until, at_most),
            "delete from batch_keys where ctid = any (array(
                 select ctid from batch_keys where at <= $1
                 order by at limit $2 for update skip locked))"
        ),
        AgedTable::CancelMarks => delete_oldest!(
            (tx, until, at_most),
            "delete from cancel_marks where ctid = any (array(
                 select ctid from cancel_marks where at <= $1
                 order by at limit $2 for update skip locked))"
        ),
        AgedTable::TakenSids => delete_oldest!(
            (tx, until, at_most),
            "delete from taken_sids where ctid = any (array(
                 select ctid from taken_sids where taken_at <= $1
                 order by taken_at limit $2 for update skip locked))"
        ),

        AgedTable::BudgetAlerts => delete_oldest!(
            (tx, until, at_most),
            "delete from budget_alerts where ctid = any (array(
                 select ctid from budget_alerts where window_start <= $1
                 order by window_start limit $2 for update skip locked))"
        ),
        AgedTable::Imports => delete_oldest!(
            (tx, until, at_most),
            "delete from imports where ctid = any (array(
                 select ctid from imports where created_at <= $1 and not rows_kept
                 order by created_at limit $2 for update skip locked))"
        ),
        AgedTable::ApiKeys => delete_ended_keys(tx, until, at_most).await,
        AgedTable::ContactMerges => delete_merges(tx, until, at_most).await,
        AgedTable::LoneConflicts => delete_lone_conflicts(tx, until, at_most).await,
    }
}

/// Deletes the API keys that have ended first.
async fn delete_ended_keys(tx: &mut Scoped, until: Timestamp, at_most: i64) -> Result<u64, Fault> {
    delete_oldest!(
        (tx, until, at_most),
        "delete from api_keys where ctid = any (array(
                 select ctid from api_keys where least(revoked_at, expires_at) <= $1
                 order by least(revoked_at, expires_at) limit $2 for update skip locked))"
    )
}

/// Deletes the conversations whose last text is the oldest.
async fn delete_conversations(
    tx: &mut Scoped,
    until: Timestamp,
    at_most: i64,
) -> Result<u64, Fault> {
    delete_oldest!(
        (tx, until, at_most),
        "delete from conversations where ctid = any (array(
             select ctid from conversations where last_text_at <= $1
             order by last_text_at limit $2 for update skip locked))"
    )
}

/// Deletes the oldest notes and acts.
async fn delete_entries(tx: &mut Scoped, until: Timestamp, at_most: i64) -> Result<u64, Fault> {
    delete_oldest!(
        (tx, until, at_most),
        "delete from conversation_entries where ctid = any (array(
             select ctid from conversation_entries where at <= $1
             order by at limit $2 for update skip locked))"
    )
}

/// Deletes the oldest merges of contacts.
async fn delete_merges(tx: &mut Scoped, until: Timestamp, at_most: i64) -> Result<u64, Fault> {
    delete_oldest!(
        (tx, until, at_most),
        "delete from contact_merges where ctid = any (array(
                 select ctid from contact_merges where merged_at <= $1
                 order by merged_at limit $2 for update skip locked))"
    )
}

/// Deletes the oldest conflicts that hang on no message.
async fn delete_lone_conflicts(
    tx: &mut Scoped,
    until: Timestamp,
    at_most: i64,
) -> Result<u64, Fault> {
    delete_oldest!(
        (tx, until, at_most),
        "delete from message_conflicts where ctid = any (array(
                 select c.ctid from message_conflicts c
                 left join lateral (
                     select n.message_id from messages n
                     where n.tenant_id = c.tenant_id and n.message_id = c.message_id limit 1
                 ) m on true
                 where c.at <= $1 and m.message_id is null
                 order by c.at limit $2 for update of c skip locked))"
    )
}

/// Removes rows of imports that are old enough, and notes which imports have none left.
pub async fn remove_import_rows(store: &Store, step: &Step) -> Result<Removed, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", import_id as "import_id!"
           from imports_with_aged_rows($1, $2)"#,
        (step.machine - step.keep.import_rows).to_sqlx() as _,
        IMPORTS,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = found.iter().filter_map(|row| words::readable(words::tenant(&row.tenant_id)));
    let scope: Vec<TenantId> = readable.collect();
    if scope.is_empty() {
        return Ok(Removed::default());
    }
    let full = i64::try_from(found.len()).is_ok_and(|found| found >= IMPORTS);
    let (tenants, imports): (Vec<String>, Vec<Uuid>) =
        found.into_iter().map(|row| (row.tenant_id, row.import_id)).unzip();

    let mut tx = store.scoped(&scope).await?;
    let rows = sqlx::query!(
        "delete from import_rows r using (
             select n.tenant_id, n.import_id, n.line
             from unnest($1::text[], $2::uuid[]) as k (tenant_id, import_id)
             join import_rows n on n.tenant_id = k.tenant_id and n.import_id = k.import_id
             limit $3 for update of n skip locked
         ) o
         where r.tenant_id = o.tenant_id and r.import_id = o.import_id and r.line = o.line",
        &tenants,
        &imports,
        step.rows,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?
    .rows_affected();

    sqlx::query!(
        "update imports i set rows_kept = false
         from unnest($1::text[], $2::uuid[]) as k (tenant_id, import_id)
         where i.tenant_id = k.tenant_id and i.import_id = k.import_id
           and not exists (select from import_rows r where r.tenant_id = i.tenant_id
                              and r.import_id = i.import_id)",
        &tenants,
        &imports,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    Ok(Removed { rows, more: full || rows >= step.rows.unsigned_abs() })
}
