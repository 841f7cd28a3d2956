//! `/v1/unmatched-receipts`: what carriers reported about messages that are not here. One that
//! comes to be here gets its receipts, and they leave the list.

use axum::{Json, Router, extract::State, routing::get};
use domain::ids::MessageId;
use jiff::Timestamp;
use serde::Serialize;
use store::messages::receipt::unmatched::{self, Unmatched};
use uuid::Uuid;

use crate::{
    app::App,
    auth::Caller,
    http::{Page, Paging, Problem, Query},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/unmatched-receipts", get(list))
}

#[derive(Serialize)]
struct ReceiptView {
    id: Uuid,
    /// The reference that it brought.
    message_id: MessageId,
    account: String,
    carrier_id: String,
    status: &'static str,
    code: Option<u32>,
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

/// `GET /v1/unmatched-receipts`, for every role: the receipts without a message, in pages.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ReceiptView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = unmatched::list(&mut tx, &caller.tenant, after, limit).await?;

    let found = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |receipt: &ReceiptView| receipt.id)))
}
