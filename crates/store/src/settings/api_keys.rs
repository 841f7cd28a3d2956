//! API keys: 32 random bytes that a program signs in with. The table holds their SHA-256 alone.

mod kinds;
mod listed;

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use secrecy::{ExposeSecret, SecretString};
use sqlx::types::Uuid;
use stage::Fault;

pub use kinds::{KeyKind, KeyRole};
pub use listed::{ListedKey, list, lock, revoke};

use super::{limits::BrandLimits, tenants};
use crate::{
    Scoped, Store,
    audit::{self, AuditEntry},
    core::{
        scope::Sight,
        secrets,
        words::{self, word},
    },
    fault,
};

/// How many keys of a tenant work at once.
pub const MOST: i64 = 1_000;

/// How many keys a tenant has with those that have ended and are kept.
pub const MOST_KEPT: i64 = 10_000;

/// How long a key is kept that was revoked or has ended, in business time.
pub const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// How often the use of a key is noted.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Whose key it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOwner {
    /// The tenant whose key it is.
    pub tenant: TenantId,
    /// The tenant that it works in: the twin where it is a test key. None where a test key's tenant
    /// has no twin.
    pub works_in: Option<TenantId>,
    /// What it is for.
    pub kind: KeyKind,
    /// How much of the tenant it sees; none: everything.
    pub sight: Option<Sight>,
    /// The key's id.
    pub id: Uuid,
    /// What it may do at most.
    pub role: KeyRole,
    /// The permissions that it has of its role; none: all of them.
    pub scopes: Option<Vec<String>>,
    /// Business time from which it signs nobody in, if there is one.
    pub expires_at: Option<Timestamp>,
    /// Business time of its last use, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    /// What it is for, for people.
    pub name: &'a str,
    /// What it may do at most.
    pub role: KeyRole,
    /// What it is meant for.
    pub kind: KeyKind,
    /// The permissions that it has of its role; none: all of them.
    pub scopes: Option<Vec<String>>,
    /// Business time from which it signs nobody in, if there is one.
    pub expires_at: Option<Timestamp>,
    /// What it is limited to.
    pub limits: BrandLimits,
}

/// The hash that a key is looked up by.
pub fn hash(key: &str) -> [u8; 32] {
    secrets::hash(key)
}

/// Makes a live key for a tenant that exists, and gives it out: the only time that it can be read.
/// An operator's, so [`MOST`] does not hold for it.
pub async fn create(
    store: &Store,
    tenant: &TenantId,
    name: &str,
    role: KeyRole,
    now: Timestamp,
) -> Result<SecretString, Fault> {
    let new = NewKey {
        name,
        role,
        kind: KeyKind::Live,
        scopes: None,
        expires_at: None,
        limits: BrandLimits::default(),
    };
    let mut tx = store.scoped([tenant]).await?;
    let (_, key) = make(&mut tx, tenant, "operator", &new, now).await?;
    tx.commit().await.map_err(fault)?;
    Ok(key)
}

/// Whether a tenant may have another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRoom {
    /// There is room.
    Some,
    /// As many work as its plan has.
    Plan(i32),
    /// [`MOST`] work, or [`MOST_KEPT`] are there.
    Full,
}

/// Whether a tenant may have another key. The tenant is locked until the transaction ends.
pub async fn room(tx: &mut Scoped, tenant: &TenantId, now: Timestamp) -> Result<KeyRoom, Fault> {
    let limits = tenants::lock_limits(tx, tenant).await?;
    let found = sqlx::query!(
        r#"select count(*) as "all!",
                  count(*) filter (
                      where revoked_at is null and (expires_at is null or expires_at > $2)
                  ) as "working!"
           from api_keys where tenant_id = $1"#,
        tenant.as_str(),
        now.to_sqlx() as _,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;
    let is_full = found.working >= MOST || found.all >= MOST_KEPT;
    let of_plan = limits.keys.filter(|most| found.working >= i64::from(*most));
    Ok(match of_plan {
        Some(most) => KeyRoom::Plan(most),
        None if is_full => KeyRoom::Full,
        None => KeyRoom::Some,
    })
}

/// The same as [`create`] in a transaction, for somebody who signs in as `actor`. Answers what is
/// listed of it, and the key itself.
pub async fn make(
    tx: &mut Scoped,
    tenant: &TenantId,
    actor: &str,
    new: &NewKey<'_>,
    now: Timestamp,
) -> Result<(ListedKey, SecretString), Fault> {
    let key = secrets::secret(new.kind.prefix());
    let id = insert(tx, tenant, new, &hash(key.expose_secret()), now).await?;
    let made = AuditEntry {
        tenant: tenant.clone(),
        at: now,
        actor: actor.to_owned(),
        action: "api_key.created".into(),
        subject: format!("api_key:{id}"),
        detail: serde_json::json!({
            "name": new.name, "role": new.role.as_str(), "mode": new.kind.as_str(),
            "scopes": new.scopes, "expires_at": new.expires_at,
            "brands": new.limits.brands, "inboxes": new.limits.inboxes,
        }),
    };
    audit::append(tx, &[made]).await?;

    let listed = ListedKey {
        id,
        name: new.name.to_owned(),
        role: new.role,
        kind: new.kind,
        limits: new.limits.clone(),
        scopes: new.scopes.clone(),
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    Ok((listed, key))
}

async fn insert(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &NewKey<'_>,
    hash: &[u8; 32],
    now: Timestamp,
) -> Result<Uuid, Fault> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, hash);
    let (brands, inboxes) = new.limits.columns();
    sqlx::query!(
        "insert into api_keys (tenant_id, key_id, hash, name, role, scopes, expires_at, created_at,
                               is_test, brands, inboxes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        tenant.as_str(),
        id,
        hash.as_slice(),
        new.name,
        new.role.as_str(),
        new.scopes.as_deref(),
        new.expires_at.map(|at| at.to_sqlx()) as _,
        now.to_sqlx(),
        new.kind == KeyKind::Test,
        brands,
        inboxes,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(id)
}

/// Whose key has this hash, if it is not revoked. Before any tenant is known.
pub async fn find(store: &Store, hash: &[u8; 32]) -> Result<Option<KeyOwner>, Fault> {
    let row = sqlx::query!(
        r#"select tenant_id as "tenant_id!", key_id as "key_id!", role as "role!",
                  scopes, expires_at, last_used_at, is_test as "is_test!", works_in, brands, inboxes
           from find_key_owner($1)"#,
        hash.as_slice()
    )
    .fetch_optional(store.pool())
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    Ok(Some(KeyOwner {
        tenant: words::tenant(&row.tenant_id)?,
        works_in: row.works_in.as_deref().map(words::tenant).transpose()?,
        kind: KeyKind::of(row.is_test),
        sight: Sight::of(row.brands, row.inboxes),
        id: row.key_id,
        role: word(&row.role)?,
        scopes: row.scopes,
        expires_at: row.expires_at.map(|at| at.to_jiff()),
        last_used_at: row.last_used_at.map(|at| at.to_jiff()),
    }))
}

/// Notes that a key is used, unless it was noted within a minute of business time.
pub async fn note_use(store: &Store, key: &KeyOwner, now: Timestamp) -> Result<(), Fault> {
    let before = now - USE_NOTED_EVERY;
    if key.last_used_at.is_some_and(|last| last > before) {
        return Ok(());
    }

    let mut tx = store.scoped([&key.tenant]).await?;
    sqlx::query!(
        "update api_keys set last_used_at = $3
         where tenant_id = $1 and key_id = $2 and (last_used_at is null or last_used_at <= $4)",
        key.tenant.as_str(),
        key.id,
        now.to_sqlx() as _,
        before.to_sqlx() as _,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    tx.commit().await.map_err(fault)
}
