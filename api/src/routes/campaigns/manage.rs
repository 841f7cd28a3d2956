//! `/v1/campaigns`: made, listed and shown.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{
    draft::{CarrierTemplate, From},
    gates::consent::program_of,
    ids::{CampaignId, PoolId, TemplateId, TenantId},
    message::class::{Channel, MessageClass},
    template::Template,
};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};
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
    submit::{carrier_template::CarrierTemplateRef, kept, message::channel},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show))
}

/// A campaign to be drafted.
#[derive(Deserialize, ToSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
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
    /// How its messages travel; `sms` where it is not said. Its audience are those whom the channel
    /// reaches. On `whatsapp` texts go out within 24 hours of the person's last message alone, and
    /// a template of the carrier's at any time.
    #[serde(default)]
    #[schema(value_type = Option<Channel>)]
    pub(super) channel: Option<String>,
    /// What its messages are made from: the version that is the latest at the start.
    #[serde(default)]
    pub(super) template_id: Option<Uuid>,
    /// Instead of a template of the tenant's, on `whatsapp`: one that the carrier keeps. Its values
    /// may name fields of the contact, as `{first_name|friend}`.
    #[serde(default)]
    pub(super) carrier_template: Option<CarrierTemplateRef>,
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

// One of two fields says what its messages are: where neither is there, the decoder names that
// beside whatever else is missing.
impl<'de> Deserialize<'de> for NewCampaign {
    fn deserialize<D: Deserializer<'de>>(written: D) -> Result<Self, D::Error> {
        let read = Self::deserialize(written)?;
        let says_nothing = read.template_id.is_none() && read.carrier_template.is_none();
        if says_nothing { Err(D::Error::missing_field("template_id")) } else { Ok(read) }
    }
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
    let kind = check(&mut new.tx, &new.caller.tenant, &new.body).await?;

    // record
    let campaign = draft(&new.body, kind, new.now);
    campaigns::create(&mut new.tx, &new.caller.tenant, &campaign).await?;

    // answer
    let path = format!("/v1/campaigns/{}", campaign.id);
    let tenant = new.caller.tenant.clone();
    let made = view_with_forecast(&mut new.tx, &tenant, campaign, new.now).await?;
    new.finish_at(StatusCode::CREATED, &made, &path).await
}

/// What a campaign's messages are.
pub(super) struct MessageKind {
    class: MessageClass,
    channel: Channel,
    carrier_template: Option<CarrierTemplate>,
}

/// A draft of what the body says.
pub(super) fn draft(body: &NewCampaign, kind: MessageKind, now: Timestamp) -> Campaign {
    let MessageKind { class, channel, carrier_template } = kind;
    Campaign {
        id: CampaignId(ids::fresh()),
        name: body.name.trim().to_owned(),
        state: CampaignState::Draft,
        paused_from: None,
        class,
        program: body.program.clone().unwrap_or_else(|| program_of(class).to_owned()),
        channel,
        template: body.template_id.map(TemplateId),
        template_version: None,
        carrier_template,
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
/// exist. Answers what its messages are.
pub(super) async fn check(
    tx: &mut Scoped,
    tenant: &TenantId,
    body: &NewCampaign,
) -> Result<MessageKind, Problem> {
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

    let channel = channel(body.channel.as_deref());
    errors.check(channel.is_some(), "channel", "unknown", "sms or whatsapp");
    let channel = channel.unwrap_or_default();
    let carrier_template = content(tx, tenant, body, channel, &mut errors).await?;
    let pool = pools::exists(tx, tenant, PoolId(body.pool_id)).await?;
    errors.check(pool, "pool_id", "not_found", "no pool with this id");
    errors.done()?;

    let class = class
        .ok_or_else(|| Problem::field("class", "unknown", "promo, journey or transactional"))?;
    Ok(MessageKind { class, channel, carrier_template })
}

/// What its messages say: a template of the tenant's, which must exist, or one of the carrier's,
/// which must not surely be refused.
async fn content(
    tx: &mut Scoped,
    tenant: &TenantId,
    body: &NewCampaign,
    channel: Channel,
    errors: &mut Errors,
) -> Result<Option<CarrierTemplate>, Problem> {
    match (body.template_id, &body.carrier_template) {
        (Some(_), Some(_)) => {
            let detail = "give template_id or carrier_template, not both";
            errors.add("carrier_template", "ambiguous", detail);
            Ok(None)
        }
        (None, None) => Ok(None), // the decoder has refused it
        (Some(id), None) => {
            let known = templates::latest_version(tx, tenant, TemplateId(id)).await?;
            errors.check(known.is_some(), "template_id", "not_found", "no template with this id");
            Ok(None)
        }
        (None, Some(_)) if channel == Channel::Sms => {
            let detail = "SMS has no such templates: give template_id";
            errors.add("carrier_template", "unsupported", detail);
            Ok(None)
        }
        (None, Some(written)) => {
            let Some(template) = written.read(errors) else { return Ok(None) };
            check_values(&template, errors);

            // One that is reviewed still may be approved by the start.
            let from = From::Pool(PoolId(body.pool_id));
            let why = kept::unsendable(tx, tenant, &template, &from).await?;
            if let Some(why) = why.filter(|why| why.code != PENDING) {
                errors.add("carrier_template", why.code, why.detail);
            }
            Ok(Some(template))
        }
    }
}

/// The code of a template whose review goes on.
const PENDING: &str = "template_pending";

/// Checks that each value can be read as a text with variables.
fn check_values(template: &CarrierTemplate, errors: &mut Errors) {
    for value in template.values() {
        if let Err(why) = Template::parse(value) {
            errors.add("carrier_template", "invalid_template", why.to_string());
        }
    }
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
