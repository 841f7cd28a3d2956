//! `/v1/me`: who asks, and what holds for their tenant.

use axum::{Json, extract::State};
use serde::Serialize;
use store::{
    people,
    settings::api_keys::{KeyKind, KeyRole},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read, SignedIn, roles::Permission},
    document::answers::Always,
    http::{
        Problem,
        view::{PersonView, TenantView},
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Who asks, and their tenant.
#[derive(Serialize, ToSchema)]
struct Me {
    /// Whose the credentials are: `key:<id>` or `user:<sub>`.
    subject: String,
    /// The person who has signed in; null for a program.
    #[schema(required)]
    person: Option<PersonView>,
    #[schema(value_type = KeyRole)]
    role: &'static str,
    /// What they may do: the permissions of their role, and of their key's scopes.
    #[schema(value_type = Vec<Permission>)]
    permissions: Vec<&'static str>,
    /// `test` for a test key: the tenant is the company's twin, and texts stay in the sandbox.
    #[schema(value_type = KeyKind)]
    mode: &'static str,
    /// How much of the tenant they see; null: all of it.
    #[schema(required)]
    sees: Option<Sees>,
    tenant: TenantView,
}

/// The part of a tenant that somebody sees who is limited.
#[derive(Serialize, ToSchema)]
struct Sees {
    /// The brands whose senders, pools, campaigns and messages they see.
    brands: Vec<Uuid>,
    /// The inboxes that they see.
    inboxes: Vec<Uuid>,
}

/// `GET /v1/me`, for every role: who asks, and what holds for their tenant.
#[utoipa::path(
    get, path = "/v1/me", tag = "operations", operation_id = "get_me",
    security(("bearer" = [Read::NAME])),
    responses((status = 200, description = "Who asks, and their tenant.", body = Me), Always),
)]
async fn me(State(app): State<App>, caller: Allowed<Read>) -> Result<Json<Me>, Problem> {
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let person = match caller.signed_in {
        Some(SignedIn { person, .. }) => {
            let mut tx = app.transactions.begin(&caller.tenant).await?;
            people::get(&mut tx, person).await?
        }
        None => None,
    };
    let permissions = Permission::ALL.into_iter().filter(|one| caller.may(*one));
    let mode = if caller.tenant.is_twin() { KeyKind::Test } else { KeyKind::Live };
    let sees = caller
        .tenant
        .sight()
        .map(|sight| Sees { brands: sight.brands.clone(), inboxes: sight.inboxes.clone() });

    Ok(Json(Me {
        subject: caller.subject.clone(),
        person: person.map(|known| PersonView::of(known.person)),
        role: caller.role.as_str(),
        permissions: permissions.map(Permission::as_str).collect(),
        mode: mode.as_str(),
        sees,
        tenant: TenantView::of(&tenant),
    }))
}
