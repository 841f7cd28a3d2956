//! What is sealed under the master key, for a change of that key: the secrets of carrier accounts,
//! the tenants' and the platform's, and those of the assistant's tools. Works as the owner of the
//! schema.

use domain::ids::TenantId;
use stage::Fault;

use crate::{Scoped, Store, fault};

/// The secret of an account or a tool as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// The platform's name of it.
    pub handle: String,
    /// The tenant's name of it.
    pub name: String,
    /// The secret under the master key.
    pub sealed: String,
}

/// The secrets of a tenant's accounts after one, by handle, with those of removed accounts: what
/// was sent through these still has receipts. They stay as they are until the transaction ends.
pub async fn lock(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<SealedSecret>, Fault> {
    sqlx::query_as!(
        SealedSecret,
        r#"select account as handle, coalesce(name, account) as "name!", sealed_token as sealed
           from carrier_accounts where tenant_id = $1 and account > $2
           order by account limit $3 for update"#,
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// Stores other sealed texts of the same secrets.
pub async fn replace(
    tx: &mut Scoped,
    tenant: &TenantId,
    secrets: &[SealedSecret],
) -> Result<(), Fault> {
    let handles: Vec<String> = secrets.iter().map(|secret| secret.handle.clone()).collect();
    let sealed: Vec<String> = secrets.iter().map(|secret| secret.sealed.clone()).collect();
    sqlx::query!(
        "update carrier_accounts a set sealed_token = k.sealed
         from unnest($2::text[], $3::text[]) as k (account, sealed)
         where a.tenant_id = $1 and a.account = k.account",
        tenant.as_str(),
        &handles,
        &sealed,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// The secrets of all tools of a tenant's assistant, of which there are few; a tool's handle is its
/// id. They stay as they are until the transaction ends.
pub async fn lock_tools(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<SealedSecret>, Fault> {
    sqlx::query_as!(
        SealedSecret,
        r#"select tool_id::text as "handle!", name, sealed_secret as "sealed!"
           from assistant_tools where tenant_id = $1 and sealed_secret is not null
           order by tool_id for update"#,
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// Stores other sealed texts of the same secrets of tools.
pub async fn replace_of_tools(
    tx: &mut Scoped,
    tenant: &TenantId,
    secrets: &[SealedSecret],
) -> Result<(), Fault> {
    let handles: Vec<String> = secrets.iter().map(|secret| secret.handle.clone()).collect();
    let sealed: Vec<String> = secrets.iter().map(|secret| secret.sealed.clone()).collect();
    sqlx::query!(
        "update assistant_tools t set sealed_secret = k.sealed
         from unnest($2::text[], $3::text[]) as k (tool, sealed)
         where t.tenant_id = $1 and t.tool_id = k.tool::uuid",
        tenant.as_str(),
        &handles,
        &sealed,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Stores another sealed text of the same secret for an account of the platform. False where the
/// secret is no longer the one that was read.
pub async fn replace_of_platform(
    store: &Store,
    handle: &str,
    before: &str,
    sealed: &str,
) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update platform_accounts set sealed_token = $3 where account = $1 and sealed_token = $2",
        handle,
        before,
        sealed,
    )
    .execute(store.pool())
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}
