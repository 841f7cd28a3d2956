//! API keys: 32 random bytes that a program signs in with. The table holds their SHA-256 alone.

use std::fmt;

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use secrecy::{ExposeSecret, SecretString};
use sqlx::types::Uuid;
use stage::Fault;

use super::{limits::BrandLimits, tenants};
use crate::{
    Scoped, Store,
    audit::{self, AuditEntry},
    core::{
        scope::Sight,
        secrets,
        words::{self, word, words},
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

/// What a key or token may do. The api's table of roles says what that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// May do everything, and give keys out.
    Owner,
    /// Everything but what belongs to the owner.
    Admin,
    /// Campaigns, contacts, templates, switches.
    Operator,
    /// Conversations and single messages.
    Agent,
    /// May read, and change nothing.
    Viewer,
}

impl KeyRole {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 5] =
        [Self::Owner, Self::Admin, Self::Operator, Self::Agent, Self::Viewer];

    /// The name in rows, tokens and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

words! { KeyRole = "role of a key" }

domain::described_words! {
    KeyRole, "What a key or token may do; the security scheme lists the permissions of each role.";
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a key is for real traffic. A test key works in its tenant's twin ([`super::twins`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// For real traffic: `mr_live_...`.
    Live,
    /// For trying out: `mr_test_...`.
    Test,
}

impl KeyKind {
    /// Both kinds of keys.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// How keys of this kind begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Live => "mr_live_",
            Self::Test => "mr_test_",
        }
    }

    /// The name in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind of a row.
    fn of(is_test: bool) -> Self {
        if is_test { Self::Test } else { Self::Live }
    }
}

domain::described_words! {
    KeyKind, "`live` for real traffic; `test` for the twin, whose texts stay in the sandbox.";
}

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

/// Revokes a key, which [`find`] does not find from then on.
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
