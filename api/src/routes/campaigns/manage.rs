//! `/v1/campaigns`: made, listed, started, paused, resumed, stopped.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use domain::{
    gates::{
        SwitchMode,
        consent::{is_program, program_of},
    },
    ids::{CampaignId, PoolId, TemplateId},
    message::class::MessageClass,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Scoped,
    campaigns::{self, Campaign, CampaignAct as Act, CampaignState, Transition},
    parked::wake::{self, Way, What},
    settings::{
        senders,
        switches::{self, Switch, SwitchScope},
        templates,
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{Event, event::CampaignData};

use super::lifecycle::{Step, event, step};
use crate::{
    app::{App, PUBLISH_BUDGET},
    audit,
    auth::Caller,
    http::{Creation, Errors, Id, Kind, Page, Paging, Problem, Query},
    ids,
    routes::located,
};

/// How often events without a PubAck are published again.
const LEFT_OVER_EVERY: Duration = Duration::from_secs(2);

/// Why a pause sets the campaign's switch. Resume clears a switch that was set for it, no other.
const PAUSED: &str = "campaign paused";

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/campaigns", get(list).post(create))
        .route("/v1/campaigns/{id}", get(show))
        .route("/v1/campaigns/{id}/start", post(|app, caller, id| act(app, caller, id, Act::Start)))
        .route("/v1/campaigns/{id}/pause", post(|app, caller, id| act(app, caller, id, Act::Pause)))
        .route(
            "/v1/campaigns/{id}/resume",
            post(|app, caller, id| act(app, caller, id, Act::Resume)),
        )
        .route("/v1/campaigns/{id}/stop", post(|app, caller, id| act(app, caller, id, Act::Stop)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCampaign {
    name: String,
    class: String,
    /// What a recipient can leave without leaving everything.
    #[serde(default)]
    program: Option<String>,
    template_id: Uuid,
    pool_id: Uuid,
    #[serde(default)]
    audience: Audience,
    #[serde(default)]
    validity_seconds: Option<i32>,
}

/// Contacts with all of these tags; everyone where there are none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audience {
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Serialize)]
struct CampaignView {
    id: CampaignId,
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

fn view(campaign: Campaign) -> CampaignView {
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

async fn create(mut new: Creation<NewCampaign>) -> Result<Response, Problem> {
    let class = check(&mut new).await?;
    let campaign = Campaign {
        id: CampaignId(ids::fresh()),
        name: new.body.name.trim().to_owned(),
        state: CampaignState::Draft,
        paused_from: None,
        class,
        program: new.body.program.clone().unwrap_or_else(|| program_of(class).to_owned()),
        template: TemplateId(new.body.template_id),
        template_version: None,
        pool: PoolId(new.body.pool_id),
        audience: json!({ "tags": new.body.audience.tags }),
        validity_seconds: new.body.validity_seconds,
        audience_size: 0,
        version: 1,
        created_at: new.now,
        started_at: None,
        completed_at: None,
    };
    campaigns::create(&mut new.tx, &new.caller.tenant, &campaign).await?;
    let path = format!("/v1/campaigns/{}", campaign.id);
    Ok(located(new.finish(StatusCode::CREATED, &view(campaign)).await?, &path))
}

/// Checks all of a new campaign, and answers its class.
async fn check(new: &mut Creation<NewCampaign>) -> Result<MessageClass, Problem> {
    use MessageClass::{Journey, Promo, Transactional};
    let body = &new.body;
    let mut errors = Errors::default();
    errors.text("name", &body.name, 1, 200);
    let class = MessageClass::from_name(&body.class)
        .filter(|class| matches!(class, Promo | Journey | Transactional));
    errors.check(class.is_some(), "class", "unknown", "promo, journey or transactional");
    let program = body.program.as_deref().is_none_or(is_program);
    errors.check(program, "program", "invalid", "1 to 40 of a-z, 0-9, _ and -");
    errors.check(body.audience.tags.len() <= 50, "audience.tags", "too_many", "at most 50");
    for tag in &body.audience.tags {
        errors.text("audience.tags", tag, 1, 64);
    }
    let validity = body.validity_seconds.is_none_or(|seconds| (1..=604_800).contains(&seconds));
    errors.check(validity, "validity_seconds", "out_of_range", "1 to 604800");
    let (tenant, template) = (&new.caller.tenant, TemplateId(body.template_id));
    let template = templates::latest_version(&mut new.tx, tenant, template).await?;
    errors.check(template.is_some(), "template_id", "not_found", "no template with this id");
    let pool = senders::pool_exists(&mut new.tx, tenant, PoolId(body.pool_id)).await?;
    errors.check(pool, "pool_id", "not_found", "no pool with this id");
    errors.done()?;
    class.ok_or_else(|| Problem::field("class", "unknown", "promo, journey or transactional"))
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<CampaignView>, Problem> {
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let found = campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("campaign"))
}

async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<CampaignView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let found = campaigns::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |campaign| campaign.id)))
}

/// Does something to a campaign, once: whoever comes second gets the first one's answer.
async fn act(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
    act: Act,
) -> Result<Json<CampaignView>, Problem> {
    let gone = || Problem::not_found("campaign");
    let id = CampaignId(id);
    let mut tx = app.store.scoped([&caller.tenant]).await?;
    let campaign = campaigns::get(&mut tx, &caller.tenant, id, true).await?.ok_or_else(gone)?;
    let last = campaigns::last(&mut tx, &caller.tenant, id, act).await?;
    let step = step(act, campaign.state, campaign.paused_from, last.is_some());
    let transition = match (step, last) {
        (Step::To(state), _) => {
            let now = app.now();
            let done = campaigns::act(&mut tx, &caller.tenant, &campaign, act, state, now).await?;
            switch(&mut tx, &caller, id, act, now).await?;
            let detail = json!({ "before": campaign.state.as_str(), "after": state.as_str() });
            let (action, subject) = (event(act).as_str(), format!("campaign:{id}"));
            audit::note(&mut tx, &caller, now, action, subject, detail).await?;
            Some(done)
        }
        (Step::Repeat, last) => last,
        (Step::Refused, _) => {
            let (state, act) = (campaign.state.as_str(), act.as_str());
            let detail = format!("a campaign that is {state} cannot {act}");
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };
    let campaign = campaigns::get(&mut tx, &caller.tenant, id, false).await?.ok_or_else(gone)?;
    tx.commit().await.map_err(store::fault)?;
    if let Some(transition) = transition {
        // Without a PubAck the row stays unpublished, and the event is published later.
        if let Err(problem) = publish(&app, &transition).await {
            tracing::warn!(campaign = %id, ?problem, "a campaign's event is published later");
        }
    }
    Ok(Json(view(campaign)))
}

/// Holds, frees or blocks what is under way: the gates and the claim of send read switches.
async fn switch(
    tx: &mut Scoped,
    caller: &Caller,
    id: CampaignId,
    act: Act,
    now: Timestamp,
) -> Result<(), Problem> {
    let tenant = &caller.tenant;
    let scope = SwitchScope::Campaign;
    let switch = |mode: SwitchMode, reason: &str| Switch {
        scope,
        target: id.to_string(),
        mode,
        reason: reason.into(),
        changed_at: now,
    };
    let target = id.to_string();
    match act {
        Act::Start => {}
        Act::Pause => {
            switches::set_if_on(tx, tenant, &switch(SwitchMode::Paused, PAUSED)).await?;
            let key = switches::cause_key(scope, &target);
            wake::cancel(tx, tenant, &What::Cause(&key)).await?;
        }
        Act::Resume => {
            if switches::clear(tx, tenant, scope, &target, Some(PAUSED)).await? {
                let key = switches::cause_key(scope, &target);
                wake::wake(tx, tenant, &What::Cause(&key), Way::On).await?;
            }
        }
        Act::Stop => {
            switches::set(tx, tenant, &switch(SwitchMode::Stopped, "campaign stopped")).await?;
            wake::wake(tx, tenant, &What::Campaign(id), Way::Ending).await?;
        }
    }
    Ok(())
}

/// Publishes an act's event and marks it as published.
async fn publish(app: &App, done: &Transition) -> Result<(), Problem> {
    let data = CampaignData { campaign: done.campaign, audience: done.audience };
    let (entity, version) = (done.campaign.0, done.version);
    let event = Event::new(event(done.act), &done.tenant, entity, version, done.at, &data);
    app.publisher.offer(vec![event.outgoing()], PUBLISH_BUDGET).await?;
    campaigns::published(&app.store, done).await?;
    Ok(())
}

/// Publishes what a crash or an outage left unpublished, until `stop`.
pub(crate) fn publish_left_over(app: App, stop: CancellationToken) {
    tokio::spawn(async move {
        let all = async {
            loop {
                tokio::time::sleep(LEFT_OVER_EVERY).await;
                let left = campaigns::unpublished(&app.store, 100).await.unwrap_or_default();
                for done in left {
                    if let Err(problem) = publish(&app, &done).await {
                        tracing::warn!(?problem, "a campaign's event is published later");
                        break;
                    }
                }
            }
        };
        stop.run_until_cancelled(all).await;
    });
}
