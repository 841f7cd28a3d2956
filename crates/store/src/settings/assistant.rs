//! What the assistant of a company, a brand or an inbox is told: a row each, as the API takes it.

use domain::{assistant::AssistantScope, ids::TenantId, money::Micros};
use jiff::{Timestamp, civil::Date};
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::words::word, fault};

/// Settings of the assistant as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSettings {
    /// What they hold for.
    pub scope: AssistantScope,
    /// The brand or the inbox; of the company the nil id.
    pub target: Uuid,
    /// Raised by every change, from 1.
    pub version: i64,
    /// The JSON of a `domain::assistant::AssistantSettings`.
    pub body: Value,
    /// Business time of the last change.
    pub changed_at: Timestamp,
    /// The API key or user who made it.
    pub changed_by: String,
}

/// Settings of a tenant behind a target, by target: those of the company, whose target is the nil
/// id, are read by [`get`].
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<StoredSettings>, Fault> {
    let rows = sqlx::query!(
        "select scope, target, version, body, changed_at, changed_by from assistant_settings
         where tenant_id = $1 and target > $2 order by target limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let stored = rows.into_iter().map(|row| {
        Ok(StoredSettings {
            scope: word(&row.scope)?,
            target: row.target,
            version: row.version,
            body: row.body,
            changed_at: row.changed_at.to_jiff(),
            changed_by: row.changed_by,
        })
    });
    stored.collect()
}

/// The settings of one scope.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    scope: AssistantScope,
    target: Uuid,
) -> Result<Option<StoredSettings>, Fault> {
    let row = sqlx::query!(
        "select version, body, changed_at, changed_by from assistant_settings
         where tenant_id = $1 and scope = $2 and target = $3",
        tenant.as_str(),
        scope.as_str(),
        target,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| StoredSettings {
        scope,
        target,
        version: row.version,
        body: row.body,
        changed_at: row.changed_at.to_jiff(),
        changed_by: row.changed_by,
    }))
}

/// Stores settings that come after a version, 0 for the first. False where somebody else has
/// changed them since.
pub async fn save(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: i64,
    new: &StoredSettings,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into assistant_settings as a
             (tenant_id, scope, target, version, body, changed_at, changed_by)
         select $1, $2, $3, $4::bigint, $5, $6, $7
         where $8::bigint = 0 or exists (select from assistant_settings s
                                 where s.tenant_id = $1 and s.scope = $2 and s.target = $3)
         on conflict (tenant_id, scope, target) do update
         set version = excluded.version, body = excluded.body, changed_at = excluded.changed_at,
             changed_by = excluded.changed_by
         where a.version = $8",
        tenant.as_str(),
        new.scope.as_str(),
        new.target,
        new.version,
        new.body,
        new.changed_at.to_sqlx() as _,
        new.changed_by,
        after,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(done.rows_affected() == 1)
}

/// Removes settings: the next wider ones hold. False where there are none.
pub async fn remove(
    tx: &mut Scoped,
    tenant: &TenantId,
    scope: AssistantScope,
    target: Uuid,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "delete from assistant_settings where tenant_id = $1 and scope = $2 and target = $3",
        tenant.as_str(),
        scope.as_str(),
        target,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// What was used under settings on the last day on which something was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssistantUse {
    /// Whose settings they are.
    pub scope: AssistantScope,
    /// The brand or the inbox; of the company the nil id.
    pub target: Uuid,
    /// The day, in the company's zone; none where it cannot be read.
    pub day: Option<Date>,
    /// Answers that the model has written.
    pub answers: i64,
    /// Tokens that it has read and written, for answers that were thrown away too.
    pub tokens: i64,
    /// By the price in the settings.
    pub cost: Micros,
    /// Calls of tools, for answers that were thrown away too.
    pub tool_calls: i64,
}

/// What was used under a tenant's settings, by target from one on: there is at most one row for
/// each.
pub async fn used(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<AssistantUse>, Fault> {
    let rows = sqlx::query!(
        r#"select scope, target, day::text as "day!", answers, tokens, cost_micros,
                  tool_calls
           from assistant_usage
           where tenant_id = $1 and ($2::uuid is null or target > $2)
           order by target limit $3"#,
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let used = rows.into_iter().map(|row| {
        Ok(AssistantUse {
            scope: word(&row.scope)?,
            target: row.target,
            day: row.day.parse().ok(),
            answers: row.answers,
            tokens: row.tokens,
            cost: Micros(row.cost_micros),
            tool_calls: row.tool_calls,
        })
    });
    used.collect()
}
