//! Who works for a company, and with which role.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::PlatformUser;
use crate::{
    Scoped,
    core::words::{self, word},
    fault,
    settings::{api_keys::KeyRole, limits::BrandLimits},
};

/// Somebody who works for a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who they are.
    pub person: PlatformUser,
    /// What they may do there.
    pub role: KeyRole,
    /// What they are limited to.
    pub limits: BrandLimits,
    /// Business time since which they are there.
    pub created_at: Timestamp,
}

/// A company that somebody works for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The company that they work for.
    pub tenant: TenantId,
    /// What it is called.
    pub name: String,
    /// What they may do there.
    pub role: KeyRole,
    /// Business time at which it was archived; none while it is in use.
    pub archived_at: Option<Timestamp>,
}

/// The companies that a person works for, in the order in which they came there.
pub async fn companies(tx: &mut Scoped, person: Uuid) -> Result<Vec<Membership>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", name as "name!", role as "role!", archived_at
           from companies_of_person($1)"#,
        person
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let company = rows.into_iter().map(|row| {
        let (tenant, role) = (words::tenant(&row.tenant_id)?, word(&row.role)?);
        let archived_at = row.archived_at.map(|at| at.to_jiff());
        Ok(Membership { tenant, name: row.name, role, archived_at })
    });
    company.collect()
}

/// A row of the table, with whom it is about.
struct StoredMember {
    person_id: Uuid,
    email: Option<String>,
    email_verified: bool,
    phone: Option<String>,
    name: String,
    role: String,
    brands: Option<Vec<Uuid>>,
    inboxes: Option<Vec<Uuid>>,
    created_at: jiff_sqlx::Timestamp,
}

impl StoredMember {
    fn read(self) -> Result<Member, Fault> {
        let Self { person_id: id, email, email_verified, phone, name, .. } = self;
        Ok(Member {
            person: PlatformUser { id, email, email_verified, phone, name },
            role: word(&self.role)?,
            limits: BrandLimits::of(self.brands, self.inboxes),
            created_at: self.created_at.to_jiff(),
        })
    }
}

/// Who works for a company after one of them, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Member>, Fault> {
    let rows = sqlx::query_as!(
        StoredMember,
        r#"select m.person_id, p.email, p.email_verified_at is not null as "email_verified!",
                  p.phone, p.name, m.role, m.brands, m.inboxes, m.created_at
           from members m join persons p using (person_id)
           where m.tenant_id = $1 and m.person_id > $2 order by m.person_id limit $3"#,
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    rows.into_iter().map(StoredMember::read).collect()
}

/// Somebody who works for a company.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: Uuid,
) -> Result<Option<Member>, Fault> {
    let row = sqlx::query_as!(
        StoredMember,
        r#"select m.person_id, p.email, p.email_verified_at is not null as "email_verified!",
                  p.phone, p.name, m.role, m.brands, m.inboxes, m.created_at
           from members m join persons p using (person_id)
           where m.tenant_id = $1 and m.person_id = $2"#,
        tenant.as_str(),
        person,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    row.map(StoredMember::read).transpose()
}

/// Locks the owners of a company until the transaction ends, so that two changes at once do not
/// leave it without one. Answers who they are.
pub async fn lock_owners(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<Uuid>, Fault> {
    sqlx::query_scalar!(
        "select person_id from members where tenant_id = $1 and role = 'owner'
         order by person_id for update",
        tenant.as_str()
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// How many people work for a company beside one of them.
pub async fn count_others(tx: &mut Scoped, tenant: &TenantId, person: Uuid) -> Result<i64, Fault> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from members where tenant_id = $1 and person_id <> $2"#,
        tenant.as_str(),
        person,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// Has somebody work for a company, with this role and these limits. Answers the role that they
/// have there: somebody who works for it already keeps theirs, and their limits.
pub async fn add(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: Uuid,
    (role, limits): (KeyRole, &BrandLimits),
    now: Timestamp,
) -> Result<KeyRole, Fault> {
    let (brands, inboxes) = limits.columns();

    let held = sqlx::query_scalar!(
        "insert into members (tenant_id, person_id, role, created_at, brands, inboxes)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, person_id) do update set role = members.role
         returning role",
        tenant.as_str(),
        person,
        role.as_str(),
        now.to_sqlx(),
        brands,
        inboxes,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(word(&held)?)
}

/// Gives somebody another role, and other limits.
pub async fn set_role(
    tx: &mut Scoped,
    tenant: &TenantId,
    person: Uuid,
    (role, limits): (KeyRole, &BrandLimits),
) -> Result<(), Fault> {
    let (brands, inboxes) = limits.columns();
    sqlx::query!(
        "update members set role = $3, brands = $4, inboxes = $5
         where tenant_id = $1 and person_id = $2",
        tenant.as_str(),
        person,
        role.as_str(),
        brands,
        inboxes,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Has somebody work for a company no more.
pub async fn remove(tx: &mut Scoped, tenant: &TenantId, person: Uuid) -> Result<(), Fault> {
    sqlx::query!(
        "delete from members where tenant_id = $1 and person_id = $2",
        tenant.as_str(),
        person,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
