//! `/v1/me`: who asks, and what holds for their tenant.

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;

use crate::{app::App, auth::Caller, http::Problem};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/me", get(me))
}

#[derive(Serialize)]
struct Me {
    subject: String,
    role: &'static str,
    tenant: TenantView,
}

#[derive(Serialize)]
struct TenantView {
    id: String,
    name: String,
    country: String,
    time_zone: String,
    currency: String,
    language: String,
}

/// `GET /v1/me`, for every role: who asks, and what holds for their tenant.
async fn me(State(app): State<App>, caller: Caller) -> Result<Json<Me>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;

    Ok(Json(Me {
        subject: caller.subject,
        role: caller.role.as_str(),
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
