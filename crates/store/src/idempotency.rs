//! Answers kept under an `Idempotency-Key`, so that a repeated POST does nothing twice. The row is
//! written in the transaction that does the work: both are there, or neither.

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use stage::Fault;

use crate::{Scoped, fault};

/// How long an answer is kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// What is known of a request's key when the request comes.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// There was none: do the work, then call [`finish`] in the same transaction.
    First,
    /// It is a repeat: this is the answer.
    Repeat {
        /// The HTTP status of the first answer.
        status: u16,
        /// The body of the first answer.
        response: Value,
        /// The path of what was made, where the first answer named it.
        location: Option<String>,
    },
    /// The key was used with another body.
    Differs,
}

/// Takes a key. A second request with the same key waits here for the first one's transaction.
pub async fn begin(
    tx: &mut Scoped,
    tenant: &TenantId,
    key: &str,
    body_hash: &[u8; 32],
    machine: Timestamp,
) -> Result<Begun, Fault> {
    sqlx::query!(
        "delete from idempotency_keys where tenant_id = $1 and key = $2 and created_at < $3",
        tenant.as_str(),
        key,
        (machine - KEPT).to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    let taken = sqlx::query!(
        "insert into idempotency_keys (tenant_id, key, body_hash, status, response, created_at)
         values ($1, $2, $3, 0, 'null', $4) on conflict (tenant_id, key) do nothing",
        tenant.as_str(),
        key,
        body_hash.as_slice(),
        machine.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    if taken.rows_affected() == 1 {
        return Ok(Begun::First);
    }

    let row = sqlx::query!(
        "select body_hash, status, response, location from idempotency_keys
         where tenant_id = $1 and key = $2",
        tenant.as_str(),
        key,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    if row.body_hash != body_hash {
        return Ok(Begun::Differs);
    }
    let (status, response, location) = (row.status as u16, row.response, row.location);
    Ok(Begun::Repeat { status, response, location })
}

/// Keeps the answer under the key, with the path of what was made where the answer names it.
pub async fn finish(
    tx: &mut Scoped,
    tenant: &TenantId,
    key: &str,
    status: u16,
    response: &Value,
    location: Option<&str>,
) -> Result<(), Fault> {
    sqlx::query!(
        "update idempotency_keys set status = $3, response = $4, location = $5
         where tenant_id = $1 and key = $2",
        tenant.as_str(),
        key,
        status as i16,
        response,
        location,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
