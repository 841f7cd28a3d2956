//! What the list of an account's templates changes.

use std::collections::BTreeMap;

use domain::{
    carrier_template::KeptTemplate,
    ids::{CarrierTemplateId, TenantId},
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;

use super::{super::tenants, CLOCKS_DIFFER, MOST, due::LEASE};
use crate::{Scoped, fault};

/// How long after it was asked for a template that is not listed has not been taken: far longer
/// than a call and the lag of any list.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// How long after a list the next one is read: Meta takes 200 calls of this kind an hour (Cloud
/// API, "Rate limits"), and a list has up to 60 pages. In between carriers tell what changes.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Likewise, while it is not known whether the carrier has taken a template.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// Why a template that was asked for, and is not listed, is taken for failed.
const NOT_LISTED: &str = "the carrier was asked for it, and does not list it";

/// A template as its carrier lists it, as it is written into its row.
struct Listed<'a> {
    id: Uuid,
    components: String,
    of: &'a KeptTemplate,
}

/// When a list was read.
#[derive(Debug, Clone, Copy)]
pub struct TemplatesReadAt {
    /// When, in business time.
    pub now: Timestamp,
    /// When the first page was asked for, in machine time.
    pub begun_at: Timestamp,
}

/// What a list has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Synced {
    /// Templates that were not known.
    pub added: i64,
    /// Templates of which the list says something else than was known.
    pub changed: i64,
    /// Templates that were known, and are listed no more.
    pub gone: i64,
    /// Templates that found no room.
    pub left_out: i64,
}

/// Takes over what a carrier lists of an account: all of its templates. What it lists no more is
/// forgotten, unless it was asked for since the list was begun; what was asked for long ago and is
/// not listed has failed.
pub async fn record(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    listed: &[KeptTemplate],
    at: &TemplatesReadAt,
) -> Result<Synced, Fault> {
    tenants::lock(tx, tenant).await?;
    lock(tx, tenant, account).await?;
    let listed = rows(tenant, account, listed);
    let changed = change_listed(tx, tenant, &listed, at).await?;
    let gone = forget_unlisted(tx, tenant, account, &listed, at).await?;
    let added = add_listed(tx, tenant, account, &listed, at).await?;

    let ids: Vec<Uuid> = listed.iter().map(|one| one.id).collect();
    let known = sqlx::query_scalar!(
        r#"select count(*) as "known!" from carrier_templates
           where tenant_id = $1 and template_id = any ($2)"#,
        tenant.as_str(),
        &ids,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;
    let left_out = count(ids.len() as u64) - known;

    // With some left out, a template that is not known may be there all the same. A read that was
    // asked for since the account was taken is made: this list may not have what it is asked for.
    sqlx::query!(
        "insert into template_syncs as s (tenant_id, account, due, listed_at)
         values ($1, $2,
                 case when exists (select from carrier_templates
                                   where tenant_id = $1 and account = $2 and state = 'submitted')
                      then $3::timestamptz else $4::timestamptz end, $5)
         on conflict (tenant_id, account) do update
         set due = case when s.due < $6 then s.due else excluded.due end, tries = 0,
             listed_at = excluded.listed_at",
        tenant.as_str(),
        account,
        (at.begun_at + SOON).to_sqlx() as _,
        (at.begun_at + EVERY).to_sqlx() as _,
        (left_out == 0).then(|| at.begun_at.to_sqlx()) as _,
        (at.begun_at + LEASE).to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(Synced { added, changed, gone, left_out })
}

/// Locks all templates of an account, in the order in which news of them lock theirs.
async fn lock(tx: &mut Scoped, tenant: &TenantId, account: &str) -> Result<(), Fault> {
    sqlx::query!(
        "select template_id from carrier_templates
         where tenant_id = $1 and account = $2 order by template_id for update",
        tenant.as_str(),
        account,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// Whether a template has names of a length that messages may name.
fn is_nameable(of: &KeptTemplate) -> bool {
    let fits = |text: &str, most: usize| text.chars().count() <= most;
    fits(&of.name, 512) && fits(&of.language, 16) && fits(&of.id, 64)
}

/// What is listed and can be named, each template once, with its id here.
fn rows<'a>(tenant: &TenantId, account: &str, listed: &'a [KeptTemplate]) -> Vec<Listed<'a>> {
    let row = |of: &'a KeptTemplate| {
        let id = CarrierTemplateId::of(tenant, account, &of.name, &of.language).0;
        Listed { id, components: wire::json::to_value(&of.components).to_string(), of }
    };
    let by_id: BTreeMap<Uuid, Listed<'a>> =
        listed.iter().filter(|of| is_nameable(of)).map(row).map(|row| (row.id, row)).collect();
    by_id.into_values().collect()
}

/// Writes what the list says of templates that are known. Says of how many that was something else.
/// A state that the carrier has told since the list was begun stays: the list may be older.
async fn change_listed(
    tx: &mut Scoped,
    tenant: &TenantId,
    listed: &[Listed<'_>],
    at: &TemplatesReadAt,
) -> Result<i64, Fault> {
    let reasons: Vec<Option<&str>> = listed.iter().map(|one| one.of.reason.as_deref()).collect();

    sqlx::query_scalar!(
        r#"with l as (
               select u.id, left(u.category, 64) as category, u.components::jsonb as components,
                      left(u.quality, 64) as quality, u.carrier_id,
                      case when t.told_at <= $11 then u.state else t.state end as state,
                      case when t.told_at <= $11 then left(u.status, 64) else t.status end
                          as status,
                      case when t.told_at <= $11 then left(u.reason, 2000) else t.reason end
                          as reason
               from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                           $8::text[], $9::text[])
                    as u (id, category, components, state, status, reason, quality, carrier_id)
               join carrier_templates t on t.tenant_id = $1 and t.template_id = u.id
           ), other as (
               select count(*) as n
               from l join carrier_templates t on t.tenant_id = $1 and t.template_id = l.id
               where (t.category, t.components, t.state, t.status, t.reason, t.quality)
                     is distinct from
                     (l.category, l.components, l.state, l.status, l.reason, l.quality)
           ), done as (
               update carrier_templates t
               set category = l.category, components = l.components, state = l.state,
                   status = l.status, reason = l.reason, quality = l.quality,
                   carrier_id = l.carrier_id, told_at = greatest(t.told_at, $10)
               from l where t.tenant_id = $1 and t.template_id = l.id
           )
           select n as "n!" from other"#,
        tenant.as_str(),
        &listed.iter().map(|one| one.id).collect::<Vec<_>>(),
        &listed.iter().map(|one| one.of.category.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.components.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.state.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.status.as_str()).collect::<Vec<_>>() as _,
        &reasons as _,
        &listed.iter().map(|one| one.of.quality.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.id.as_str()).collect::<Vec<_>>() as _,
        (at.begun_at - CLOCKS_DIFFER).to_sqlx() as _,
        at.begun_at.to_sqlx() as _,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)
}

/// Forgets what is listed no more. Says how many of the account's that were.
async fn forget_unlisted(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    listed: &[Listed<'_>],
    at: &TemplatesReadAt,
) -> Result<i64, Fault> {
    let ids: Vec<Uuid> = listed.iter().map(|one| one.id).collect();
    let done = sqlx::query!(
        "delete from carrier_templates
         where tenant_id = $1 and account = $2 and template_id <> all ($3::uuid[])
           and state not in ('submitted', 'failed') and asked_at < $4",
        tenant.as_str(),
        account,
        &ids,
        at.begun_at.to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "update carrier_templates set state = 'failed', reason = $5
         where tenant_id = $1 and account = $2 and template_id <> all ($3::uuid[])
           and state = 'submitted' and asked_at < $4",
        tenant.as_str(),
        account,
        &ids,
        (at.begun_at - SETTLED_AFTER).to_sqlx() as _,
        NOT_LISTED,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(count(done.rows_affected()))
}

/// Adds what is listed and was not known, as many as there is room for.
async fn add_listed(
    tx: &mut Scoped,
    tenant: &TenantId,
    account: &str,
    listed: &[Listed<'_>],
    at: &TemplatesReadAt,
) -> Result<i64, Fault> {
    let reasons: Vec<Option<&str>> = listed.iter().map(|one| one.of.reason.as_deref()).collect();

    let done = sqlx::query!(
        "insert into carrier_templates (tenant_id, template_id, account, name, language, category,
                                        components, state, status, reason, quality, carrier_id,
                                        created_at, asked_at, told_at)
         select $1, l.id, $2, l.name, l.language, left(l.category, 64), l.components::jsonb,
                l.state, left(l.status, 64), left(l.reason, 2000), left(l.quality, 64),
                l.carrier_id, $13, $14, $15
         from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::text[], $12::text[])
              as l (id, name, language, category, components, state, status, reason, quality,
                    carrier_id)
         where not exists (select from carrier_templates t
                           where t.tenant_id = $1 and t.template_id = l.id)
         order by l.name, l.language
         limit greatest($16 - (select count(*) from carrier_templates
                               where tenant_id = $1 and account = $2), 0)
         on conflict do nothing",
        tenant.as_str(),
        account,
        &listed.iter().map(|one| one.id).collect::<Vec<_>>(),
        &listed.iter().map(|one| one.of.name.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.language.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.category.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.components.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.state.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.status.as_str()).collect::<Vec<_>>() as _,
        &reasons as _,
        &listed.iter().map(|one| one.of.quality.as_str()).collect::<Vec<_>>() as _,
        &listed.iter().map(|one| one.of.id.as_str()).collect::<Vec<_>>() as _,
        at.now.to_sqlx() as _,
        at.begun_at.to_sqlx() as _,
        (at.begun_at - CLOCKS_DIFFER).to_sqlx() as _,
        MOST,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(count(done.rows_affected()))
}

fn count(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
