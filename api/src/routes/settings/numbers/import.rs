//! `POST /v1/numbers/import`: takes over what a carrier lists of an account, and settles orders
//! that are open.

use axum::{Json, extract::State};
use domain::money::Money;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::settings::numbers::{self, Imported, ListedAt, open::SETTLED_AFTER};
use utoipa::ToSchema;

use super::{
    carrier::{of_account, permit, unread},
    said::cost,
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditNumbers, Needs},
    document::answers::{Always, Conflict, OfBody},
    http::{Body, Errors, Problem},
};

/// Whose numbers are to be taken over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberImport {
    /// The name of the carrier account.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "main")]
    account: String,
    /// What the carrier takes a month for each number, in the tenant's currency: it holds for those
    /// on the list of which nobody has said it.
    #[serde(default)]
    monthly_cost: Option<Money>,
}

/// What an import has changed.
#[derive(Serialize, ToSchema)]
pub(super) struct NumberImportResult {
    /// Numbers that the account has, as its carrier lists them.
    listed: usize,
    /// Of these, numbers that were not here before.
    added: i64,
    /// Open orders that the list has settled: the account has the number.
    settled: i64,
    /// Numbers that were here, and that the account does not have: `gone` and `failed` now.
    gone: i64,
    /// Numbers that found no room, as there are 1,000.
    left_out: i64,
}

/// `POST /v1/numbers/import`, for admins and owners: asks the carrier for every number of one of
/// the tenant's own accounts and takes over those that are not here. Orders that are open are
/// settled by it. Carriers name no price there: `monthly_cost` says what each costs. It may be
/// repeated. 409 where the carrier refuses, 503 where it does not answer.
#[utoipa::path(
    post, path = "/v1/numbers/import", tag = "settings", operation_id = "import_numbers",
    security(("bearer" = [EditNumbers::NAME])),
    request_body(content = NumberImport, example = json!({ "account": "spare" })),
    responses(
        (status = 200, description = "What has changed.", body = NumberImportResult),
        Always, OfBody, Conflict,
    ),
)]
pub(super) async fn import(
    State(app): State<App>,
    caller: Allowed<EditNumbers>,
    Body(body): Body<NumberImport>,
) -> Result<Json<NumberImportResult>, Problem> {
    caller.sees_all("an import of numbers")?;
    let said_for = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let monthly_cost = cost(body.monthly_cost.as_ref(), &said_for, &mut errors);
    errors.done()?;

    // load: no transaction is open while the carrier is asked
    let (now, machine) = (app.now(), stage::machine::now());
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let asked = of_account(&app, &mut tx, &caller.tenant, &body.account).await?;
    drop(tx);

    let _permit = permit(&app, &caller.tenant)?;
    let owned = asked.client.owned_numbers().await;
    let owned = owned.map_err(|error| unread(asked.carrier, &error))?;
    let listed: Vec<(String, String)> =
        owned.into_iter().map(|number| (number.number, number.id)).collect();

    // record
    let at = ListedAt { now, machine, settled_before: machine - SETTLED_AFTER };
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let handle = &asked.account.handle;
    let Imported { added, settled, gone, left_out } =
        numbers::import(&mut tx, &caller.tenant, handle, &listed, &at).await?;
    if let Some(cost) = monthly_cost {
        numbers::price_listed(&mut tx, &caller.tenant, &listed, cost).await?;
    }
    let subject = format!("carrier_account:{}", asked.account.name);
    let detail = json!({
        "listed": listed.len(), "added": added, "settled": settled, "gone": gone,
        "monthly_cost_micros": monthly_cost.map(|cost| cost.0),
    });
    audit::note(&mut tx, &caller, now, "numbers.imported", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(NumberImportResult { listed: listed.len(), added, settled, gone, left_out }))
}
