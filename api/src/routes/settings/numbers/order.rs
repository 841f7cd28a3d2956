//! `POST /v1/numbers`: orders a number. The order is recorded before the carrier is asked, so that
//! none is lost: one whose answer is lost is in doubt, until the carrier's list of the account's
//! numbers tells what came of it.

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use carriers::NumberReply;
use domain::{
    ids::{BrandId, PoolId, SenderId},
    money::Money,
    phone::PhoneNumber,
};
use serde::Deserialize;
use store::{
    Scoped,
    settings::{
        numbers::{self, Number, NumberState, Ordered},
        tenants::Tenant,
    },
};
use tokio::sync::OwnedSemaphorePermit;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    carrier::{Asked, next_permit, of_account, permit},
    said::{check_assigned, cost},
    view::{NumberView, bare},
};
use crate::{
    app::App,
    audit,
    auth::{EditNumbers, Needs, Reach},
    document::answers::{Always, Conflict, OfBody},
    http::{Creation, Errors, Kind, Problem, creation::IdempotencyKey},
};

/// How long after an order that is open the account's list is looked at, each time after the last.
const LOOKS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(30)];

/// A number to be ordered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNumber {
    /// The name of the carrier account that is to have it.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$", example = "main")]
    account: String,
    /// The number, in E.164, as a search has given it.
    #[schema(pattern = "^\\+[1-9][0-9]{6,14}$", example = "+12025550110")]
    number: String,
    /// What the carrier takes for it a month, in the tenant's currency.
    #[serde(default)]
    monthly_cost: Option<Money>,
    /// The brand that people will know it under.
    #[serde(default)]
    brand: Option<Uuid>,
    /// The pool that it goes into once it is active.
    #[serde(default)]
    pool: Option<Uuid>,
}

/// `POST /v1/numbers`, for admins and owners: orders a number that is on offer for one of
/// the tenant's own carrier accounts. Answers 202 once the order is on record, with the
/// number as it is then; `GET /v1/numbers/{id}` says what came of it. 409 where the tenant
/// has it, or 1,000 numbers.
#[utoipa::path(
    post, path = "/v1/numbers", tag = "settings", operation_id = "order_number",
    security(("bearer" = [EditNumbers::NAME])),
    params(IdempotencyKey),
    request_body(content = NewNumber, example = json!({
        "account": "main", "number": "+12025550110",
        "monthly_cost": { "amount": "1.15", "currency": "USD" },
    })),
    responses(
        (status = 202, description = "The order is on record.", body = NumberView),
        Always, OfBody, Conflict,
    ),
)]
pub(super) async fn order(
    State(app): State<App>,
    mut new: Creation<EditNumbers, NewNumber>,
) -> Result<Response, Problem> {
    // check
    new.caller.sees_all("an order of a number")?;
    let tenant = new.tenant.clone();
    let asked = of_account(&app, &mut new.tx, &tenant.id, &new.body.account).await?;
    let number = check(&mut new.tx, &tenant, &asked, &new.body, new.now).await?;
    let permit = permit(&app, &tenant.id)?;

    // record
    match numbers::order(&mut new.tx, &tenant.id, &number, stage::machine::now()).await? {
        Ordered::Begun => {}
        Ordered::Exists(state) => {
            let detail = format!("you have this number: it is {}", state.as_str());
            return Err(Problem::new(Kind::Conflict, detail));
        }
        Ordered::Full => {
            let detail = format!("there are {} numbers: release some first", numbers::MOST);
            return Err(Problem::new(Kind::Conflict, detail));
        }
    }
    let (caller, now) = (new.caller.clone(), new.now);
    let (subject, view) = (format!("number:{}", number.id), bare(&tenant, number.clone()));
    let detail = wire::json::to_value(&view);
    audit::note(&mut new.tx, &caller, now, "number.ordered", subject, detail).await?;
    let answer = new.finish(StatusCode::ACCEPTED, &view).await?;

    // say: the order goes on whether or not the caller waits
    let working = app.clone();
    app.background.spawn(async move {
        carry_out(&working, &caller.tenant, &asked, &number, permit).await;
    });
    Ok(answer)
}

/// The number that the body names, or everything that is wrong with it.
async fn check(
    tx: &mut Scoped,
    tenant: &Tenant,
    asked: &Asked,
    body: &NewNumber,
    now: jiff::Timestamp,
) -> Result<Number, Problem> {
    let mut errors = Errors::default();
    let written = PhoneNumber::from_e164(&body.number);
    errors.check(written.is_ok(), "number", "invalid_number", "a number in E.164");
    let monthly_cost = cost(body.monthly_cost.as_ref(), tenant, &mut errors);
    check_assigned(tx, &tenant.id, (body.brand, body.pool), &mut errors).await?;
    errors.done()?;

    let account = &asked.account;
    Ok(Number {
        id: SenderId::of(&tenant.id, &body.number),
        account: account.handle.clone(),
        account_name: account.name.clone(),
        carrier: account.access.carrier.clone(),
        number: body.number.clone(),
        carrier_id: None,
        state: NumberState::Ordered,
        code: None,
        monthly_cost,
        brand: body.brand.map(BrandId),
        pool: body.pool.map(PoolId),
        is_active: false,
        used: 0,
        carried: Default::default(),
        created_at: now,
    })
}

/// Asks the carrier once, and records what it said. Where it said nothing that settles it, the
/// account's list is looked at a few times; after that `POST /v1/numbers/import` does. Between the
/// calls it holds no permit: the tenant's other calls need it.
async fn carry_out(
    app: &App,
    tenant: &Reach,
    asked: &Asked,
    number: &Number,
    permit: OwnedSemaphorePermit,
) {
    let reply = asked.client.buy_number(&number.number).await;
    drop(permit);

    let (state, code, name) = match &reply {
        NumberReply::Done { id } => (NumberState::Owned, None, Some(id.as_str())),
        NumberReply::Taken => (NumberState::Ordered, None, None),
        NumberReply::Refused { code } => {
            (NumberState::Failed, i32::try_from(*code).ok().filter(|code| *code > 0), None)
        }
        NumberReply::NotAsked => (NumberState::Failed, None, None),
        NumberReply::Unknown { why } => {
            tracing::warn!(%tenant, ?why, "an order for a number is in doubt");
            (NumberState::InDoubt, None, None)
        }
    };
    note(app, tenant, number, (state, code), name).await;
    if !reply.is_open() {
        return;
    }

    for wait in LOOKS {
        let due = async {
            tokio::time::sleep(wait).await;
            next_permit(app, tenant).await
        };
        let _permit = tokio::select! {
            permit = due => permit,
            () = app.stopping.cancelled() => return,
        };
        let Ok(owned) = asked.client.owned_numbers().await else { continue };
        if let Some(found) = owned.iter().find(|one| one.number == number.number) {
            note(app, tenant, number, (NumberState::Owned, None), Some(&found.id)).await;
            return;
        }
    }
}

/// Records what is known of an order. Without the database the order stays open, and an import
/// settles it.
async fn note(
    app: &App,
    tenant: &Reach,
    number: &Number,
    outcome: (NumberState, Option<i32>),
    name: Option<&str>,
) {
    let noted = async {
        let mut tx = app.transactions.begin(tenant).await?;
        numbers::settle(&mut tx, tenant, number.id, outcome, name).await?;
        tx.commit().await.map_err(Problem::from)
    };
    if let Err(problem) = noted.await {
        tracing::warn!(%tenant, %problem, "what came of an order for a number is not recorded");
    }
}
