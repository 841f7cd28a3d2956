//! `/v1/in-doubt`: messages whose carrier call has no known result, until the sweep has cleared it
//! up.

use axum::{Json, extract::State};
use domain::ids::MessageId;
use jiff::Timestamp;
use serde::Serialize;
use store::messages::in_doubt::{self, Listed};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::Always,
    http::{Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A message whose carrier call has no known result.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageInDoubt)]
struct DoubtView {
    message_id: MessageId,
    /// Since when it is in doubt.
    since: Timestamp,
    /// The account that was called, by the tenant's name of it.
    account: String,
    /// Carrier calls that were begun.
    attempt: i16,
    /// What was seen of the last call.
    #[schema(required)]
    code: Option<String>,
    /// When the carrier's list is asked next.
    next_look: Timestamp,
    /// How often the list was asked and settled nothing.
    looks: i32,
}

fn view(doubt: Listed) -> DoubtView {
    DoubtView {
        message_id: doubt.message,
        since: doubt.since,
        account: doubt.account,
        attempt: doubt.attempt,
        code: doubt.code,
        next_look: doubt.next_look,
        looks: doubt.looks,
    }
}

/// `GET /v1/in-doubt`, for every role: the messages whose carrier call has no known result, in
/// pages. One leaves the list when a receipt or the carrier's own list has cleared it up.
#[utoipa::path(
    get, path = "/v1/in-doubt", tag = "operations", operation_id = "list_in_doubt",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses((status = 200, description = "A page of messages.", body = Page<DoubtView>), Always),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<DoubtView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = in_doubt::list(&mut tx, &caller.tenant, after, limit).await?;

    let found = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |doubt: &DoubtView| doubt.message_id)))
}
