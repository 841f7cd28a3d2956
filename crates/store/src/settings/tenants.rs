//! Tenants, and the settings that hold for everything of theirs.

use domain::ids::TenantId;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use crate::{Scoped, Store, fault};

/// The colour of a tenant, and of a brand, that says none.
pub const COLOUR: &str = "#6366f1";

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
    /// What its pages look like.
    pub theme: Theme,
    /// What its plan limits it to.
    pub limits: PlanLimits,
    /// Business time at which it was archived; none while it is in use.
    pub archived_at: Option<Timestamp>,
}

/// What a tenant's pages look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its colour, `#` and six hexadecimal digits in small letters.
    pub colour: String,
    /// Where its picture is, by https.
    pub logo_url: Option<String>,
    /// What pages call it; none: its name.
    pub display_name: Option<String>,
}

impl Default for Theme {
    fn default() -> Self {
        Self { colour: COLOUR.to_owned(), logo_url: None, display_name: None }
    }
}

/// What the plan of a tenant limits it to, as an operator has said. None: what every tenant is
/// limited to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlanLimits {
    /// Brands, archived ones among them.
    pub brands: Option<i32>,
    /// People who work for it.
    pub members: Option<i32>,
    /// API keys that work.
    pub keys: Option<i32>,
    /// Messages that the gates admit in a day of its zone, where its policy admits no fewer.
    pub messages_per_day: Option<i32>,
    /// Contacts, for whoever adds one by the API or a file.
    pub contacts: Option<i32>,
    /// Segments per second of all its senders together.
    pub pace: Option<i32>,
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
            theme: Theme::default(),
            limits: PlanLimits::default(),
            archived_at: None,
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
        "select name, country, time_zone, currency, language, colour, logo_url, display_name,
                most_brands, most_members, most_keys, most_messages_per_day, most_contacts,
                pace, archived_at
         from tenants where tenant_id = $1",
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
        theme: Theme { colour: row.colour, logo_url: row.logo_url, display_name: row.display_name },
        limits: PlanLimits {
            brands: row.most_brands,
            members: row.most_members,
            keys: row.most_keys,
            messages_per_day: row.most_messages_per_day,
            contacts: row.most_contacts,
            pace: row.pace,
        },
        archived_at: row.archived_at.map(|at| at.to_jiff()),
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

/// Saves what a tenant itself may change.
pub async fn save(tx: &mut Scoped, tenant: &Tenant) -> Result<(), Fault> {
    sqlx::query!(
        "update tenants
         set name = $2, country = $3, time_zone = $4, language = $5, currency = $6, colour = $7,
             logo_url = $8, display_name = $9
         where tenant_id = $1",
        tenant.id.as_str(),
        tenant.name,
        tenant.country,
        tenant.time_zone,
        tenant.language,
        tenant.currency,
        tenant.theme.colour,
        tenant.theme.logo_url,
        tenant.theme.display_name,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Saves what the plan of a tenant limits it to.
pub async fn save_limits(
    tx: &mut Scoped,
    tenant: &TenantId,
    limits: PlanLimits,
) -> Result<(), Fault> {
    sqlx::query!(
        "update tenants set most_brands = $2, most_members = $3, most_keys = $4,
                most_messages_per_day = $5, most_contacts = $6, pace = $7
         where tenant_id = $1",
        tenant.as_str(),
        limits.brands,
        limits.members,
        limits.keys,
        limits.messages_per_day,
        limits.contacts,
        limits.pace,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// What the plan of a tenant limits it to. The tenant is locked until the transaction ends: of two
/// who make something at once, one counts what the other has made.
pub async fn lock_limits(tx: &mut Scoped, tenant: &TenantId) -> Result<PlanLimits, Fault> {
    let row = sqlx::query!(
        "select most_brands, most_members, most_keys, most_messages_per_day, most_contacts,
                pace
         from tenants where tenant_id = $1 for no key update",
        tenant.as_str()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(row.map_or_else(PlanLimits::default, |row| PlanLimits {
        brands: row.most_brands,
        members: row.most_members,
        keys: row.most_keys,
        messages_per_day: row.most_messages_per_day,
        contacts: row.most_contacts,
        pace: row.pace,
    }))
}

/// How many more contacts the plan of a tenant has room for; none where it names no number. Where
/// it does, the tenant is locked until the transaction ends, so that of two who add contacts at
/// once one counts those of the other. It counts no further than the limit.
pub async fn contacts_left(tx: &mut Scoped, tenant: &TenantId) -> Result<Option<u64>, Fault> {
    let most = sqlx::query_scalar!(
        r#"select most_contacts as "most!" from tenants
           where tenant_id = $1 and most_contacts is not null for no key update"#,
        tenant.as_str()
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;
    let Some(most) = most.map(i64::from) else { return Ok(None) };

    let there = sqlx::query_scalar!(
        r#"select count(*) as "there!" from (
               select from contacts where tenant_id = $1 limit $2) c"#,
        tenant.as_str(),
        most,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(Some((most - there).max(0).unsigned_abs()))
}

/// Whether a message of the tenant was ever stored, and with it its price.
pub async fn has_prices(tx: &mut Scoped, tenant: &TenantId) -> Result<bool, Fault> {
    sqlx::query_scalar!(
        r#"select exists (select from messages where tenant_id = $1)
               or exists (select from gone_counts where tenant_id = $1) as "has_prices!""#,
        tenant.as_str()
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// Notes that a tenant is archived since an instant, or in use again.
pub(super) async fn set_archived(
    tx: &mut Scoped,
    tenant: &TenantId,
    at: Option<Timestamp>,
) -> Result<(), Fault> {
    sqlx::query!(
        "update tenants set archived_at = $2 where tenant_id = $1",
        tenant.as_str(),
        at.map(|at| at.to_sqlx()) as _,
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
