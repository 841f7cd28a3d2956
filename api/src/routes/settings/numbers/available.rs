//! `GET /v1/numbers/available`: what an account's carrier has on offer.

use axum::{Json, extract::State};
use carriers::{NumberQuery, OfferedNumber};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::carrier::{of_account, permit, unread};
use crate::{
    app::App,
    auth::{Allowed, EditNumbers, Needs},
    document::answers::{Always, Conflict},
    http::{Errors, Problem, Query},
};

/// How many numbers an answer has at most.
const SHOWN: usize = 50;

/// Which numbers are looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The name of the carrier account whose carrier is asked.
    #[param(min_length = 1, max_length = 64, example = "main")]
    account: String,
    /// The country that they are of; the tenant's where it is not said.
    #[param(pattern = "^[A-Z]{2}$", example = "US")]
    country: Option<String>,
    /// The digits behind the country code that they begin with.
    #[param(pattern = "^[0-9]{2,5}$", example = "202")]
    area_code: Option<String>,
    /// Digits that they hold.
    #[param(pattern = "^[0-9]{2,10}$", example = "5550")]
    contains: Option<String>,
}

/// The numbers that a carrier has to give.
#[derive(Serialize, ToSchema)]
pub(super) struct AvailableNumbers {
    /// The numbers, at most 50, in the carrier's order.
    data: Vec<AvailableNumber>,
}

/// A number that a carrier has to give.
#[derive(Serialize, ToSchema)]
struct AvailableNumber {
    /// The number, in E.164.
    #[schema(example = "+12025550100")]
    number: String,
    /// The town that it is of; null where the carrier does not say it.
    #[schema(required)]
    locality: Option<String>,
    /// The state or province that it is of; null where the carrier does not say it.
    #[schema(required)]
    region: Option<String>,
}

/// `GET /v1/numbers/available?account=&country=&area_code=&contains=`, for admins and owners: asks
/// the account's carrier which numbers it has to give. 409 where the carrier refuses the search,
/// 503 where it does not answer.
#[utoipa::path(
    get, path = "/v1/numbers/available", tag = "settings", operation_id = "search_numbers",
    security(("bearer" = [EditNumbers::NAME])),
    params(Wanted),
    responses(
        (status = 200, description = "What is on offer.", body = AvailableNumbers),
        Always, Conflict,
    ),
)]
pub(super) async fn available(
    State(app): State<App>,
    caller: Allowed<EditNumbers>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<AvailableNumbers>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let country = wanted.country.unwrap_or_else(|| tenant.country.clone());
    let mut errors = Errors::default();
    let is_country = country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase());
    errors.check(is_country, "country", "unknown", "a country's two letters, such as US");
    errors.done()?;

    // load: no transaction is open while the carrier is asked
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let asked = of_account(&app, &mut tx, &caller.tenant, &wanted.account).await?;
    drop(tx);

    let _permit = permit(&app, &caller.tenant)?;
    let query = NumberQuery {
        country: &country,
        area_code: wanted.area_code.as_deref(),
        contains: wanted.contains.as_deref(),
        limit: SHOWN,
    };
    let found = asked.client.search_numbers(&query).await;
    let found = found.map_err(|error| unread(asked.carrier, &error))?;

    // answer
    let view = |offered: OfferedNumber| AvailableNumber {
        number: offered.number,
        locality: offered.locality,
        region: offered.region,
    };
    Ok(Json(AvailableNumbers { data: found.into_iter().take(SHOWN).map(view).collect() }))
}
