//! A campaign as callers read it.

use domain::{
    ids::{CampaignId, PoolId, TemplateId},
    message::class::MessageClass,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::campaigns::Campaign;
use utoipa::ToSchema;

use super::{forecast::SuppressionForecast, manage::Audience};

/// A campaign, as far as it has come.
#[derive(Serialize, ToSchema)]
#[schema(as = Campaign)]
pub(super) struct CampaignView {
    pub(super) id: CampaignId,
    name: String,
    #[schema(pattern = "^(draft|starting|running|paused|stopped|completed)$")]
    state: &'static str,
    /// Of its messages: `promo`, `journey` or `transactional`.
    class: MessageClass,
    /// What a recipient can leave without leaving everything.
    program: String,
    template_id: TemplateId,
    /// Set at the start, to the latest; none before it.
    #[schema(required)]
    template_version: Option<i32>,
    /// The senders that it spreads over.
    pool_id: PoolId,
    #[schema(value_type = Audience)]
    audience: Value,
    /// How many recipients are frozen so far.
    audience_size: i64,
    /// How long each message is of use, in seconds from its submission; none: for ever.
    #[schema(required)]
    validity_seconds: Option<i32>,
    /// Raised by every act.
    version: i64,
    created_at: Timestamp,
    #[schema(required)]
    started_at: Option<Timestamp>,
    /// When everybody had been told, or would not be any more.
    #[schema(required)]
    completed_at: Option<Timestamp>,
    /// Of a draft of promotions, where it is shown by itself: who would be stopped by gate 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suppression: Option<SuppressionForecast>,
}

pub(super) fn view(campaign: Campaign) -> CampaignView {
    CampaignView {
        id: campaign.id,
        name: campaign.name,
        state: campaign.state.as_str(),
        class: campaign.class,
        program: campaign.program,
        template_id: campaign.template,
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
