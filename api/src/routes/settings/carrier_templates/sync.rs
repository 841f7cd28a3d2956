//! `POST /v1/carrier-templates/sync`: takes over what a carrier lists of an account's templates, at
//! once. The platform does the same every hour.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::carrier_templates::{self, Synced, TemplatesReadAt};
use utoipa::ToSchema;

use super::carrier::{of_account, permit, problem};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditCampaigns, Needs},
    document::answers::{Always, Conflict, OfBody},
    http::{Body, Problem},
};

/// Whose templates are to be brought up to date.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CarrierTemplateSync {
    /// The name of the carrier account.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "verified")]
    account: String,
}

/// What a list has changed.
#[derive(Serialize, ToSchema)]
pub(super) struct CarrierTemplateSyncResult {
    /// Templates that the account has, as its carrier lists them.
    listed: usize,
    /// Of these, templates that were not here before.
    added: i64,
    /// Of these, templates of which something else was known.
    changed: i64,
    /// Templates that were here, and that the account does not have any more.
    gone: i64,
    /// Templates that found no room, as there are 6,000.
    left_out: i64,
}

/// `POST /v1/carrier-templates/sync`, for operators, admins and owners: asks the carrier for every
/// template of one of the tenant's own accounts, and takes over their states, categories, qualities
/// and texts. It may be repeated. 409 where the carrier refuses, 503 where it does not answer.
#[utoipa::path(
    post, path = "/v1/carrier-templates/sync", tag = "settings",
    operation_id = "sync_carrier_templates", security(("bearer" = [EditCampaigns::NAME])),
    request_body(content = CarrierTemplateSync, example = json!({ "account": "verified" })),
    responses(
        (status = 200, description = "What has changed.", body = CarrierTemplateSyncResult),
        Always, OfBody, Conflict,
    ),
)]
pub(super) async fn sync(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Body(body): Body<CarrierTemplateSync>,
) -> Result<Json<CarrierTemplateSyncResult>, Problem> {
    // load: no transaction is open while the carrier is asked
    caller.sees_all("the templates of a carrier account")?;
    let at = TemplatesReadAt { now: app.now(), begun_at: stage::machine::now() };
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let asked = of_account(&app, &mut tx, &caller.tenant, &body.account).await?;
    drop(tx);

    let _permit = permit(&app, &caller.tenant)?;
    let listed = asked.client.templates().await.map_err(|error| problem(&error))?;

    // record
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let handle = &asked.account.handle;
    let Synced { added, changed, gone, left_out } =
        carrier_templates::record(&mut tx, &caller.tenant, handle, &listed, &at).await?;
    let subject = format!("carrier_account:{}", asked.account.name);
    let detail =
        json!({ "listed": listed.len(), "added": added, "changed": changed, "gone": gone });
    audit::note(&mut tx, &caller, at.now, "carrier_templates.synced", subject, detail).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    let listed = listed.len();
    Ok(Json(CarrierTemplateSyncResult { listed, added, changed, gone, left_out }))
}
