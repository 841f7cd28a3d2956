//! Answers that people keep at hand: texts with variables.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{Scoped, core::keyed::just_before, fault};

/// How many of them a tenant has at most.
pub const MOST: i64 = 1_000;

/// An answer that people keep at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CannedAnswer {
    /// The id of the answer.
    pub id: Uuid,
    /// What people call it, unique within the tenant whatever the case.
    pub name: String,
    /// What it says, as a template.
    pub body: String,
    /// When it was made, in business time.
    pub created_at: Timestamp,
    /// When it was changed last, in business time.
    pub changed_at: Timestamp,
}

/// Adds one. False where one has its name, or where [`MOST`] are there.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &CannedAnswer) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into canned_answers (tenant_id, answer_id, name, body, created_at, changed_at)
         select $1, $2, $3, $4, $5, $6
         where (select count(*) from canned_answers where tenant_id = $1) < $7
         on conflict do nothing",
        tenant.as_str(),
        new.id,
        new.name,
        new.body,
        new.created_at.to_sqlx() as _,
        new.changed_at.to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// A tenant's answers after one, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<CannedAnswer>, Fault> {
    let rows = sqlx::query!(
        "select answer_id, name, body, created_at, changed_at from canned_answers
         where tenant_id = $1 and answer_id > $2 order by answer_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let answers = rows.into_iter().map(|row| CannedAnswer {
        id: row.answer_id,
        name: row.name,
        body: row.body,
        created_at: row.created_at.to_jiff(),
        changed_at: row.changed_at.to_jiff(),
    });
    Ok(answers.collect())
}

/// A tenant's answer, locked until the transaction ends where it is to be changed.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    lock: bool,
) -> Result<Option<CannedAnswer>, Fault> {
    if lock {
        sqlx::query!(
            "select from canned_answers where tenant_id = $1 and answer_id = $2 for update",
            tenant.as_str(),
            id,
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let found = list(tx, tenant, just_before(id), 1).await?.pop();
    Ok(found.filter(|answer| answer.id == id))
}

/// Writes an answer's name and text. False where another one has its name.
pub async fn save(
    tx: &mut Scoped,
    tenant: &TenantId,
    answer: &CannedAnswer,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update canned_answers a set name = $3, body = $4, changed_at = $5
         where a.tenant_id = $1 and a.answer_id = $2
           and not exists (select from canned_answers o
                           where o.tenant_id = $1 and o.answer_id <> $2
                             and lower(o.name) = lower($3))",
        tenant.as_str(),
        answer.id,
        answer.name,
        answer.body,
        answer.changed_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Removes an answer. False where there is none.
pub async fn remove(tx: &mut Scoped, tenant: &TenantId, id: Uuid) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "delete from canned_answers where tenant_id = $1 and answer_id = $2",
        tenant.as_str(),
        id,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}
