//! `/v1/campaigns`: made, listed and shown.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{
    gates::consent::program_of,
    ids::{CampaignId, PoolId, TemplateId, TenantId},
    message::class::MessageClass,
};
use jiff::Timestamp;
use serde::Deserialize;
use store::{
    Scoped,
    campaigns::{self, Campaign, CampaignState},
    settings::{pools, templates},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    audience::{Audience, NewCampaignAudience},
    forecast::view_with_forecast,
    view::{CampaignView, view},
};
use crate::{
    app::App,
    auth::{Allowed, EditCampaigns, Needs, Read},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    fields,
    http::{Creation, Errors, Id, Page, Paging, Problem, Query, creation::IdempotencyKey},
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show))
}

/// A campaign to be drafted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCampaign {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: String,
    /// What its messages are for, which decides what the gates ask.
    #[schema(value_type = CampaignClass)]
    pub(super) class: String,
    /// What a recipient can leave without leaving everything; without it the class decides.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    pub(super) program: Option<String>,
    /// What its messages are made from: the version that is the latest at the start.
    pub(super) template_id: Uuid,
    /// The senders that it spreads over.
    pub(super) pool_id: Uuid,
    /// Whom it is for; it is frozen at the start.
    #[schema(value_type = NewCampaignAudience)]
    pub(super) audience: Audience,
    /// How long each message is of use, in seconds from its submission; none: for ever.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 604800)]
    pub(super) validity_seconds: Option<i32>,
}

/// The classes that a campaign may have.
const CLASSES: [MessageClass; 3] =
    [MessageClass::Promo, MessageClass::Journey, MessageClass::Transactional];

/// The class of a campaign, as callers write it.
pub(super) struct CampaignClass;

impl PartialSchema for CampaignClass {
    fn schema() -> RefOr<Schema> {
        let about = "What a campaign's messages are for: `promo` and `journey` are marketing.";
        domain::schema::words(about, CLASSES.map(MessageClass::as_str))
    }
}

impl ToSchema for CampaignClass {}

/// `POST /v1/campaigns`, for operators, admins and owners: makes a draft of a campaign, which sends
/// nothing before it is started. Answers 201 with it.
#[utoipa::path(
    post, path = "/v1/campaigns", tag = "campaigns", operation_id = "create_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(IdempotencyKey),
    request_body(content = NewCampaign, example = json!({
        "name": "Summer sale", "class": "promo", "template_id": examples::TEMPLATE,
        "pool_id": examples::POOL, "audience": { "tags": ["vip"] }, "validity_seconds": 86400,
    })),
    responses(
        (status = 201, description = "The new draft.", body = CampaignView, headers(
            ("Location" = String, description = "The campaign's path."),
        )),
        Always, OfBody,
    ),
)]
async fn create(mut new: Creation<EditCampaigns, NewCampaign>) -> Result<Response, Problem> {
    // check
    let class = check(&mut new.tx, &new.caller.tenant, &new.body).await?;

    // record
    let campaign = draft(&new.body, class, new.now);
    campaigns::create(&mut new.tx, &new.caller.tenant, &campaign).await?;

    // answer
    let path = format!("/v1/campaigns/{}", campaign.id);
    let tenant = new.caller.tenant.clone();
    let made = view_with_forecast(&mut new.tx, &tenant, campaign, new.now).await?;
    new.finish_at(StatusCode::CREATED, &made, &path).await
}

/// A draft of what the body says.
pub(super) fn draft(body: &NewCampaign, class: MessageClass, now: Timestamp) -> Campaign {
    Campaign {
        id: CampaignId(ids::fresh()),
        name: body.name.trim().to_owned(),
        state: CampaignState::Draft,
        paused_from: None,
        class,
        program: body.program.clone().unwrap_or_else(|| program_of(class).to_owned()),
        template: TemplateId(body.template_id),
        template_version: None,
        pool: PoolId(body.pool_id),
        audience: body.audience.stored(),
        validity_seconds: body.validity_seconds,
        audience_size: 0,
        version: 1,
        created_at: now,
        started_at: None,
        completed_at: None,
    }
}

/// Reads every field, and says of all of them at once what is wrong. The template and the pool must
/// exist. Answers the class.
pub(super) async fn check(
    tx: &mut Scoped,
    tenant: &TenantId,
    body: &NewCampaign,
) -> Result<MessageClass, Problem> {
    let mut errors = Errors::default();
    fields::name(&body.name, &mut errors);
    let class = MessageClass::from_name(&body.class).filter(|class| CLASSES.contains(class));
    errors.check(class.is_some(), "class", "unknown", "promo, journey or transactional");
    if let Some(program) = &body.program {
        fields::program(program, &mut errors);
    }
    body.audience.check(&mut errors);
    if let Some(seconds) = body.validity_seconds {
        fields::validity(seconds.into(), &mut errors);
    }

    let template = TemplateId(body.template_id);
    let template = templates::latest_version(tx, tenant, template).await?;
    errors.check(template.is_some(), "template_id", "not_found", "no template with this id");
    let pool = pools::exists(tx, tenant, PoolId(body.pool_id)).await?;
    errors.check(pool, "pool_id", "not_found", "no pool with this id");
    errors.done()?;
    class.ok_or_else(|| Problem::field("class", "unknown", "promo, journey or transactional"))
}

/// `GET /v1/campaigns/{id}`, for every role: one campaign, or 404. A draft of promotions says how
/// many of its audience the gate `suppression` would stop now.
#[utoipa::path(
    get, path = "/v1/campaigns/{id}", tag = "campaigns", operation_id = "get_campaign",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::DRAFT))),
    responses((status = 200, description = "The campaign.", body = CampaignView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<CampaignView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = campaigns::get(&mut tx, &caller.tenant, CampaignId(id), false).await?;
    let found = found.ok_or_else(|| Problem::not_found("campaign"))?;
    Ok(Json(view_with_forecast(&mut tx, &caller.tenant, found, app.now()).await?))
}

/// `GET /v1/campaigns`, for every role: the campaigns in pages.
#[utoipa::path(
    get, path = "/v1/campaigns", tag = "campaigns", operation_id = "list_campaigns",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of campaigns.", body = Page<CampaignView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<CampaignView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = campaigns::list(&mut tx, &caller.tenant, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |campaign| campaign.id)))
}
