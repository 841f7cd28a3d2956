//! `DELETE /v1/numbers/{id}`: gives a number back to its carrier. That it is asked to take it back
//! is recorded before it is asked; a repeat asks again.

use axum::{Json, extract::State};
use carriers::NumberReply;
use domain::ids::SenderId;
use store::settings::numbers::{self, Number, NumberState};

use super::{
    carrier::{away, of_account, permit, refused},
    number,
    view::{NumberView, bare},
};
use crate::{
    app::App,
    audit,
    auth::{Allowed, EditNumbers, Needs},
    document::{
        answers::{Always, Conflict, Missing},
        examples,
    },
    http::{Id, Kind, Problem},
};

/// `DELETE /v1/numbers/{id}`, for admins and owners: gives a number that no text leaves from back
/// to its carrier; one that the account does not have is forgotten. Answers 200 with what it was,
/// 404, 409 while it is active or its order is open, or where the carrier refuses, or 503 where the
/// carrier does not answer: then it may be repeated.
#[utoipa::path(
    delete, path = "/v1/numbers/{id}", tag = "settings", operation_id = "release_number",
    security(("bearer" = [EditNumbers::NAME])),
    params((
        "id" = uuid::Uuid, Path, description = "The number.",
        example = json!(examples::SPARE_NUMBER),
    )),
    responses(
        (status = 200, description = "The number, which is given back.", body = NumberView),
        Always, Missing, Conflict,
    ),
)]
pub(super) async fn release(
    State(app): State<App>,
    caller: Allowed<EditNumbers>,
    Id(id): Id,
) -> Result<Json<NumberView>, Problem> {
    // load
    let (id, now) = (SenderId(id), app.now());
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let number = unused(number(&mut tx, &tenant.id, id, now, true).await?)?;

    // ask: what is asked is on record first
    let is_had = matches!(number.state, NumberState::Owned | NumberState::Releasing);
    if is_had {
        let asked = of_account(&app, &mut tx, &tenant.id, &number.account_name).await?;
        let _permit = permit(&app, &tenant.id)?;
        numbers::begin_release(&mut tx, &tenant.id, id, stage::machine::now()).await?;
        tx.commit().await?;

        let name = number.carrier_id.as_deref().unwrap_or_default();
        let reply = asked.client.release_number(name).await;
        tx = app.transactions.begin(&caller.tenant).await?;
        match reply {
            NumberReply::Done { .. } | NumberReply::Taken => {}
            NumberReply::Refused { code } => {
                numbers::undo_release(&mut tx, &tenant.id, id).await?;
                tx.commit().await?;
                return Err(refused(asked.carrier, code));
            }
            NumberReply::NotAsked | NumberReply::Unknown { .. } => return Err(away()),
        }
    }

    // record
    numbers::forget(&mut tx, &tenant.id, id).await?;
    let view = bare(&tenant, Number { state: NumberState::Releasing, ..number });
    let (subject, detail) = (format!("number:{id}"), wire::json::to_value(&view));
    audit::note(&mut tx, &caller, now, "number.released", subject, detail).await?;
    tx.commit().await?;

    // answer
    Ok(Json(view))
}

/// The number, if nothing leaves from it and nothing is open about it.
fn unused(number: Number) -> Result<Number, Problem> {
    let detail = match (number.state, number.is_active) {
        (_, true) => "texts leave from the number: remove the sender first",
        (NumberState::Ordered | NumberState::InDoubt, false) => {
            "what came of its order is not known: import the account's numbers first"
        }
        (
            NumberState::Owned | NumberState::Releasing | NumberState::Failed | NumberState::Gone,
            false,
        ) => return Ok(number),
    };
    Err(Problem::new(Kind::Conflict, detail))
}
