//! Tenants, and the settings that hold for everything of theirs.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, Store, fault};

/// A tenant with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The tenant's key, which never changes.
    pub id: TenantId,
    /// What people call it.
    pub name: String,
    /// ISO 3166: where numbers without a plus sign are read.
    pub country: String,
    /// IANA: the days of budgets; a recipient's last resort.
    pub time_zone: String,
    /// The currency of its prices, ISO 4217.
    pub currency: String,
    /// ISO 639-1: of texts to contacts that have none.
    pub language: String,
}

impl Tenant {
    /// A tenant in New York who writes English and pays in dollars, until told otherwise.
    pub fn named(id: &TenantId, name: &str) -> Self {
        Self {
            id: id.clone(),
            name: name.to_owned(),
            country: "US".to_owned(),
            time_zone: "America/New_York".to_owned(),
            currency: "USD".to_owned(),
            language: "en".to_owned(),
        }
    }
}

/// Makes a tenant. Says whether it is new; one that exists stays as it is, and a key of the form
/// that twins have makes none.
pub async fn create(store: &Store, tenant: &Tenant, now: Timestamp) -> Result<bool, Fault> {
    let mut tx = store.scoped([&tenant.id]).await?;
    let is_new = insert(&mut tx, tenant, now).await?;
    tx.commit().await.map_err(fault)?;
    Ok(is_new)
}

/// The same within a transaction that sees the tenant.
pub async fn insert(tx: &mut Scoped, tenant: &Tenant, now: Timestamp) -> Result<bool, Fault> {
    if tenant.id.is_twin() {
        return Ok(false);
    }

    let done = sqlx::query!(
        "insert into tenants (tenant_id, name, country, time_zone, currency, language, created_at)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant_id) do nothing",
        tenant.id.as_str(),
        tenant.name,
        tenant.country,
        tenant.time_zone,
        tenant.currency,
        tenant.language,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// The tenant of this key.
pub async fn get(tx: &mut Scoped, id: &TenantId) -> Result<Option<Tenant>, Fault> {
    let row = sqlx::query!(
        "select name, country, time_zone, currency, language from tenants where tenant_id = $1",
        id.as_str()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| Tenant {
        id: id.clone(),
        name: row.name,
        country: row.country,
        time_zone: row.time_zone,
        currency: row.currency,
        language: row.language,
    }))
}

/// The same, locked until the transaction ends.
pub async fn lock(tx: &mut Scoped, id: &TenantId) -> Result<Option<Tenant>, Fault> {
    sqlx::query!("select 1 as one from tenants where tenant_id = $1 for update", id.as_str())
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    get(tx, id).await
}

/// Saves what may change about a tenant.
pub async fn save(tx: &mut Scoped, tenant: &Tenant) -> Result<(), Fault> {
    sqlx::query!(
        "update tenants set name = $2, country = $3, time_zone = $4, language = $5
         where tenant_id = $1",
        tenant.id.as_str(),
        tenant.name,
        tenant.country,
        tenant.time_zone,
        tenant.language,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// The keys of up to `at_most` tenants that come after one, in their order.
pub async fn after(store: &Store, tenant: &str, at_most: i64) -> Result<Vec<String>, Fault> {
    sqlx::query_scalar!(
        r#"select tenant_id as "tenant_id!" from tenants_after($1, $2)"#,
        tenant,
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)
}
