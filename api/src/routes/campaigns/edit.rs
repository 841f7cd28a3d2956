//! `/v1/campaigns/{id}`: changed while it is a draft or paused, deleted while it is a draft, and
//! copied.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::{
    gates::consent::program_of,
    ids::{CampaignId, PoolId, TenantId},
    message::class::Channel,
};
use serde::Deserialize;
use serde_json::json;
use store::{
    Scoped,
    campaigns::{self, Campaign, CampaignState},
    settings::{
        budgets::{self, Budget, BudgetScope},
        pools,
        switches::{self, SwitchScope},
        templates,
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    audience::{Audience, NewCampaignAudience},
    forecast::view_with_forecast,
    manage::{CampaignClass, NewCampaign, check, draft},
    view::{CampaignView, view},
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, EditCampaigns, Needs},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    fields,
    http::{Body, Creation, Errors, Id, Kind, Problem, creation::IdempotencyKey},
    submit::carrier_template::CarrierTemplateRef,
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(change, remove)).routes(routes!(clone))
}

/// What is to be otherwise about a campaign. What is not said stays, and `null` counts as not said,
/// but for `validity_seconds`, where it is for ever.
#[derive(Deserialize, ToSchema)]
#[schema(as = CampaignChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// What people call it.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// For a draft: what its messages are for.
    #[serde(default)]
    #[schema(value_type = Option<CampaignClass>)]
    class: Option<String>,
    /// For a draft: what a recipient can leave without leaving everything.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    program: Option<String>,
    /// For a draft: how its messages travel.
    #[serde(default)]
    #[schema(value_type = Option<Channel>)]
    channel: Option<String>,
    /// For a draft: what its messages are made from, in place of a template of the carrier's.
    #[serde(default)]
    template_id: Option<Uuid>,
    /// For a draft, on `whatsapp`: the template of the carrier's that its messages are, in place of
    /// one of the tenant's.
    #[serde(default)]
    carrier_template: Option<CarrierTemplateRef>,
    /// Of the template that it has: for a campaign that is paused.
    #[serde(default)]
    #[schema(minimum = 1)]
    template_version: Option<i32>,
    /// The senders that it spreads over.
    #[serde(default)]
    pool_id: Option<Uuid>,
    /// For a draft: whom it is for.
    #[serde(default)]
    #[schema(value_type = Option<NewCampaignAudience>)]
    audience: Option<Audience>,
    /// How long each message is of use, in seconds from its submission; `null`: for ever.
    #[serde(default, deserialize_with = "named")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 604800)]
    validity_seconds: Option<Option<i32>>,
}

fn named<'de, D: serde::Deserializer<'de>>(decoder: D) -> Result<Option<Option<i32>>, D::Error> {
    Option::deserialize(decoder).map(Some)
}

/// `PATCH /v1/campaigns/{id}`, for operators, admins and owners: changes a draft, or of a paused
/// campaign its name, pool, validity and template version, which those get who have no message yet.
/// Answers 200 with it, 404, or 409 in any other state.
#[utoipa::path(
    patch, path = "/v1/campaigns/{id}", tag = "campaigns", operation_id = "update_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::DRAFT))),
    request_body(content = Change, example = json!({
        "name": "Summer sale, the last days", "audience": { "all": true },
        "validity_seconds": null,
    })),
    responses(
        (status = 200, description = "The campaign, changed.", body = CampaignView),
        Always, OfBody, Missing, Conflict,
    ),
)]
async fn change(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Id(id): Id,
    Body(body): Body<Change>,
) -> Result<Json<CampaignView>, Problem> {
    // load
    let (mut tx, before) = locked(&app, &caller, id).await?;

    // check
    let after = match before.state {
        CampaignState::Draft => draft_with(&mut tx, &caller.tenant, &before, body).await?,
        CampaignState::Paused => paused_with(&mut tx, &caller.tenant, &before, body).await?,
        CampaignState::Starting
        | CampaignState::Running
        | CampaignState::Stopped
        | CampaignState::Completed => {
            let state = before.state.as_str();
            let detail = format!("a campaign that is {state} cannot be changed: pause it");
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };

    // record
    campaigns::save(&mut tx, &caller.tenant, &after).await?;
    let detail = json!({ "before": view(before), "after": view(after.clone()) });
    let subject = format!("campaign:{id}");
    audit::note(&mut tx, &caller, app.now(), "campaign.changed", subject, detail).await?;
    let after = view_with_forecast(&mut tx, &caller.tenant, after, app.now()).await?;
    tx.commit().await?;

    // answer
    Ok(Json(after))
}

/// The campaign of this id, locked.
async fn locked(app: &App, caller: &Caller, id: Uuid) -> Result<(TenantTx, Campaign), Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = campaigns::get(&mut tx, &caller.tenant, CampaignId(id), true).await?;
    Ok((tx, found.ok_or_else(|| Problem::not_found("campaign"))?))
}

/// A draft with a change: what it is then has the rules of a new one.
async fn draft_with(
    tx: &mut Scoped,
    tenant: &TenantId,
    before: &Campaign,
    body: Change,
) -> Result<Campaign, Problem> {
    if body.template_version.is_some() {
        let detail = "a draft takes the latest version when it starts";
        return Err(Problem::field("template_version", "unexpected", detail));
    }

    let mut wanted = as_new(before)?;
    // A program that followed from the class follows from the new class.
    if body.class.is_some() && before.program == program_of(before.class) {
        wanted.program = None;
    }
    // What is said of one kind of template takes the place of the other.
    let (template_id, carrier_template) = match (body.template_id, body.carrier_template) {
        (None, None) => (wanted.template_id, wanted.carrier_template),
        said => said,
    };
    let wanted = NewCampaign {
        name: body.name.unwrap_or(wanted.name),
        class: body.class.unwrap_or(wanted.class),
        program: body.program.or(wanted.program),
        channel: body.channel.or(wanted.channel),
        template_id,
        carrier_template,
        pool_id: body.pool_id.unwrap_or(wanted.pool_id),
        audience: body.audience.unwrap_or(wanted.audience),
        validity_seconds: body.validity_seconds.unwrap_or(wanted.validity_seconds),
    };

    let kind = check(tx, tenant, &wanted).await?;
    let after = draft(&wanted, kind, before.created_at);
    Ok(Campaign { id: before.id, version: before.version, ..after })
}

/// A paused campaign with a change. Its audience is frozen, and its class and program are in what
/// has been sent.
async fn paused_with(
    tx: &mut Scoped,
    tenant: &TenantId,
    before: &Campaign,
    body: Change,
) -> Result<Campaign, Problem> {
    let mut errors = Errors::default();
    let fixed = [
        ("class", body.class.is_some()),
        ("program", body.program.is_some()),
        ("channel", body.channel.is_some()),
        ("template_id", body.template_id.is_some()),
        ("carrier_template", body.carrier_template.is_some()),
        ("audience", body.audience.is_some()),
    ];
    for (field, is_named) in fixed {
        errors.check(!is_named, field, "fixed", "it is fixed once the campaign has started");
    }

    let mut after = before.clone();
    if let Some(name) = &body.name {
        fields::name(name, &mut errors);
        after.name = name.trim().to_owned();
    }
    if let Some(validity) = body.validity_seconds {
        if let Some(seconds) = validity {
            fields::validity(seconds.into(), &mut errors);
        }
        after.validity_seconds = validity;
    }
    if let Some(pool) = body.pool_id.map(PoolId) {
        let is_there = pools::exists(tx, tenant, pool).await?;
        errors.check(is_there, "pool_id", "not_found", "no pool with this id");
        after.pool = pool;
    }
    if let Some(version) = body.template_version {
        let latest = match before.template {
            Some(template) => templates::latest_version(tx, tenant, template).await?,
            None => None,
        };
        let is_there = latest.is_some_and(|latest| (1..=latest).contains(&version));
        errors.check(is_there, "template_version", "not_found", "no such version of its template");
        after.template_version = Some(version);
    }
    errors.done()?;
    Ok(after)
}

/// A campaign as one would write it anew.
fn as_new(campaign: &Campaign) -> Result<NewCampaign, Problem> {
    let audience = Audience::of_stored(&campaign.audience);
    let newer = || Problem::unavailable("a newer version stored this audience", 5);
    Ok(NewCampaign {
        name: campaign.name.clone(),
        class: campaign.class.as_str().to_owned(),
        program: Some(campaign.program.clone()),
        channel: Some(campaign.channel.as_str().to_owned()),
        template_id: campaign.template.map(|template| template.0),
        carrier_template: campaign.carrier_template.as_ref().map(CarrierTemplateRef::of),
        pool_id: campaign.pool.0,
        audience: audience.ok_or_else(newer)?,
        validity_seconds: campaign.validity_seconds,
    })
}

/// `DELETE /v1/campaigns/{id}`, for operators, admins and owners: deletes a draft. Answers 200 with
/// what it was, 404, or 409 for one that has started: it is kept with its ledger.
#[utoipa::path(
    delete, path = "/v1/campaigns/{id}", tag = "campaigns", operation_id = "delete_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(("id" = Uuid, Path, description = "The campaign.", example = json!(examples::DRAFT))),
    responses(
        (status = 200, description = "The draft that was deleted.", body = CampaignView),
        Always, Missing, Conflict,
    ),
)]
async fn remove(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Id(id): Id,
) -> Result<Json<CampaignView>, Problem> {
    let (mut tx, campaign) = locked(&app, &caller, id).await?;
    if campaign.state != CampaignState::Draft {
        let detail = "a campaign that has started is kept with its ledger: stop it";
        return Err(Problem::new(Kind::Conflict, detail));
    }

    let (tenant, target) = (&caller.tenant, campaign.id.to_string());
    switches::clear(&mut tx, tenant, SwitchScope::Campaign, &target, None).await?;
    let no_cap = Budget { scope: BudgetScope::Campaign, target, daily: None, monthly: None };
    budgets::set(&mut tx, tenant, &no_cap).await?;
    campaigns::delete_draft(&mut tx, tenant, campaign.id).await?;
    let removed = view(campaign);
    let (subject, detail) = (format!("campaign:{id}"), wire::json::to_value(&removed));
    audit::note(&mut tx, &caller, app.now(), "campaign.deleted", subject, detail).await?;
    tx.commit().await?;
    Ok(Json(removed))
}

/// What is to be otherwise about a copy.
#[derive(Deserialize, ToSchema)]
#[schema(as = CampaignCopy)]
#[serde(deny_unknown_fields)]
struct Copy {
    /// The copy's name; that of the campaign where it is not said.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
}

/// `POST /v1/campaigns/{id}/clone`, for operators, admins and owners: makes a draft like a campaign
/// in whatever state. Answers 201 with it, or 404.
#[utoipa::path(
    post, path = "/v1/campaigns/{id}/clone", tag = "campaigns", operation_id = "clone_campaign",
    security(("bearer" = [EditCampaigns::NAME])),
    params(
        ("id" = Uuid, Path, description = "The campaign.", example = json!(examples::RUNNING)),
        IdempotencyKey,
    ),
    request_body(content = Copy, example = json!({ "name": "Summer sale, once more" })),
    responses(
        (status = 201, description = "The new draft.", body = CampaignView, headers(
            ("Location" = String, description = "The copy's path."),
        )),
        Always, OfBody, Missing,
    ),
)]
async fn clone(Id(id): Id, mut new: Creation<EditCampaigns, Copy>) -> Result<Response, Problem> {
    // load
    let tenant = new.caller.tenant.clone();
    let found = campaigns::get(&mut new.tx, &tenant, CampaignId(id), false).await?;
    let mut wanted = as_new(&found.ok_or_else(|| Problem::not_found("campaign"))?)?;

    // check
    if let Some(name) = new.body.name.take() {
        wanted.name = name;
    }
    let kind = check(&mut new.tx, &tenant, &wanted).await?;

    // record
    let campaign = draft(&wanted, kind, new.now);
    campaigns::create(&mut new.tx, &tenant, &campaign).await?;

    // answer
    let path = format!("/v1/campaigns/{}", campaign.id);
    let made = view_with_forecast(&mut new.tx, &tenant, campaign, new.now).await?;
    new.finish_at(StatusCode::CREATED, &made, &path).await
}
