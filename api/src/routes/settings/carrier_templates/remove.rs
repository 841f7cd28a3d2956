//! `DELETE /v1/carrier-templates/{id}`: has a carrier delete a template. A repeat asks again.

use axum::{Json, extract::State};
use domain::ids::CarrierTemplateId;
use serde_json::json;
use store::settings::carrier_templates;

use super::{
    carrier::{of_account, permit, problem},
    template,
    view::{CarrierTemplateView, view},
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditCampaigns, Needs},
    document::{
        answers::{Always, Conflict, Missing},
        examples,
    },
    http::{Id, Kind, Problem},
};

/// `DELETE /v1/carrier-templates/{id}`, for operators, admins and owners: has the carrier delete a
/// template in its language; one that the carrier has not taken is forgotten. Messages by it are
/// refused from then on. Answers 200 with what it was, 404, 409 while it is not known whether the
/// carrier has it, or where the carrier refuses, or 503 where the carrier does not answer: then it
/// may be repeated.
#[utoipa::path(
    delete, path = "/v1/carrier-templates/{id}", tag = "settings",
    operation_id = "delete_carrier_template", security(("bearer" = [EditCampaigns::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The template.",
        example = json!(examples::SPARE_CARRIER_TEMPLATE),
    )),
    responses(
        (status = 200, description = "The template as it was.", body = CarrierTemplateView),
        Always, Missing, Conflict,
    ),
)]
pub(super) async fn remove(
    State(app): State<App>,
    caller: Allowed<EditCampaigns>,
    Id(id): Id,
) -> Result<Json<CarrierTemplateView>, Problem> {
    // load
    let id = CarrierTemplateId(id);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = template(&mut tx, &caller.tenant, id, false).await?;
    caller.sees_all("a template of a carrier account")?;

    // ask: no transaction is open meanwhile
    match (&found.carrier_id, found.state.is_at_carrier()) {
        (Some(name), _) => {
            let asked = of_account(&app, &mut tx, &caller.tenant, &found.account_name).await?;
            drop(tx);
            let _permit = permit(&app, &caller.tenant)?;
            let deleted = asked.client.delete_template(&found.name, name).await;
            deleted.map_err(|error| problem(&error))?;
            tx = app.transactions.begin(&caller.tenant).await?;
        }
        (None, true) => {
            let detail = "whether the carrier has it is not known: synchronise the account's \
                          templates first";
            return Err(Problem::new(Kind::Conflict, detail));
        }
        (None, false) => {}
    }

    // record
    carrier_templates::forget(&mut tx, &caller.tenant, id).await?;
    let subject = format!("carrier_template:{id}");
    let detail = json!({
        "account": found.account_name, "name": found.name, "language": found.language,
    });
    audit::note(&mut tx, &caller, app.now(), "carrier_template.deleted", subject, detail).await?;
    tx.commit().await?;
    app.named.forget(&caller.tenant);

    // answer
    Ok(Json(view(found)))
}
