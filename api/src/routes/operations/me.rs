//! `/v1/me`: who asks, and what holds for their tenant.

use axum::{Json, extract::State};
use serde::Serialize;
use store::{people, settings::api_keys::KeyRole};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

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
    tenant: TenantView,
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

    Ok(Json(Me {
        subject: caller.subject.clone(),
        person: person.map(|known| PersonView::of(known.person)),
        role: caller.role.as_str(),
        permissions: permissions.map(Permission::as_str).collect(),
        tenant: TenantView::of(&tenant),
    }))
}
