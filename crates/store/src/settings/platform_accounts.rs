//! Carrier accounts of the platform itself: an operator sets them up, lends them to tenants, and
//! says how fast all of them together may go. Works as the owner of the schema: neither the api nor
//! the stages may write here.

use domain::{account::Access, ids::TenantId};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::accounts::{self, Account};
use crate::{
    Store,
    audit::{self, AuditEntry},
    core::words,
    fault,
};

/// An account of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformAccount {
    /// Named in webhook addresses, subjects, shards and pace.
    pub handle: String,
    /// Where it is and how it is called.
    pub access: Access,
    /// Whether the carrier answers its own opt-out words.
    pub confirms_opt_out: bool,
    /// Segments per second of all its tenants together; none where the platform sets no limit.
    pub pace: Option<u32>,
    /// Business time at which it was set up.
    pub created_at: Timestamp,
}

/// Who uses an account, and with which part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The tenant that sends through it.
    pub tenant: TenantId,
    /// Its part where tenants compete, 1 to 100.
    pub weight: u32,
}

/// Adds an account. False when its handle, or this account of the carrier, is there already.
pub async fn create(store: &Store, new: &PlatformAccount) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into platform_accounts (account, carrier, carrier_sid, base_url, sealed_token,
                                        confirms_opt_out, pace, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        new.handle,
        new.access.carrier,
        new.access.carrier_sid,
        new.access.base_url,
        new.access.sealed_token,
        new.confirms_opt_out,
        new.pace.and_then(|pace| i32::try_from(pace).ok()),
        new.created_at.to_sqlx(),
    )
    .execute(store.pool())
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// An account by its handle.
pub async fn get(store: &Store, handle: &str) -> Result<Option<PlatformAccount>, Fault> {
    Ok(list(store).await?.into_iter().find(|account| account.handle == handle))
}

/// Every account of the platform, by handle. There are as many as an operator has made by hand.
pub async fn list(store: &Store) -> Result<Vec<PlatformAccount>, Fault> {
    let rows = sqlx::query!(
        "select account, carrier, carrier_sid, base_url, sealed_token, confirms_opt_out, pace,
                created_at
         from platform_accounts order by account"
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let account = rows.into_iter().map(|row| PlatformAccount {
        handle: row.account,
        access: Access {
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
        },
        confirms_opt_out: row.confirms_opt_out,
        pace: row.pace.map(i32::unsigned_abs),
        created_at: row.created_at.to_jiff(),
    });
    Ok(account.collect())
}

/// Who uses an account, by tenant.
pub async fn shares(store: &Store, handle: &str) -> Result<Vec<Share>, Fault> {
    let rows = sqlx::query!(
        "select tenant_id, weight from account_shares where account = $1 order by tenant_id",
        handle,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let share = |tenant: &str, weight: i32| {
        Ok(Share { tenant: words::tenant(tenant)?, weight: weight.unsigned_abs() })
    };
    rows.iter().map(|row| share(&row.tenant_id, row.weight)).collect()
}

/// Sets how fast an account may go. False where there is none with this handle.
pub async fn set_pace(store: &Store, handle: &str, pace: Option<u32>) -> Result<bool, Fault> {
    let pace = pace.and_then(|pace| i32::try_from(pace).ok());
    let done =
        sqlx::query!("update platform_accounts set pace = $2 where account = $1", handle, pace)
            .execute(store.pool())
            .await
            .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Lends an account to a tenant under a name of the tenant's, or changes the tenant's part of it.
/// False when the tenant has another account of this name.
pub async fn share(
    store: &Store,
    account: &PlatformAccount,
    name: &str,
    share: &Share,
    now: Timestamp,
) -> Result<bool, Fault> {
    let Share { tenant, weight } = share;
    let mut tx = store.scoped([tenant]).await?;
    let of_tenant = Account {
        handle: account.handle.clone(),
        name: name.to_owned(),
        access: account.access.clone(),
        confirms_opt_out: account.confirms_opt_out,
        created_at: now,
    };
    let is_new = accounts::create(&mut tx, tenant, &of_tenant).await?;
    let taken = accounts::by_name(&mut tx, tenant, name).await?;
    if taken.is_none_or(|taken| taken.handle != account.handle) {
        return Ok(false);
    }

    sqlx::query!(
        "insert into account_shares (account, tenant_id, weight) values ($1, $2, $3)
         on conflict (tenant_id, account) do update set weight = excluded.weight",
        account.handle,
        tenant.as_str(),
        i32::try_from(*weight).unwrap_or(i32::MAX),
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    let action = if is_new { "carrier_account.shared" } else { "carrier_account.changed" };
    let entry = AuditEntry {
        tenant: tenant.clone(),
        at: now,
        actor: "operator".into(),
        action: action.into(),
        subject: format!("carrier_account:{name}"),
        detail: serde_json::json!({ "carrier": account.access.carrier, "weight": weight }),
    };
    audit::append(&mut tx, &[entry]).await?;
    tx.commit().await.map_err(fault)?;
    Ok(true)
}

/// Sets an account's secret for itself and for everybody who uses it. What was held because the
/// carrier had refused the one before goes on. False where there is none with this handle.
pub async fn set_token(store: &Store, handle: &str, sealed_token: &str) -> Result<bool, Fault> {
    let users = shares(store, handle).await?;
    let mut tx = store.scoped(users.iter().map(|share| &share.tenant)).await?;
    let done = sqlx::query!(
        "update platform_accounts set sealed_token = $2 where account = $1",
        handle,
        sealed_token,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }

    for Share { tenant, .. } in &users {
        sqlx::query!(
            "update carrier_accounts set sealed_token = $3 where tenant_id = $1 and account = $2",
            tenant.as_str(),
            handle,
            sealed_token,
        )
        .execute(&mut *tx)
        .await
        .map_err(fault)?;
        accounts::end_rest(&mut tx, tenant, handle).await?;
    }
    tx.commit().await.map_err(fault)?;
    Ok(true)
}
