//! `/v1/campaigns/{id}/start|pause|resume|stop`: each act once; whoever comes second gets the first
//! one's answer.

use axum::{Json, extract::State};
use domain::{draft::From, gates::SwitchMode, ids::CampaignId};
use jiff::Timestamp;
use serde_json::json;
use store::{
    Scoped,
    campaigns::{self, Campaign, CampaignAct, CampaignState, PAUSED, Transition},
    drafts,
    parked::wake::{self, Way, What},
    settings::switches::{self, Switch, SwitchScope},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    events,
    lifecycle::{Step, event, step},
    view::{CampaignView, view},
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditCampaigns, Needs},
    document::{
        answers::{Always, Conflict, Missing},
        examples,
    },
    http::{Id, Kind, Problem},
    submit::{callable::Callable, kept},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(start))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(stop))
}

/// `POST /v1/campaigns/{id}/start`, for operators, admins and owners: freezes the audience and
/// feeds it. Answers 200 with the campaign, 409 where its state does not allow it, where the
/// settings do not allow any account of its senders to be called, or where the carrier has not
/// approved its template.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/start", tag = "campaigns", operation_id = "start_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::DRAFT))),
    responses(
        (status = 200, description = "The campaign, starting.", body = CampaignView),
        Always, Missing, Conflict,
    ),
)]
async fn start(
    app: State<App>,
    caller: Allowed<EditCampaigns>,
    id: Id,
) -> Result<Json<CampaignView>, Problem> {
    act(app, caller, id, CampaignAct::Start).await
}

/// `POST /v1/campaigns/{id}/pause`, for operators, admins and owners: feeds no more and holds what
/// is under way. What is held keeps its texts; whoever has no message yet gets one with the names
/// that they have after the resume. Answers 200 with the campaign, or 409 in other states.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/pause", tag = "campaigns", operation_id = "pause_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING))),
    responses(
        (status = 200, description = "The campaign, paused.", body = CampaignView),
        Always, Missing, Conflict,
    ),
)]
async fn pause(
    app: State<App>,
    caller: Allowed<EditCampaigns>,
    id: Id,
) -> Result<Json<CampaignView>, Problem> {
    act(app, caller, id, CampaignAct::Pause).await
}

/// `POST /v1/campaigns/{id}/resume`, for operators, admins and owners: goes on where it was paused.
/// Answers 200 with the campaign, 409 where its state does not allow it.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/resume", tag = "campaigns", operation_id = "resume_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::PAUSED))),
    responses(
        (status = 200, description = "The campaign, under way again.", body = CampaignView),
        Always, Missing, Conflict,
    ),
)]
async fn resume(
    app: State<App>,
    caller: Allowed<EditCampaigns>,
    id: Id,
) -> Result<Json<CampaignView>, Problem> {
    act(app, caller, id, CampaignAct::Resume).await
}

/// `POST /v1/campaigns/{id}/stop`, for operators, admins and owners: never feeds again, and cancels
/// what no carrier has of it. Answers 200 with the campaign, 409 where its state does not allow it.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/stop", tag = "campaigns", operation_id = "stop_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING))),
    responses(
        (status = 200, description = "The campaign, stopped.", body = CampaignView),
        Always, Missing, Conflict,
    ),
)]
async fn stop(
    app: State<App>,
    caller: Allowed<EditCampaigns>,
    id: Id,
) -> Result<Json<CampaignView>, Problem> {
    act(app, caller, id, CampaignAct::Stop).await
}

async fn act(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Id(id): Id,
    act: CampaignAct,
) -> Result<Json<CampaignView>, Problem> {
    // load
    let gone = || Problem::not_found("campaign");
    let id = CampaignId(id);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let campaign = campaigns::get(&mut tx, &caller.tenant, id, true).await?.ok_or_else(gone)?;
    let last = campaigns::last(&mut tx, &caller.tenant, id, act).await?;

    // decide and record
    let step = step(act, campaign.state, campaign.paused_from, last.is_some());
    let transition = match step {
        Step::To(state) => {
            if act == CampaignAct::Start {
                must_be_callable(&app, &mut tx, &caller, &campaign).await?;
                must_be_sendable(&mut tx, &caller, &campaign).await?;
            }
            Some(record(&mut tx, &caller, &campaign, act, state, app.now()).await?)
        }
        Step::Repeat => last,
        Step::Refused => {
            let (state, act) = (campaign.state.as_str(), act.as_str());
            let detail = format!("a campaign that is {state} cannot {act}");
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };
    let campaign = campaigns::get(&mut tx, &caller.tenant, id, false).await?.ok_or_else(gone)?;
    tx.commit().await?;

    // publish
    if let Some(transition) = transition
        && let Err(problem) = events::publish(&app, &transition).await
    {
        tracing::warn!(campaign = %id, ?problem, "a campaign's event is published later");
    }

    // answer
    Ok(Json(view(campaign)))
}

/// Refuses to start what no carrier may be called for: each message of it would be held.
async fn must_be_callable(
    app: &App,
    tx: &mut Scoped,
    caller: &Caller,
    campaign: &Campaign,
) -> Result<(), Problem> {
    let (_, pools) = drafts::known(tx, &caller.tenant, &[], &[campaign.pool]).await?;
    let accounts = pools.get(&campaign.pool).map(Vec::as_slice).unwrap_or_default();
    match Callable::of(accounts, &app.settings.carrier_hosts) {
        Callable::HostNotAllowed(why) => {
            let detail = format!("no sender of the campaign's pool can be called: {why}");
            Err(Problem::new(Kind::Conflict, detail))
        }
        // One that carries nothing now may carry something when its turn comes.
        Callable::Yes | Callable::Unusable => Ok(()),
    }
}

/// Refuses to start what the carrier would refuse message by message: a template of its own that it
/// has not approved.
async fn must_be_sendable(
    tx: &mut Scoped,
    caller: &Caller,
    campaign: &Campaign,
) -> Result<(), Problem> {
    let Some(template) = &campaign.carrier_template else { return Ok(()) };
    let from = From::Pool(campaign.pool);
    match kept::unsendable(tx, &caller.tenant, template, &from).await? {
        Some(why) => Err(Problem::new(Kind::Conflict, why.detail)),
        None => Ok(()),
    }
}

/// Writes the act down: the campaign's state, its switch, and the audit trail.
async fn record(
    tx: &mut Scoped,
    caller: &Caller,
    campaign: &Campaign,
    act: CampaignAct,
    state: CampaignState,
    now: Timestamp,
) -> Result<Transition, Problem> {
    let done = campaigns::act(tx, &caller.tenant, campaign, act, state, now).await?;
    switch(tx, caller, campaign.id, act, now).await?;

    let detail = json!({ "before": campaign.state.as_str(), "after": state.as_str() });
    let (action, subject) = (event(act).as_str(), format!("campaign:{}", campaign.id));
    audit::note(tx, caller, now, action, subject, detail).await?;
    Ok(done)
}

/// Holds, frees or cancels what is under way: the gates and the claim of send read switches.
async fn switch(
    tx: &mut Scoped,
    caller: &Caller,
    id: CampaignId,
    act: CampaignAct,
    now: Timestamp,
) -> Result<(), Problem> {
    let (tenant, target) = (&caller.tenant, id.to_string());
    let scope = SwitchScope::Campaign;
    let switch = |mode: SwitchMode, reason: &str| Switch {
        scope,
        target: id.to_string(),
        mode,
        reason: reason.into(),
        changed_at: now,
    };

    match act {
        CampaignAct::Start => {}
        CampaignAct::Pause => {
            switches::set_if_on(tx, tenant, &switch(SwitchMode::Paused, PAUSED)).await?;
            let key = switches::cause_key(scope, &target);
            wake::cancel(tx, tenant, &What::Cause(&key)).await?;
        }
        CampaignAct::Resume => {
            if switches::clear(tx, tenant, scope, &target, Some(PAUSED)).await? {
                let key = switches::cause_key(scope, &target);
                wake::wake(tx, tenant, &What::Cause(&key), Way::On).await?;
            }
        }
        CampaignAct::Stop => {
            switches::set(tx, tenant, &switch(SwitchMode::Stopped, "campaign stopped")).await?;
            wake::wake(tx, tenant, &What::Campaign(id), Way::Ending).await?;
        }
    }
    Ok(())
}
