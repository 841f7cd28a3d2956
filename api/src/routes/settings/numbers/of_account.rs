//! `GET /v1/carrier-accounts/{account}/numbers`: the numbers that an account has at its carrier,
//! with what the carrier says of each.

use std::collections::BTreeSet;

use axum::{Json, extract::State};
use carriers::AccountNumber;
use domain::ids::{SenderId, TenantId};
use serde::Serialize;
use store::settings::senders;
use utoipa::ToSchema;

use super::carrier::{own_account, permit, unread};
use crate::{
    app::App,
    auth::{Allowed, EditNumbers, Needs},
    document::answers::{Always, Conflict, Missing},
    http::{Problem, extract::Name},
};

/// The numbers of an account, as its carrier lists them.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountNumbers {
    /// All of them, in the carrier's order.
    data: Vec<AccountNumberView>,
}

/// A number of an account, with the carrier's own words for how it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = AccountNumber)]
struct AccountNumberView {
    /// The carrier's id of it: what a sender on WhatsApp is named by.
    #[schema(example = "106540352242922")]
    carrier_id: String,
    /// The number, in E.164; null where the carrier does not say it.
    #[schema(required, example = "+16315551234")]
    number: Option<String>,
    /// The name that people see; null where the carrier has none of it.
    #[schema(required)]
    name: Option<String>,
    /// Whether it is connected; null where the carrier does not say it.
    #[schema(required, example = "CONNECTED")]
    status: Option<String>,
    /// How people take its messages; null where the carrier does not say it.
    #[schema(required, example = "GREEN")]
    quality: Option<String>,
    /// How many people it may write to first in a day; null where the carrier does not say it.
    #[schema(required, example = "TIER_2K")]
    messaging_limit: Option<String>,
    /// How fast it may send; null where the carrier does not say it.
    #[schema(required, example = "STANDARD")]
    throughput: Option<String>,
    /// The sender that it is here; null where no text leaves from it.
    #[schema(required)]
    sender: Option<SenderId>,
}

/// `GET /v1/carrier-accounts/{account}/numbers`, for admins and owners: asks the carrier of one of
/// the tenant's own accounts for its numbers. Of a WhatsApp Business Account each comes with its
/// quality and its limits. 409 where the carrier refuses, 503 where it does not answer.
#[utoipa::path(
    get, path = "/v1/carrier-accounts/{account}/numbers", tag = "settings",
    operation_id = "list_account_numbers", security(("bearer" = [EditNumbers::NAME])),
    params((
        "account" = String, Path, pattern = "^[A-Za-z0-9_-]{1,64}$",
        description = "The account's name.", example = "main",
    )),
    responses(
        (status = 200, description = "What the account has.", body = AccountNumbers),
        Always, Missing, Conflict,
    ),
)]
pub(super) async fn of_account(
    State(app): State<App>,
    caller: Allowed<EditNumbers>,
    Name(name): Name,
) -> Result<Json<AccountNumbers>, Problem> {
    // load
    let tenant = caller.tenant.id();
    let asked = own_account(&app, &caller.tenant, &name).await?;

    // ask
    let _permit = permit(&app, tenant)?;
    let found = asked.client.account_numbers().await;
    let found = found.map_err(|error| unread(asked.carrier, &error))?;

    // answer
    let named: Vec<_> = found.iter().flat_map(|one| ids(tenant, one)).map(|id| id.0).collect();
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let senders = senders::by_ids(&mut tx, tenant, &named).await?;
    let senders: BTreeSet<SenderId> = senders.iter().map(|sender| sender.id).collect();
    let view = |one: AccountNumber| AccountNumberView {
        sender: ids(tenant, &one).into_iter().find(|id| senders.contains(id)),
        carrier_id: one.id,
        number: one.number,
        name: one.name,
        status: one.status,
        quality: one.quality,
        messaging_limit: one.messaging_limit,
        throughput: one.throughput,
    };
    Ok(Json(AccountNumbers { data: found.into_iter().map(view).collect() }))
}

/// What a number may be as a sender: one is named by the carrier's id of it, or by itself.
fn ids(tenant: &TenantId, of: &AccountNumber) -> Vec<SenderId> {
    let names = std::iter::once(&of.id).chain(&of.number);
    names.map(|name| SenderId::of(tenant, name)).collect()
}
