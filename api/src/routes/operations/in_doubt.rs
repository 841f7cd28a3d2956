//! `/v1/in-doubt`: messages whose carrier call has no known result, until the sweep has cleared it
//! up.

use axum::{Json, Router, extract::State, routing::get};
use domain::ids::MessageId;
use jiff::Timestamp;
use serde::Serialize;
use store::messages::in_doubt::{self, Listed};

use crate::{
    app::App,
    auth::Caller,
    http::{Page, Paging, Problem, Query},
};

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/in-doubt", get(list))
}

#[derive(Serialize)]
struct DoubtView {
    message_id: MessageId,
    since: Timestamp,
    account: String,
    attempt: i16,
    code: Option<String>,
    /// Machine time, as all of the sweep's.
    next_look: Timestamp,
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

/// `GET /v1/in-doubt`, for every role: the messages in doubt, in pages.
async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<DoubtView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = in_doubt::list(&mut tx, &caller.tenant, after, limit).await?;

    let found = found.into_iter().map(view).collect();
    Ok(Json(Page::new(found, limit, |doubt: &DoubtView| doubt.message_id)))
}
