//! `/v1/unmatched-receipts`: what carriers reported about messages that are not here. One that
//! comes to be here gets its receipts, and they leave the list.

use axum::{Json, extract::State};
use domain::{ids::MessageId, message::state::MessageState};
use jiff::Timestamp;
use serde::Serialize;
use store::messages::receipt::unmatched::{self, Unmatched};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::Always,
    http::{Page, Paging, Problem, Query},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A carrier's receipt about a message that is not here.
#[derive(Serialize, ToSchema)]
#[schema(as = UnmatchedReceipt)]
struct ReceiptView {
    /// The receipt's id.
    id: Uuid,
    /// The message that it names.
    message_id: MessageId,
    /// The account that sent the text, by the tenant's name of it.
    account: String,
    /// The carrier's own id of the text.
    carrier_id: String,
    /// What it says of the text.
    #[schema(value_type = MessageState)]
    status: &'static str,
    /// The carrier's error code.
    #[schema(required)]
    code: Option<u32>,
    /// When the carrier's call came.
    received_at: Timestamp,
}

fn view(receipt: Unmatched) -> ReceiptView {
    ReceiptView {
        id: receipt.id,
        message_id: receipt.message,
        account: receipt.account,
        carrier_id: receipt.sid,
        status: receipt.state.as_str(),
        code: receipt.code,
        received_at: receipt.at,
    }
}

/// `GET /v1/unmatched-receipts`, for every role: what carriers reported about messages that are not
/// here, in pages. The newest 1,000 are kept, for 30 days.
#[utoipa::path(
    get, path = "/v1/unmatched-receipts", tag = "operations",
    operation_id = "list_unmatched_receipts",
    security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of receipts.", body = Page<ReceiptView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ReceiptView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = unmatched::list(&mut tx, &caller.tenant, after, limit).await?;

    let found = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |receipt: &ReceiptView| receipt.id)))
}
