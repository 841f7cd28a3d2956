//! `/v1/carrier-templates`: the message templates that carrier accounts keep and their carriers
//! review, as WhatsApp does. They are made, read, brought up to date and deleted here, and not in a
//! carrier's dashboard alone.

mod carrier;
mod create;
mod remove;
mod sync;
mod view;

use axum::{Json, extract::State};
use domain::{
    carrier_template::ReviewState,
    ids::{CarrierTemplateId, TenantId},
};
use serde::Deserialize;
use store::{
    Scoped,
    settings::carrier_templates::{self, StoredCarrierTemplate, TemplateFilter},
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::view::{CarrierTemplateView, view};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, Missing},
        examples,
    },
    fields,
    http::{Errors, Id, Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create::create))
        .routes(routes!(sync::sync))
        .routes(routes!(show, remove::remove))
}

/// Which templates are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Those of the carrier account of this name.
    #[param(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "verified")]
    account: Option<String>,
    /// Those of this name, in all languages.
    #[param(min_length = 1, max_length = 512, example = "order_shipped")]
    name: Option<String>,
    /// Those whose review has come to this.
    #[param(inline, value_type = Option<ReviewState>, example = "approved")]
    state: Option<String>,
}

/// `GET /v1/carrier-templates?account=&name=&state=`, for every role: the templates in pages, as
/// their carriers were last known to have them.
#[utoipa::path(
    get, path = "/v1/carrier-templates", tag = "settings", operation_id = "list_carrier_templates",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of templates.", body = Page<CarrierTemplateView>),
        Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<CarrierTemplateView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let mut errors = Errors::default();
    let state = wanted.state.as_deref().and_then(|state| {
        let known = ReviewState::from_name(state);
        let detail = || ReviewState::ALL.map(ReviewState::as_str).join(", ");
        errors.check(known.is_some(), "state", "unknown", &detail());
        known
    });
    if let Some(name) = &wanted.name {
        errors.text("name", name, 1, 512);
    }
    if let Some(account) = &wanted.account {
        fields::account(account, &mut errors);
    }
    errors.done()?;

    let (account, name) = (wanted.account.as_deref(), wanted.name.as_deref());
    let filter = TemplateFilter { account, name, state };
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = carrier_templates::list(&mut tx, &caller.tenant, filter, after, limit).await?;
    Ok(Json(Page::new(found.into_iter().map(view).collect(), limit, |template| template.id)))
}

/// `GET /v1/carrier-templates/{id}`, for every role: one template, or 404.
#[utoipa::path(
    get, path = "/v1/carrier-templates/{id}", tag = "settings",
    operation_id = "get_carrier_template", security(("bearer" = [Read::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The template.",
        example = json!(examples::CARRIER_TEMPLATE),
    )),
    responses(
        (status = 200, description = "The template.", body = CarrierTemplateView), Always, Missing,
    ),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<CarrierTemplateView>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    Ok(Json(view(template(&mut tx, &caller.tenant, CarrierTemplateId(id), false).await?)))
}

/// A template of the tenant's, locked until the transaction ends where it is to be changed; or 404.
async fn template(
    tx: &mut Scoped,
    tenant: &TenantId,
    id: CarrierTemplateId,
    lock: bool,
) -> Result<StoredCarrierTemplate, Problem> {
    let found = carrier_templates::get(tx, tenant, id, lock).await?;
    found.ok_or_else(|| Problem::not_found("template of a carrier"))
}
