//! A campaign as callers read it.

use domain::{
    ids::{CampaignId, PoolId, TemplateId},
    message::class::{Channel, MessageClass},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::campaigns::{Campaign, CampaignState};
use utoipa::ToSchema;

use super::audience::Audience;
use crate::submit::carrier_template::CarrierTemplateRef;

/// A campaign, as far as it has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaign)]
pub(super) struct CampaignView {
    pub(super) id: CampaignId,
    /// What people call it.
    name: String,
    /// How far it has come; a draft has sent nothing.
    #[schema(value_type = CampaignState)]
    state: &'static str,
    /// Of its messages: `promo`, `journey` or `transactional`.
    class: MessageClass,
    /// What a recipient can leave without leaving everything.
    program: String,
    /// How its messages travel.
    channel: Channel,
    /// What its messages are made from; null where the carrier has their template.
    #[schema(required)]
    template_id: Option<TemplateId>,
    /// The template of the carrier's that its messages are; null where they are made from one of
    /// the tenant's.
    #[schema(required)]
    carrier_template: Option<CarrierTemplateRef>,
    /// Set at the start, to the latest; none before it.
    #[schema(required)]
    template_version: Option<i32>,
    /// The senders that it spreads over.
    pool_id: PoolId,
    /// Whom it is for: contacts with all of these tags, or everyone.
    #[schema(value_type = Audience)]
    audience: Value,
    /// How many recipients are frozen so far.
    audience_size: i64,
    /// How long each message is of use, in seconds from its submission; none: for ever.
    #[schema(required)]
    validity_seconds: Option<i32>,
    /// Raised by every act.
    version: i64,
    /// When it was drafted.
    created_at: Timestamp,
    /// When it was started; null while it is a draft.
    #[schema(required)]
    started_at: Option<Timestamp>,
    /// When everybody had been told, or would not be any more.
    #[schema(required)]
    completed_at: Option<Timestamp>,
    /// Of a draft of promotions that is shown alone: whom the gate `suppression` would stop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) suppression: Option<SuppressionForecast>,
}

/// Of how many people, how many would get nothing.
#[derive(Serialize, ToSchema)]
pub(super) struct SuppressionForecast {
    /// The window of the policy in force, in days.
    pub(super) days: u16,
    /// People who have had a promotion within it: the campaign stops for them.
    pub(super) stopped: i64,
    /// Others who wait for a promotion that was accepted before, or are still to get one from a
    /// campaign that was started: whichever of the two comes first stops the other.
    pub(super) waiting: i64,
    /// People who were looked at.
    pub(super) of: i64,
    /// Whether these are all: of a larger audience the first 10,000 are looked at, and `simulate`
    /// counts the rest.
    pub(super) complete: bool,
}

pub(super) fn view(campaign: Campaign) -> CampaignView {
    CampaignView {
        id: campaign.id,
        name: campaign.name,
        state: campaign.state.as_str(),
        class: campaign.class,
        program: campaign.program,
        channel: campaign.channel,
        template_id: campaign.template,
        carrier_template: campaign.carrier_template.as_ref().map(CarrierTemplateRef::of),
        template_version: campaign.template_version,
        pool_id: campaign.pool,
        audience: campaign.audience,
        audience_size: campaign.audience_size,
        validity_seconds: campaign.validity_seconds,
        version: campaign.version,
        created_at: campaign.created_at,
        started_at: campaign.started_at,
        completed_at: campaign.completed_at,
        suppression: None,
    }
}
