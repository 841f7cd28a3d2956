//! Campaigns as people handle them: made, edited, listed, started, paused, resumed, stopped. What
//! the stage `audience` does with them is in [`audience`] and [`flight`].

pub mod audience;
pub mod counts;
pub mod flight;
pub mod ledger;
pub mod simulate;
mod state;
pub mod suppressed;

use domain::{
    draft::CarrierTemplate,
    ids::{CampaignId, PoolId, TemplateId, TenantId},
    message::class::{Channel, MessageClass},
};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use serde_json::Value;
use sqlx::types::Uuid;
use stage::Fault;

pub use state::{CampaignAct, CampaignState};

use crate::{
    Scoped, Store,
    core::words::{self, optional, word},
    fault,
};

/// Why a pause sets the campaign's switch. Resume clears a switch that was set for it, no other.
pub const PAUSED: &str = "campaign paused";

/// A campaign as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// The campaign's id.
    pub id: CampaignId,
    /// What people call it.
    pub name: String,
    /// The state that it is in.
    pub state: CampaignState,
    /// Where resume leads back to, while paused.
    pub paused_from: Option<CampaignState>,
    /// The class of its messages: `promo`, `journey` or `transactional`.
    pub class: MessageClass,
    /// What a recipient can leave without leaving everything.
    pub program: String,
    /// How its messages travel.
    pub channel: Channel,
    /// The template that its messages are made from; none where the carrier has theirs.
    pub template: Option<TemplateId>,
    /// The template's version, fixed at start; none before it.
    pub template_version: Option<i32>,
    /// The template of the carrier that its messages are, whose values may name fields of the
    /// contact; none where they are made from a template of the tenant's.
    pub carrier_template: Option<CarrierTemplate>,
    /// The pool of senders that carries it.
    pub pool: PoolId,
    /// `{tags: [..]}`: contacts with all of these tags; `{all: true}`, as no tags, is everyone.
    pub audience: Value,
    /// How long each message is of use, in seconds from its submission.
    pub validity_seconds: Option<i32>,
    /// Recipients frozen so far.
    pub audience_size: i64,
    /// Raised by every act.
    pub version: i64,
    /// Business time at which it was made.
    pub created_at: Timestamp,
    /// Business time of its start; none before it.
    pub started_at: Option<Timestamp>,
    /// Business time of its end; none before it.
    pub completed_at: Option<Timestamp>,
}

/// One act on a campaign, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The tenant that owns the campaign.
    pub tenant: TenantId,
    /// The campaign's id.
    pub campaign: CampaignId,
    /// The version that it made.
    pub version: i64,
    /// What was done to it.
    pub act: CampaignAct,
    /// Recipients frozen at that time.
    pub audience: i64,
    /// Business time of the act.
    pub at: Timestamp,
}

/// Adds a draft.
pub async fn create(tx: &mut Scoped, tenant: &TenantId, new: &Campaign) -> Result<(), Fault> {
    sqlx::query!(
        "insert into campaigns (tenant_id, campaign_id, name, class, program, template_id,
                                pool_id, audience, validity_seconds, created_at, channel,
                                carrier_template)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        tenant.as_str(),
        new.id.0,
        new.name,
        new.class.as_str(),
        new.program,
        new.template.map(|template| template.0),
        new.pool.0,
        new.audience,
        new.validity_seconds,
        new.created_at.to_sqlx(),
        new.channel.as_str(),
        new.carrier_template.as_ref().map(wire::json::to_value),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Writes what may be edited of a locked campaign. Its state, its audience's size and its version
/// stay.
pub async fn save(tx: &mut Scoped, tenant: &TenantId, to: &Campaign) -> Result<(), Fault> {
    sqlx::query!(
        "update campaigns
         set name = $3, class = $4, program = $5, template_id = $6, template_version = $7,
             pool_id = $8, audience = $9, validity_seconds = $10, channel = $11,
             carrier_template = $12
         where tenant_id = $1 and campaign_id = $2",
        tenant.as_str(),
        to.id.0,
        to.name,
        to.class.as_str(),
        to.program,
        to.template.map(|template| template.0),
        to.template_version,
        to.pool.0,
        to.audience,
        to.validity_seconds,
        to.channel.as_str(),
        to.carrier_template.as_ref().map(wire::json::to_value),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Deletes a locked draft. Its budget and its switch are its caller's to remove; nothing else hangs
/// on it.
pub async fn delete_draft(tx: &mut Scoped, tenant: &TenantId, id: CampaignId) -> Result<(), Fault> {
    sqlx::query!(
        "delete from campaigns where tenant_id = $1 and campaign_id = $2 and state = 'draft'",
        tenant.as_str(),
        id.0,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;
    Ok(())
}

/// A campaign. `lock` keeps it from changing until the transaction ends.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CampaignId,
    lock: bool,
) -> Result<Option<Campaign>, Fault> {
    if lock {
        sqlx::query!(
            "select state from campaigns where tenant_id = $1 and campaign_id = $2 for update",
            tenant.as_str(),
            id.0,
        )
        .fetch_optional(&mut **tx)
        .await
        .map_err(fault)?;
    }
    Ok(find(tx, tenant, Some(id), Uuid::nil(), 1).await?.pop())
}

/// A tenant's campaigns after one, by id.
pub async fn list(
    tx: &mut Scoped,
    tenant: &TenantId,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Campaign>, Fault> {
    find(tx, tenant, None, after, limit).await
}

async fn find(
    tx: &mut Scoped,
    tenant: &TenantId,
    one: Option<CampaignId>,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Campaign>, Fault> {
    let rows = sqlx::query!(
        "select campaign_id, name, state, paused_from, class, program, template_id,
                template_version, pool_id, audience, validity_seconds, audience_size, version,
                created_at, started_at, completed_at, channel, carrier_template
         from campaigns
         where tenant_id = $1 and ($2::uuid is null or campaign_id = $2) and campaign_id > $3
         order by campaign_id limit $4",
        tenant.as_str(),
        one.map(|id| id.0),
        after,
        limit,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let campaign = rows.into_iter().map(|row| {
        Ok(Campaign {
            id: CampaignId(row.campaign_id),
            name: row.name,
            state: word(&row.state)?,
            paused_from: optional(row.paused_from.as_deref())?,
            class: word(&row.class)?,
            program: row.program,
            channel: word(&row.channel)?,
            template: row.template_id.map(TemplateId),
            template_version: row.template_version,
            carrier_template: row.carrier_template.map(of_carrier).transpose()?,
            pool: PoolId(row.pool_id),
            audience: row.audience,
            validity_seconds: row.validity_seconds,
            audience_size: row.audience_size,
            version: row.version,
            created_at: row.created_at.to_jiff(),
            started_at: row.started_at.map(|at| at.to_jiff()),
            completed_at: row.completed_at.map(|at| at.to_jiff()),
        })
    });
    campaign.collect()
}

fn of_carrier(template: Value) -> Result<CarrierTemplate, Fault> {
    Ok(words::document(template, "carrier_template")?)
}

/// Puts a locked campaign into a state by an act, raises its version and records the act.
/// A start fixes the template's version.
pub async fn act(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: &Campaign,
    act: CampaignAct,
    state: CampaignState,
    now: Timestamp,
) -> Result<Transition, Fault> {
    let paused_from = (state == CampaignState::Paused).then_some(campaign.state.as_str());
    let row = sqlx::query!(
        "update campaigns
         set state = $3, version = version + 1, paused_from = $4,
             started_at = case when $5 = 'start' then $6 else started_at end,
             template_version = case when $5 = 'start' then (
                 select max(v.version) from template_versions v
                 where v.tenant_id = campaigns.tenant_id and v.template_id = campaigns.template_id
             ) else template_version end
         where tenant_id = $1 and campaign_id = $2
         returning version, audience_size",
        tenant.as_str(),
        campaign.id.0,
        state.as_str(),
        paused_from,
        act.as_str(),
        now.to_sqlx() as _,
    )
    .fetch_one(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "insert into campaign_transitions (tenant_id, campaign_id, version, act, audience, at)
         values ($1, $2, $3, $4, $5, $6)",
        tenant.as_str(),
        campaign.id.0,
        row.version,
        act.as_str(),
        row.audience_size,
        now.to_sqlx(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(Transition {
        tenant: tenant.clone(),
        campaign: campaign.id,
        version: row.version,
        act,
        audience: row.audience_size,
        at: now,
    })
}

/// The last time that this was done to a campaign.
pub async fn last(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CampaignId,
    act: CampaignAct,
) -> Result<Option<Transition>, Fault> {
    let row = sqlx::query!(
        "select version, audience, at from campaign_transitions
         where tenant_id = $1 and campaign_id = $2 and act = $3 order by version desc limit 1",
        tenant.as_str(),
        id.0,
        act.as_str(),
    )
    .fetch_optional(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(row.map(|row| Transition {
        tenant: tenant.clone(),
        campaign: id,
        version: row.version,
        act,
        audience: row.audience,
        at: row.at.to_jiff(),
    }))
}

/// Acts of any tenant whose event has no PubAck yet. Those that this version cannot read are left
/// out.
pub async fn unpublished(store: &Store, at_most: i64) -> Result<Vec<Transition>, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", campaign_id as "campaign_id!", version as "version!"
           from unpublished_transitions($1)"#,
        at_most
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let mut all = Vec::with_capacity(found.len());
    for row in found {
        let Some(tenant) = words::readable(words::tenant(&row.tenant_id)) else { continue };
        let mut tx = store.scoped([&tenant]).await?;

        let full = sqlx::query!(
            "select act, audience, at from campaign_transitions
             where tenant_id = $1 and campaign_id = $2 and version = $3",
            tenant.as_str(),
            row.campaign_id,
            row.version,
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(fault)?;

        let Some(act) = words::readable(word(&full.act)) else { continue };
        all.push(Transition {
            tenant,
            campaign: CampaignId(row.campaign_id),
            version: row.version,
            act,
            audience: full.audience,
            at: full.at.to_jiff(),
        });
    }
    Ok(all)
}

/// Marks an act whose event the broker has stored. After an outage the event is published again,
/// under the same id.
pub async fn published(store: &Store, act: &Transition) -> Result<(), Fault> {
    let mut tx = store.scoped([&act.tenant]).await?;
    sqlx::query!(
        "update campaign_transitions set published = true
         where tenant_id = $1 and campaign_id = $2 and version = $3",
        act.tenant.as_str(),
        act.campaign.0,
        act.version,
    )
    .execute(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)
}
