//! A campaign as callers read it.

use domain::{
    ids::{CampaignId, PoolId, TemplateId},
    message::class::MessageClass,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::campaigns::Campaign;

#[derive(Serialize)]
pub(super) struct CampaignView {
    pub(super) id: CampaignId,
    name: String,
    state: &'static str,
    class: MessageClass,
    program: String,
    template_id: TemplateId,
    template_version: Option<i32>,
    pool_id: PoolId,
    audience: Value,
    audience_size: i64,
    validity_seconds: Option<i32>,
    version: i64,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    completed_at: Option<Timestamp>,
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
    }
}
