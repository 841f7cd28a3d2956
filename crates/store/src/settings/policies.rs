//! Gate policies in versions. The highest is in force; none means the defaults.

use std::collections::HashMap;

use domain::{gates::Policy, ids::TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use stage::Fault;

use crate::{Scoped, core::keyed, fault};

/// One version of a tenant's policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The version's number, from 1.
    pub version: i64,
    /// The JSON of a `domain::gates::Policy`.
    pub body: Value,
    /// Business time from which on it holds.
    pub created_at: Timestamp,
    /// The API key or user.
    pub created_by: String,
}

/// Adds the next version. None when somebody else added one at the same time.
pub async fn add(
    tx: &mut Scoped,
    tenant: &TenantId,
    body: &Value,
    by: &str,
    now: Timestamp,
) -> Result<Option<i64>, Fault> {
    sqlx::query_scalar!(
        "insert into policies (tenant_id, version, body, created_at, created_by)
         select $1, coalesce(max(version), 0) + 1, $2, $3, $4 from policies where tenant_id = $1
         on conflict do nothing
         returning version",
        tenant.as_str(),
        body,
        now.to_sqlx(),
        by,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}

/// A tenant's versions below one, the highest first.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    below: i64,
    limit: i64,
) -> Result<Vec<Version>, Fault> {
    let rows = sqlx::query!(
        "select version, body, created_at, created_by from policies
         where tenant_id = $1 and version < $2 order by version desc limit $3",
        tenant.as_str(),
        below,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let version = rows.into_iter().map(|row| Version {
        version: row.version,
        body: row.body,
        created_at: row.created_at.to_jiff(),
        created_by: row.created_by,
    });
    Ok(version.collect())
}

/// The policies in force of these tenants: the defaults where a tenant has none of its own, and
/// none where it cannot be read.
pub async fn in_force(
    tx: &mut Scoped,
    tenants: &[&TenantId],
) -> Result<HashMap<TenantId, Option<Policy>>, Fault> {
    let rows = sqlx::query!(
        r#"select k.tenant_id as "tenant_id!", p.body::text as body
           from unnest($1::text[]) as k (tenant_id)
           left join lateral (
               select v.body from policies v where v.tenant_id = k.tenant_id
               order by v.version desc limit 1
           ) p on true"#,
        &tenants.iter().map(|tenant| tenant.as_str()).collect::<Vec<_>>() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let policy = |body: Option<String>| match body {
        Some(body) => Policy::read(&body).ok(),
        None => Some(Policy::default()),
    };
    Ok(rows.into_iter().map(|row| (keyed::tenant(&row.tenant_id), policy(row.body))).collect())
}
