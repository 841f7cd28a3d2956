//! `/v1/me`: who asks, and what holds for their tenant.

use axum::{Json, extract::State};
use domain::{country::Country, ids::TenantId, money::Currency};
use serde::Serialize;
use store::settings::api_keys::KeyRole;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read, roles::Permission},
    document::answers::Always,
    http::Problem,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Who asks, and their tenant.
#[derive(Serialize, ToSchema)]
struct Me {
    /// Whose the credentials are: `key:<id>` or `user:<sub>`.
    subject: String,
    #[schema(value_type = KeyRole)]
    role: &'static str,
    /// What they may do: the permissions of their role, and of their key's scopes.
    #[schema(value_type = Vec<Permission>)]
    permissions: Vec<&'static str>,
    tenant: TenantView,
}

/// A tenant, with the settings that hold for everything of theirs.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
struct TenantView {
    #[schema(value_type = TenantId)]
    id: String,
    /// What people call it.
    name: String,
    /// Where numbers without a plus sign are read.
    #[schema(value_type = Country)]
    country: String,
    /// An IANA zone: of the days of budgets, and of recipients of whom nothing better is known.
    #[schema(example = "America/New_York")]
    time_zone: String,
    /// The currency of all prices and budgets.
    #[schema(value_type = Currency)]
    currency: String,
    /// ISO 639-1: of texts to contacts that have none.
    #[schema(example = "en")]
    language: String,
}

/// `GET /v1/me`, for every role: who asks, and what holds for their tenant.
#[utoipa::path(
    get, path = "/v1/me", tag = "operations", operation_id = "get_me",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "Who asks, and their tenant.", body = Me), Always),
)]
async fn me(State(app): State<App>, caller: Allowed<Read>) -> Result<Json<Me>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let permissions = Permission::ALL.into_iter().filter(|one| caller.may(*one));

    Ok(Json(Me {
        subject: caller.subject.clone(),
        role: caller.role.as_str(),
        permissions: permissions.map(Permission::as_str).collect(),
        tenant: TenantView {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            country: tenant.country.clone(),
            time_zone: tenant.time_zone.clone(),
            currency: tenant.currency.clone(),
            language: tenant.language.clone(),
        },
    }))
}
