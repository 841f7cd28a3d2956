//! The keys of a tenant as people look at them.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{super::limits::BrandLimits, KeyKind, KeyRole};
use crate::{Scoped, core::words::word, fault};

/// A key as people look at it: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// The key's id, which audit trail and ledger name.
    pub id: Uuid,
    /// What it was called when it was made.
    pub name: String,
    /// What it may do at most.
    pub role: KeyRole,
    /// What it is for.
    pub kind: KeyKind,
    /// What it is limited to.
    pub limits: BrandLimits,
    /// The permissions that it has of its role; none: all of them.
    pub scopes: Option<Vec<String>>,
    /// Business time at which it was made.
    pub created_at: Timestamp,
    /// Business time from which it signs nobody in, if there is one.
    pub expires_at: Option<Timestamp>,
    /// Business time of its last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Business time at which it was revoked; none: it works.
    pub revoked_at: Option<Timestamp>,
}

/// A tenant's keys after one, by id, revoked ones among them.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<ListedKey>, Fault> {
    let rows = sqlx::query_as!(
        StoredKey,
        "select key_id, name, role, scopes, created_at, expires_at, last_used_at, revoked_at,
                is_test, brands, inboxes
         from api_keys where tenant_id = $1 and key_id > $2 order by key_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    rows.into_iter().map(StoredKey::read).collect()
}

/// A tenant's key, locked until the transaction ends.
pub async fn lock(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<ListedKey>, Fault> {
    let row = sqlx::query_as!(
        StoredKey,
        "select key_id, name, role, scopes, created_at, expires_at, last_used_at, revoked_at,
                is_test, brands, inboxes
         from api_keys where tenant_id = $1 and key_id = $2 for update",
        tenant.as_str(),
        id,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    row.map(StoredKey::read).transpose()
}

/// A row of the table, without the hash.
struct StoredKey {
    key_id: Uuid,
    name: String,
    role: String,
    scopes: Option<Vec<String>>,
    created_at: jiff_sqlx::Timestamp,
    expires_at: Option<jiff_sqlx::Timestamp>,
    last_used_at: Option<jiff_sqlx::Timestamp>,
    revoked_at: Option<jiff_sqlx::Timestamp>,
    is_test: bool,
    brands: Option<Vec<Uuid>>,
    inboxes: Option<Vec<Uuid>>,
}

impl StoredKey {
    fn read(self) -> Result<ListedKey, Fault> {
        Ok(ListedKey {
            id: self.key_id,
            name: self.name,
            role: word(&self.role)?,
            kind: KeyKind::of(self.is_test),
            limits: BrandLimits::of(self.brands, self.inboxes),
            scopes: self.scopes,
            created_at: self.created_at.to_jiff(),
            expires_at: self.expires_at.map(|at| at.to_jiff()),
            last_used_at: self.last_used_at.map(|at| at.to_jiff()),
            revoked_at: self.revoked_at.map(|at| at.to_jiff()),
        })
    }
}

/// Revokes a key, which [`super::find`] does not find from then on.
pub async fn revoke(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update api_keys set revoked_at = $3 where tenant_id = $1 and key_id = $2",
        tenant.as_str(),
        id,
        now.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
