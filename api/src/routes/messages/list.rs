//! `GET /v1/messages`: the messages in pages, the newest first, or all of them as NDJSON or CSV. A
//! page looks at 10,000 messages at most: where a filter lets few of them through, it may hold less
//! than was asked for, or nothing, and `next_cursor` says where it stopped.

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use store::{campaigns, messages::read::MessageDetail};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    export,
    filter::{Wanted, filter},
    pages::{ListPosition, load},
    view::{MessageView, view},
};
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::{Always, Missing},
    http::{Page, Paging, Problem, Query, accept::Format},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// `GET /v1/messages?to=&campaign=&since=&until=&status=&class=&sender=&carrier=&code=`, for every
/// role: the messages in pages, the newest first; those of a campaign, without `to`, in the order
/// of its audience. A page looks at 10,000 messages at most: where a filter lets few of them
/// through, it may hold less than was asked for, or nothing, and a `next_cursor`, behind which it
/// goes on. Where the caller accepts NDJSON or CSV, all messages from `cursor` on are answered: a
/// line of JSON for each, or its main fields as columns under a header, in which a text that a
/// spreadsheet would take for a formula begins with `'`; the answer is cut off where something
/// fails. 404 where there is no such campaign, unless `to` is there.
#[utoipa::path(
    get, path = "/v1/messages", tag = "messages", operation_id = "list_messages",
    security(("bearer" = [Read::NAME])),
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of messages, or all of them.", content(
            (Page<MessageView> = "application/json"),
            (MessageView = "application/x-ndjson", example = json!(export::line())),
            (String = "text/csv", example = json!(export::table())),
        )),
        Always, Missing,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // check
    let limit = usize::try_from(paging.limit()?).unwrap_or_default();
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let filter = filter(wanted, tenant.country.parse().ok())?;
    let from = ListPosition::of(&paging, &filter)?;
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if let ListPosition::Audience(campaign, _) = from {
        let known = campaigns::get(&mut tx, &caller.tenant, campaign, false).await?;
        known.ok_or_else(|| Problem::not_found("campaign"))?;
    }

    // answer
    if let Some(format) = Format::accepted(&headers) {
        drop(tx);
        let currency = tenant.currency.clone();
        return Ok(export::answer(app, caller, (filter, from), currency, format));
    }
    let (found, next) = load(&mut tx, &caller.tenant, &filter, from, limit).await?;
    let view = |message: MessageDetail| view(message, &tenant.currency);
    let next = next.map(|position| position.to_string());
    Ok(Json(Page::until(found.into_iter().map(view).collect(), next)).into_response())
}
