//! Carrier accounts. Secrets come and stay sealed.
//!
//! An account has a handle, which is the platform's (webhook addresses, subjects, shards, permits
//! and pace), and a name, which is its tenant's. An account of the platform serves several tenants:
//! each has a row of its own, under the same handle ([`super::platform_accounts`]).

use std::collections::BTreeMap;

pub use domain::account::Access;
use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{
    Scoped, Store,
    core::keyed,
    fault,
    parked::wake::{self, Way, What},
};

/// An account at a carrier, as a tenant has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The platform's name of it, see the head of this file.
    pub handle: String,
    /// The tenant's name of it, unique among its accounts.
    pub name: String,
    /// Where it is and how it is called.
    pub access: Access,
    /// Whether the carrier answers its own opt-out words.
    pub confirms_opt_out: bool,
    /// When it was set up, in business time.
    pub created_at: Timestamp,
}

/// What a change of an account met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChanged {
    /// It is so now.
    Done(Account),
    /// The account is the platform's: its operator changes it.
    OfThePlatform,
    /// So many senders belong to it, and it stays.
    HasSenders(i64),
    /// The tenant has so many numbers at it, and it stays.
    HasNumbers(i64),
    /// The tenant has no account of this name.
    NotFound,
}

/// What is to be otherwise about an account. What is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// Another secret, sealed.
    pub sealed_token: Option<String>,
    /// Where its API is.
    pub base_url: Option<String>,
    /// Whether the carrier answers its own opt-out words.
    pub confirms_opt_out: Option<bool>,
}

struct Row {
    account: String,
    name: String,
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
            handle: row.account,
            name: row.name,
            access: Access {
                carrier: row.carrier,
                carrier_sid: row.carrier_sid,
                base_url: row.base_url,
                sealed_token: row.sealed_token,
            },
            confirms_opt_out: row.confirms_opt_out,
            created_at: row.created_at.to_jiff(),
        }
    }
}

/// Adds an account, or takes one back that was removed. False when its tenant has one of this name.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Account) -> Result<bool, Fault> {
    Ok(insert(tx, tenant, new).await? || take_back(tx, tenant, new).await?)
}

/// Uses a removed account again, with the new settings.
async fn take_back(tx: &mut Scoped, tenant: &TenantId, new: &Account) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update carrier_accounts
         set name = $3, carrier = $4, carrier_sid = $5, base_url = $6, sealed_token = $7,
             confirms_opt_out = $8, created_at = $9, removed_at = null
         where tenant_id = $1 and account = $2 and removed_at is not null",
        tenant.as_str(),
        new.handle,
        new.name,
        new.access.carrier,
        new.access.carrier_sid,
        new.access.base_url,
        new.access.sealed_token,
        new.confirms_opt_out,
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

async fn insert(tx: &mut Scoped, tenant: &TenantId, new: &Account) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into carrier_accounts (tenant_id, account, name, carrier, carrier_sid, base_url,
                                       sealed_token, confirms_opt_out, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        tenant.as_str(),
        new.handle,
        new.name,
        new.access.carrier,
        new.access.carrier_sid,
        new.access.base_url,
        new.access.sealed_token,
        new.confirms_opt_out,
        new.created_at.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Changes a tenant's own account. What was held because the carrier had refused it as it was goes
/// on, and the account rests no more.
pub async fn change(
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
    change: &AccountChange,
) -> Result<AccountChanged, Fault> {
    let Some(account) = by_name(tx, tenant, name).await? else {
        return Ok(AccountChanged::NotFound);
    };
    if is_shared(tx, &account.handle).await? {
        return Ok(AccountChanged::OfThePlatform);
    }

    sqlx::query!(
        "update carrier_accounts
         set sealed_token = coalesce($3, sealed_token), base_url = coalesce($4, base_url),
             confirms_opt_out = coalesce($5, confirms_opt_out)
         where tenant_id = $1 and account = $2",
        tenant.as_str(),
        account.handle,
        change.sealed_token,
        change.base_url,
        change.confirms_opt_out,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    end_rest(tx, tenant, &account.handle).await?;

    let changed = by_name(tx, tenant, name).await?;
    Ok(changed.map_or(AccountChanged::NotFound, AccountChanged::Done))
}

/// Removes a tenant's own account that no sender and no number belongs to any more. What was sent
/// through it keeps it for receipts and answers.
pub async fn remove(
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
    now: Timestamp,
) -> Result<AccountChanged, Fault> {
    let Some(account) = by_name(tx, tenant, name).await? else {
        return Ok(AccountChanged::NotFound);
    };
    if is_shared(tx, &account.handle).await? {
        return Ok(AccountChanged::OfThePlatform);
    }

    let senders = sqlx::query_scalar!(
        r#"select count(*) as "senders!" from senders
           where tenant_id = $1 and account = $2 and removed_at is null"#,
        tenant.as_str(),
        account.handle,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;
    if senders > 0 {
        return Ok(AccountChanged::HasSenders(senders));
    }

    let numbers = sqlx::query_scalar!(
        r#"select count(*) as "numbers!" from numbers
           where tenant_id = $1 and account = $2 and state not in ('failed', 'gone')"#,
        tenant.as_str(),
        account.handle,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;
    if numbers > 0 {
        return Ok(AccountChanged::HasNumbers(numbers));
    }

    super::carrier_templates::forget_account(tx, tenant, &account.handle).await?;
    sqlx::query!(
        "update carrier_accounts set removed_at = $3 where tenant_id = $1 and account = $2",
        tenant.as_str(),
        account.handle,
        now.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(AccountChanged::Done(account))
}

/// Has a tenant's accounts that are called at one address called at another. What was held for them
/// goes on.
pub async fn move_base_url(
    tx: &mut Scoped,
    tenant: &TenantId,
    from: &str,
    to: &str,
) -> Result<(), Fault> {
    let moved = sqlx::query_scalar!(
        "update carrier_accounts set base_url = $3
         where tenant_id = $1 and base_url = $2 returning account",
        tenant.as_str(),
        from,
        to,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    for handle in moved {
        end_rest(tx, tenant, &handle).await?;
    }
    Ok(())
}

/// Lets an account that has changed go on: it rests no more, and what was held for it goes
/// back to the gates.
pub(super) async fn end_rest(
    tx: &mut Scoped,
    tenant: &TenantId,
    handle: &str,
) -> Result<(), Fault> {
    sqlx::query!("select end_account_rest($1)", handle).execute(&mut **tx).await.map_err(fault)?;
    let key = format!("account:{handle}");
    wake::wake(tx, tenant, &What::Cause(&key), Way::On).await
}

/// A tenant's accounts after one, by name, without those that were removed.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: &str,
    limit: i64,
) -> Result<Vec<Account>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        r#"select account, coalesce(name, account) as "name!", carrier, carrier_sid, base_url,
                  sealed_token, confirms_opt_out, created_at
           from carrier_accounts
           where tenant_id = $1 and coalesce(name, account) > $2 and removed_at is null
           order by coalesce(name, account) limit $3"#,
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(rows.into_iter().map(Account::from).collect())
}

/// A tenant's account by its name; none where it was removed.
pub async fn by_name(
    tx: &mut Scoped,
    tenant: &TenantId,
    name: &str,
) -> Result<Option<Account>, Fault> {
    let row = sqlx::query_as!(
        Row,
        r#"select account, coalesce(name, account) as "name!", carrier, carrier_sid, base_url,
                  sealed_token, confirms_opt_out, created_at
           from carrier_accounts
           where tenant_id = $1 and coalesce(name, account) = $2 and removed_at is null"#,
        tenant.as_str(),
        name,
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(row.map(Account::from))
}

/// Whether a handle is that of an account of the platform.
pub async fn is_shared(tx: &mut Scoped, handle: &str) -> Result<bool, Fault> {
    sqlx::query_scalar!(r#"select is_platform_account($1) as "is_one!""#, handle)
        .fetch_one(&mut **tx)
        .await
        .map_err(fault)
}

/// An account as the webhook ingress knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The platform's name of it.
    pub handle: String,
    /// Who uses it: one tenant, or any number where it is the platform's.
    pub tenants: Vec<TenantId>,
    /// Whether it is the platform's: another tenant may use it at any time.
    pub is_platforms: bool,
    /// What they call it, in the order of the tenants.
    pub names: Vec<String>,
    /// Where it is and how it is called.
    pub carrier: String,
    /// The account's id at the carrier.
    pub carrier_sid: String,
    /// The secret under the master key.
    pub sealed_token: String,
}

/// The accounts of all tenants, for the webhook ingress.
pub async fn all(store: &Store) -> Result<Vec<DirectoryEntry>, Fault> {
    let rows = sqlx::query!(
        r#"select tenant_id as "tenant_id!", account as "account!", name as "name!",
                  carrier as "carrier!", carrier_sid as "carrier_sid!",
                  sealed_token as "sealed_token!",
                  is_platform_account(account) as "is_platforms!"
           from accounts_directory() order by account, tenant_id"#
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let mut entries: BTreeMap<String, DirectoryEntry> = BTreeMap::new();
    for row in rows {
        let entry = entries.entry(row.account.clone()).or_insert_with(|| DirectoryEntry {
            handle: row.account,
            tenants: Vec::new(),
            is_platforms: row.is_platforms,
            names: Vec::new(),
            carrier: row.carrier,
            carrier_sid: row.carrier_sid,
            sealed_token: row.sealed_token,
        });
        entry.tenants.push(keyed::tenant(&row.tenant_id));
        entry.names.push(row.name);
    }
    Ok(entries.into_values().collect())
}
