//! Invitations to work for a company: a code for one address, good once and for some days. The
//! column `email` holds the address, also where it is a number.

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use secrecy::{ExposeSecret, SecretString};
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{
        secrets::{hash, secret},
        words::{self, word},
    },
    fault,
    settings::{api_keys::KeyRole, limits::BrandLimits},
};

/// How long an invitation is good.
pub const GOOD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many invitations of a company are open at once.
pub const MOST: i64 = 1_000;

/// How codes begin, so that people see what they hold.
const PREFIX: &str = "mr_invite_";

/// An invitation that nobody has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The id that takes it back.
    pub id: Uuid,
    /// The address that is invited: of mail in small letters, or a number in E.164.
    pub address: String,
    /// The role that comes with it.
    pub role: KeyRole,
    /// The limits that come with it.
    pub limits: BrandLimits,
    /// Machine time at which it was made.
    pub created_at: Timestamp,
    /// Machine time from which it is good no more.
    pub expires_at: Timestamp,
}

/// An invitation as it is found by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundInvitation {
    /// The company that invites.
    pub tenant: TenantId,
    /// The id that takes it back.
    pub id: Uuid,
    /// The address that is invited: of mail in small letters, or a number in E.164.
    pub address: String,
    /// The role that comes with it.
    pub role: KeyRole,
}

/// Makes an invitation, which takes the place of an older one of the same address, and gives its
/// code out: the only time that it can be read. `invited_by` is who invites, as the audit trail
/// names them. Those that are good no more go. None where [`MOST`] are open.
pub async fn create(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &Invitation,
    invited_by: &str,
) -> Result<Option<SecretString>, Fault> {
    sqlx::query!(
        "delete from invitations where tenant_id = $1 and expires_at <= $2",
        tenant.as_str(),
        new.created_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    let open = sqlx::query_scalar!(
        r#"select count(*) as "open!" from invitations where tenant_id = $1 and email <> $2"#,
        tenant.as_str(),
        new.address,
    );
    if open.fetch_one(&mut **tx).await.map_err(fault)? >= MOST {
        return Ok(None);
    }

    let code = secret(PREFIX);
    let code_hash = hash(code.expose_secret());
    let (brands, inboxes) = new.limits.columns();

    sqlx::query!(
        "insert into invitations
             (tenant_id, invitation_id, hash, email, role, invited_by, created_at, expires_at,
              brands, inboxes)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (tenant_id, email) do update
         set invitation_id = excluded.invitation_id, hash = excluded.hash, role = excluded.role,
             invited_by = excluded.invited_by, created_at = excluded.created_at,
             expires_at = excluded.expires_at, brands = excluded.brands,
             inboxes = excluded.inboxes",
        tenant.as_str(),
        new.id,
        code_hash.as_slice(),
        new.address,
        new.role.as_str(),
        invited_by,
        new.created_at.to_sqlx(),
        new.expires_at.to_sqlx(),
        brands,
        inboxes,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(Some(code))
}

/// The invitation of this code, if it can be accepted. Before any tenant is known.
pub async fn find(
    tx: &mut Scoped,
    code: &str,
    machine: Timestamp,
) -> Result<Option<FoundInvitation>, Fault> {
    let code = hash(code);
    let row = sqlx::query!(
        r#"select tenant_id as "tenant_id!", invitation_id as "invitation_id!",
                  address as "address!", role as "role!"
           from invitation_of_code($1, $2)"#,
        code.as_slice(),
        machine.to_sqlx() as _,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    let Some(row) = row else { return Ok(None) };
    let (tenant, role) = (words::tenant(&row.tenant_id)?, word(&row.role)?);
    Ok(Some(FoundInvitation { tenant, id: row.invitation_id, address: row.address, role }))
}

/// The invitations of a company after one, by id, those among them that are good no more.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Invitation>, Fault> {
    let rows = sqlx::query!(
        "select invitation_id, email, role, created_at, expires_at, brands, inboxes
         from invitations
         where tenant_id = $1 and invitation_id > $2 order by invitation_id limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let invitation = rows.into_iter().map(|row| {
        Ok(Invitation {
            id: row.invitation_id,
            address: row.email,
            role: word(&row.role)?,
            limits: BrandLimits::of(row.brands, row.inboxes),
            created_at: row.created_at.to_jiff(),
            expires_at: row.expires_at.to_jiff(),
        })
    });
    invitation.collect()
}

/// The limits that come with an invitation, locked until the transaction ends; none where it is not
/// there any more.
pub async fn limits(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: Uuid,
) -> Result<Option<BrandLimits>, Fault> {
    let row = sqlx::query!(
        "select brands, inboxes from invitations
         where tenant_id = $1 and invitation_id = $2 for update",
        tenant.as_str(),
        id,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(row.map(|row| BrandLimits::of(row.brands, row.inboxes)))
}

/// Takes an invitation away: because it is accepted, or taken back. Answers the address that was
/// invited, or none where it is not there any more.
pub async fn take(tx: &mut Scoped, tenant: &TenantId, id: Uuid) -> Result<Option<String>, Fault> {
    sqlx::query_scalar!(
        "delete from invitations where tenant_id = $1 and invitation_id = $2 returning email",
        tenant.as_str(),
        id,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)
}

/// Takes back what somebody has invited to, who may not do so any more.
pub async fn take_all_by(
    tx: &mut Scoped,
    tenant: &TenantId,
    invited_by: &str,
) -> Result<(), Fault> {
    sqlx::query!(
        "delete from invitations where tenant_id = $1 and invited_by = $2",
        tenant.as_str(),
        invited_by,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
