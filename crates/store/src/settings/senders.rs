//! Senders: the numbers, short codes and ids that messages leave from.

use domain::{
    ids::{BrandId, SenderId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use crate::{
    Scoped,
    core::{keyed::just_before, words::word},
    fault,
};

/// A number, short code or alphanumeric id that messages leave from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// A UUID v5 of tenant and number.
    pub id: SenderId,
    /// The handle of the carrier account that it belongs to.
    pub account: String,
    /// The tenant's name of that account.
    pub account_name: String,
    /// E.164, short code or alphanumeric id; on WhatsApp the carrier's id of the number.
    pub number: String,
    /// The channel that it carries, by its account's carrier.
    pub channel: Channel,
    /// ISO 3166: recipients it is for.
    pub country: String,
    /// IANA: its warm-up days.
    pub time_zone: String,
    /// Segments per second.
    pub pace: i32,
    /// Start of the warm-up curve.
    pub active_since: Timestamp,
    /// Messages a day once warmed up.
    pub daily_cap: i32,
    /// False: quarantined or not registered.
    pub usable: bool,
    /// The name that people know it under.
    pub brand: Option<BrandId>,
    /// When it was set up, in business time.
    pub created_at: Timestamp,
}

struct Row {
    sender_id: Uuid,
    account: String,
    account_name: String,
    number: String,
    channel: String,
    country: String,
    time_zone: String,
    pace: i32,
    active_since: jiff_sqlx::Timestamp,
    daily_cap: i32,
    usable: bool,
    created_at: jiff_sqlx::Timestamp,
    brand_id: Option<Uuid>,
}

impl TryFrom<Row> for Sender {
    type Error = Fault;

    fn try_from(row: Row) -> Result<Self, Fault> {
        Ok(Self {
            id: SenderId(row.sender_id),
            account: row.account,
            account_name: row.account_name,
            number: row.number,
            channel: word(&row.channel)?,
            country: row.country,
            time_zone: row.time_zone,
            pace: row.pace,
            active_since: row.active_since.to_jiff(),
            daily_cap: row.daily_cap,
            usable: row.usable,
            brand: row.brand_id.map(BrandId),
            created_at: row.created_at.to_jiff(),
        })
    }
}

/// Adds a sender, or takes one back that was removed. False when the tenant, or somebody else who
/// uses the account, has its number.
///
/// # Errors
/// An outage, or an account that does not exist.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Sender) -> Result<bool, Fault> {
    Ok(insert(tx, tenant, new).await? || take_back(tx, tenant, new).await?)
}

async fn insert(tx: &mut Scoped, tenant: &TenantId, new: &Sender) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "insert into senders (tenant_id, sender_id, account, number, country, time_zone, pace,
                              active_since, daily_cap, usable, created_at, brand_id, channel)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing",
        tenant.as_str(),
        new.id.0,
        new.account,
        new.number,
        new.country,
        new.time_zone,
        new.pace,
        new.active_since.to_sqlx(),
        new.daily_cap,
        new.usable,
        new.created_at.to_sqlx(),
        new.brand.map(|brand| brand.0),
        new.channel.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(done.rows_affected() == 1)
}

/// Uses a removed sender again, with the new settings. One that an account keeps receipts for stays
/// that account's.
async fn take_back(tx: &mut Scoped, tenant: &TenantId, new: &Sender) -> Result<bool, Fault> {
    let done = sqlx::query!(
        "update senders
         set country = $4, time_zone = $5, pace = $6, active_since = $7, daily_cap = $8,
             usable = $9, created_at = $10, brand_id = $11, channel = $12, removed_at = null,
             health = 'healthy', health_cause = null, health_since = $10, rests_until = null,
             quarantines = 0
         where tenant_id = $1 and sender_id = $2 and account = $3 and removed_at is not null",
        tenant.as_str(),
        new.id.0,
        new.account,
        new.country,
        new.time_zone,
        new.pace,
        new.active_since.to_sqlx(),
        new.daily_cap,
        new.usable,
        new.created_at.to_sqlx(),
        new.brand.map(|brand| brand.0),
        new.channel.as_str(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(done.rows_affected() == 1)
}

/// A tenant's sender, locked until the transaction ends where it is to be changed.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    lock: bool,
) -> Result<Option<Sender>, Fault> {
    if lock {
        sqlx::query!(
            "select number from senders where tenant_id = $1 and sender_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    let before = just_before(id.0);
    let found = list(tx, tenant, before, 1).await?.pop();
    Ok(found.filter(|sender| sender.id == id))
}

/// Writes a sender's settings. Its number and its account stay.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, sender: &Sender) -> Result<(), Fault> {
    sqlx::query!(
        "update senders
         set country = $3, time_zone = $4, pace = $5, active_since = $6, daily_cap = $7,
             usable = $8, brand_id = $9
         where tenant_id = $1 and sender_id = $2",
        tenant.as_str(),
        sender.id.0,
        sender.country,
        sender.time_zone,
        sender.pace,
        sender.active_since.to_sqlx(),
        sender.daily_cap,
        sender.usable,
        sender.brand.map(|brand| brand.0),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Removes a sender: no message is offered it any more. What it has sent keeps it for receipts and
/// answers.
pub async fn remove(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: SenderId,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query!(
        "update senders set usable = false, removed_at = $3
         where tenant_id = $1 and sender_id = $2",
        tenant.as_str(),
        id.0,
        now.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// A tenant's senders after one, by id, without those that were removed.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Sender>, Fault> {
    let rows = sqlx::query_as!(
        Row,
        r#"select s.sender_id, s.account, coalesce(a.name, a.account) as "account_name!", s.number,
                  s.country, s.time_zone, s.pace, s.active_since, s.daily_cap, s.usable,
                  s.created_at, s.brand_id, s.channel
           from senders s
           join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
           where s.tenant_id = $1 and s.sender_id > $2 and s.removed_at is null
           order by s.sender_id limit $3"#,
        tenant.as_str(),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    rows.into_iter().map(Sender::try_from).collect()
}

/// Those of these senders that the tenant has, by id.
pub async fn by_ids(
    tx: &mut Scoped,
    tenant: &TenantId,
    ids: &[Uuid],
) -> Result<Vec<Sender>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }

    let rows = sqlx::query_as!(
        Row,
        r#"select s.sender_id, s.account, coalesce(a.name, a.account) as "account_name!", s.number,
                  s.country, s.time_zone, s.pace, s.active_since, s.daily_cap, s.usable,
                  s.created_at, s.brand_id, s.channel
           from senders s
           join carrier_accounts a on a.tenant_id = s.tenant_id and a.account = s.account
           where s.tenant_id = $1 and s.sender_id = any ($2) and s.removed_at is null
           order by s.sender_id"#,
        tenant.as_str(),
        ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    rows.into_iter().map(Sender::try_from).collect()
}

/// Which of these senders the tenant does not have.
pub async fn missing(tx: &mut Scoped, tenant: &TenantId, ids: &[Uuid]) -> Result<Vec<Uuid>, Fault> {
    sqlx::query_scalar!(
        r#"select k.id as "id!" from unnest($2::uuid[]) as k (id)
           where not exists (select from senders s where s.tenant_id = $1 and s.sender_id = k.id
                                and s.removed_at is null)"#,
        tenant.as_str(),
        ids,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}
