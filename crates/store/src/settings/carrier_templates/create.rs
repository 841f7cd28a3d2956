//! Templates that are made here: on record before the carrier is asked, and settled by what it
//! says.

use domain::{
    carrier_template::{ReviewState, TemplateComponents},
    ids::{CarrierTemplateId, TenantId},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use stage::Fault;

use super::{super::tenants, CLOCKS_DIFFER, MOST, StoredCarrierTemplate, get};
use crate::{Scoped, fault};

/// A template that the carrier is to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTemplate {
    /// A UUID v5 of tenant, account, name and language.
    pub id: CarrierTemplateId,
    /// The handle of the carrier account.
    pub account: String,
    /// Its name at the carrier.
    pub name: String,
    /// Its language, as the carrier writes it.
    pub language: String,
    /// What it is for.
    pub category: String,
    /// What it is made of.
    pub components: TemplateComponents,
}

/// What became of a wish for a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSubmission {
    /// It is recorded, and the carrier may be asked.
    Begun(Box<StoredCarrierTemplate>),
    /// The account has a template of this name in this language.
    Exists(ReviewState),
    /// The account has [`MOST`].
    Full,
}

/// Records that the carrier is asked for a template, before it is. One that it has not taken may be
/// made again.
pub async fn submit(
    tx: &mut Scoped,
    tenant: &TenantId,
    new: &NewTemplate,
    now: Timestamp,
    machine: Timestamp,
) -> Result<TemplateSubmission, Fault> {
    // One after another: two that are made at once do not both take the last place.
    tenants::lock(tx, tenant).await?;
    match get(tx, tenant, new.id, false).await?.map(|before| before.state) {
        None | Some(ReviewState::Failed) => {}
        Some(state) => return Ok(TemplateSubmission::Exists(state)),
    }

    let done = sqlx::query!(
        "insert into carrier_templates (tenant_id, template_id, account, name, language, category,
                                        components, state, created_at, asked_at, told_at)
         select $1, $2, $3, $4, $5, $6, $7, 'submitted', $8, $9, $11
         where (select count(*) from carrier_templates
                where tenant_id = $1 and account = $3 and template_id <> $2) < $10
         on conflict (tenant_id, template_id) do update
         set category = excluded.category, components = excluded.components, state = 'submitted',
             status = null, reason = null, quality = 'unknown', carrier_id = null,
             created_at = excluded.created_at, asked_at = excluded.asked_at,
             told_at = excluded.told_at",
        tenant.as_str(),
        new.id.0,
        new.account,
        new.name,
        new.language,
        new.category,
        wire::json::to_value(&new.components),
        now.to_sqlx() as _,
        machine.to_sqlx() as _,
        MOST,
        (machine - CLOCKS_DIFFER).to_sqlx() as _,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    if done.rows_affected() == 0 {
        return Ok(TemplateSubmission::Full);
    }
    let made = get(tx, tenant, new.id, false).await?;
    Ok(made.map_or(TemplateSubmission::Full, |made| TemplateSubmission::Begun(Box::new(made))))
}

/// Records what the carrier has answered to a wish for a template. What the carrier's list or its
/// news have told meanwhile stays as they say.
pub async fn settle(
    tx: &mut Scoped,
    tenant: &TenantId,
    to: &StoredCarrierTemplate,
) -> Result<(), Fault> {
    sqlx::query!(
        "update carrier_templates
         set state = case when state = 'submitted' then $3 else state end,
             status = case when state = 'submitted' then $4 else status end,
             reason = case when state = 'submitted' then left($5, 2000) else reason end,
             category = case when state = 'submitted' then $6 else category end,
             carrier_id = coalesce(carrier_id, $7)
         where tenant_id = $1 and template_id = $2",
        tenant.as_str(),
        to.id.0,
        to.state.as_str(),
        to.status,
        to.reason,
        to.category,
        to.carrier_id,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Forgets a template that the carrier does not have any more, or has never taken.
pub async fn forget(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CarrierTemplateId,
) -> Result<(), Fault> {
    sqlx::query!(
        "delete from carrier_templates where tenant_id = $1 and template_id = $2",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}
