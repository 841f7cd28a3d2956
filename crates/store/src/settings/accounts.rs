//! Carrier accounts. Tokens come and stay sealed.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped, Store, fault,
    parked::wake::{self, Way, What},
};

/// An account at a carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its key here, unique over all tenants because webhooks name it.
    pub account: String,
    /// `twilio`
    pub carrier: String,
    /// Its id at the carrier.
    pub carrier_sid: String,
    /// Where its API is.
    pub base_url: String,
    /// The token under the master key.
    pub sealed_token: String,
    /// Whether the carrier answers its own opt-out words.
    pub confirms_opt_out: bool,
    /// Business time.
    pub created_at: Timestamp,
}

/// What it takes to call a carrier for an account.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The carrier's name.
    pub carrier: String,
    /// The account's id at the carrier.
    pub carrier_sid: String,
    /// Where the carrier's API is.
    pub base_url: String,
    /// The account's token under the master key.
    pub sealed_token: String,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("carrier", &self.carrier)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

struct Row {
    account: String,
    carrier: String,
    carrier_sid: String,
    base_url: String,
    sealed_token: String,
    confirms_opt_out: bool,
    created_at: jiff_sqlx::Timestamp,
}

impl From<Row> for Account {
    fn from(row: Row) -> Self {
        Self {
            account: row.account,
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            base_url: row.base_url,
            sealed_token: row.sealed_token,
            confirms_opt_out: row.confirms_opt_out,
            created_at: row.created_at.to_jiff(),
        }
    }
}

/// An account as the webhook ingress knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its key here.
    pub account: String,
    /// `twilio`
    pub carrier: String,
    /// Its id at the carrier.
    pub carrier_sid: String,
    /// The token under the master key.
    pub sealed_token: String,
}

/// Adds an account. False when its key is taken, by this tenant or another.
///
/// # Errors
/// An outage.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Account) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into carrier_accounts (tenant_id, account, carrier, carrier_sid, base_url,
                                       sealed_token, confirms_opt_out, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        tenant.as_str(),
        new.account,
        new.carrier,
        new.carrier_sid,
        new.base_url,
        new.sealed_token,
        new.confirms_opt_out,
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Sets an account's token. What was held because the carrier had refused the one before goes on,
/// and the account rests no more. The account as it is now; none where the tenant has no such.
///
/// # Errors
/// An outage.
pub async fn set_token(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    sealed_token: &str,
) -> Result<Option<Account>, Fault> {
    let row = sqlx::query_as!(
        Row,
        "update carrier_accounts set sealed_token = $3 where tenant_id = $1 and account = $2
         returning account, carrier, carrier_sid, base_url, sealed_token, confirms_opt_out,
                   created_at",
        tenant.as_str(),
        account,
        sealed_token,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    let Some(row) = row else { return Ok(None) };
    let key = format!("account:{account}");
    sqlx::query!("delete from pace where tenant_id = $1 and key = $2", tenant.as_str(), key)
        .execute(&mut **tx)
        .await
        .map_err(fault)?;
    wake::wake(tx, tenant, &What::Cause(&key), Way::On).await?;
    Ok(Some(row.into()))
}

/// A tenant's accounts after one, by key.
///
/// # Errors
/// An outage.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Account>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        "select account, carrier, carrier_sid, base_url, sealed_token, confirms_opt_out, created_at
         from carrier_accounts where tenant_id = $1 and account > $2 order by account limit $3",
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// Whether the tenant has this account.
///
/// # Errors
/// An outage.
pub async fn exists(tx: &mut Scoped, tenant: &TenantId, account: &str) -> Result<bool, Fault> {
    sqlx::query_scalar!(
        r#"select exists (select from carrier_accounts
                          where tenant_id = $1 and account = $2) as "exists!""#,
        tenant.as_str(),
        account,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// The accounts of all tenants, for the webhook ingress.
///
/// # Errors
/// An outage.
pub async fn all(store: &Store) -> Result<Vec<DirectoryEntry>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", account as "account!", carrier as "carrier!",
                  carrier_sid as "carrier_sid!", sealed_token as "sealed_token!"
           from all_accounts()"#
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;
    let known = rows.into_iter().map(|row| DirectoryEntry {
        tenant: crate::core::keyed::tenant(&row.tenant_id),
        account: row.account,
        carrier: row.carrier,
        carrier_sid: row.carrier_sid,
        sealed_token: row.sealed_token,
    });
    Ok(known.collect())
}
