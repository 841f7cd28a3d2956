//! `/v1/campaigns`: made, listed and shown.

use axum::{Json, Router, extract::State, http::StatusCode, response::Response, routing::get};
use domain::{
    gates::consent::program_of,
    ids::{CampaignId, PoolId, TemplateId},
    message::class::MessageClass,
};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{
    campaigns::{self, Campaign, CampaignState},
    settings::{senders, templates},
};
use uuid::Uuid;

use super::view::{CampaignView, view};
use crate::{
    app::App,
    auth::Caller,
    fields,
    http::{Creation, Errors, Id, Page, Paging, Problem, Query, view::located},
    ids,
};

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/v1/campaigns", get(list).post(create))
        .route("/v1/campaigns/{id}", get(show))
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
    audience: Option<Audience>,
    #[serde(default)]
    validity_seconds: Option<i32>,
}

/// Contacts with all of these tags, or everyone: that is said, and never meant by saying nothing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Audience {
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    all: bool,
}

impl Audience {
    fn check(&self, errors: &mut Errors) {
        fields::tags("audience.tags", self.tags.len(), errors);
        for tag in &self.tags {
            fields::tag("audience.tags", tag, errors);
        }

        let detail = "say tags, or all: true for every contact";
        errors.check(self.all || !self.tags.is_empty(), "audience", "required", detail);
        let both = self.all && !self.tags.is_empty();
        errors.check(!both, "audience", "ambiguous", "give tags or all, not both");
    }

    /// As it is stored: no tags are everyone.
    fn stored(&self) -> Value {
        if self.all { json!({ "all": true }) } else { json!({ "tags": self.tags }) }
    }
}

/// `POST /v1/campaigns`, for operators, admins and owners: makes a draft of a campaign, which sends
/// nothing before it is started. Answers 201 with it.
async fn create(mut new: Creation<NewCampaign>) -> Result<Response, Problem> {
    // check
    let class = check(&mut new).await?;

    // record
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
        audience: new.body.audience.as_ref().map_or_else(|| json!({}), Audience::stored),
        validity_seconds: new.body.validity_seconds,
        audience_size: 0,
        version: 1,
        created_at: new.now,
        started_at: None,
        completed_at: None,
    };
    campaigns::create(&mut new.tx, &new.caller.tenant, &campaign).await?;

    // answer
    let path = format!("/v1/campaigns/{}", campaign.id);
    Ok(located(new.finish(StatusCode::CREATED, &view(campaign)).await?, &path))
}

/// Reads every field, and says of all of them at once what is wrong. The template and the pool must
/// exist. Answers the class.
async fn check(new: &mut Creation<NewCampaign>) -> Result<MessageClass, Problem> {
    use MessageClass::{Journey, Promo, Transactional};

    let body = &new.body;
    let mut errors = Errors::default();
    fields::name(&body.name, &mut errors);
    let class = MessageClass::from_name(&body.class)
        .filter(|class| matches!(class, Promo | Journey | Transactional));
    errors.check(class.is_some(), "class", "unknown", "promo, journey or transactional");
    if let Some(program) = &body.program {
        fields::program(program, &mut errors);
    }
    match &body.audience {
        Some(audience) => audience.check(&mut errors),
        None => Audience::default().check(&mut errors),
    }
    if let Some(seconds) = body.validity_seconds {
        fields::validity(seconds.into(), &mut errors);
    }

    let (tenant, template) = (&new.caller.tenant, TemplateId(body.template_id));
    let template = templates::latest_version(&mut new.tx, tenant, template).await?;
    errors.check(template.is_some(), "template_id", "not_found", "no template with this id");
    let pool = senders::pool_exists(&mut new.tx, tenant, PoolId(body.pool_id)).await?;
    errors.check(pool, "pool_id", "not_found", "no pool with this id");
    errors.done()?;
    class.ok_or_else(|| Problem::field("class", "unknown", "promo, journey or transactional"))
}

/// `GET /v1/campaigns/{id}`, for every role: one campaign, or 404.
async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<CampaignView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?;
    found.map(|found| Json(view(found))).ok_or_else(|| Problem::not_found("campaign"))
}

/// `GET /v1/campaigns`, for every role: the campaigns in pages.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<CampaignView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = campaigns::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |campaign| campaign.id)))
}
