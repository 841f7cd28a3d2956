//! `/v1/quarantined-texts`: texts to numbers of the company's accounts that are none of its
//! senders.

use axum::{Json, extract::State};
use domain::ids::ContactId;
use jiff::Timestamp;
use serde::Serialize;
use store::conversations::unknown::{self, TextToUnknown};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::answers::Always,
    http::{Page, Paging, Problem, Query, time_and_id},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A text to a number that is none of the company's senders.
#[derive(Serialize, ToSchema)]
#[schema(as = QuarantinedText)]
struct QuarantinedTextView {
    /// The id of the text.
    id: Uuid,
    /// The contact who wrote it.
    contact_id: ContactId,
    /// The number that was texted, as the carrier writes it.
    #[schema(max_length = 200)]
    to: String,
    /// What they wrote; null once it is no longer kept.
    #[schema(required)]
    body: Option<String>,
    /// What it was taken for, such as `text`. An `opt_out` holds, as everywhere.
    #[schema(max_length = 64)]
    meaning: String,
    /// When it came.
    received_at: Timestamp,
}

/// `GET /v1/quarantined-texts`, for every role: texts to numbers of the company's accounts that are
/// none of its senders, in pages, the newest first. Nobody answers them, and they are in no
/// conversation; what says stop holds all the same. Make the number a sender, and what comes from
/// then on opens conversations. Who is limited to brands sees none of them.
#[utoipa::path(
    get, path = "/v1/quarantined-texts", tag = "conversations",
    operation_id = "list_quarantined_texts", security(("bearer" = [Read::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of texts.", body = Page<QuarantinedTextView>), Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<QuarantinedTextView>>, Problem> {
    let limit = paging.limit()?;
    let before = paging.after_time_and_id()?.unwrap_or((Timestamp::MAX, Uuid::max()));

    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = unknown::list(&mut tx, &caller.tenant, before, limit).await?;
    let found = found.into_iter().map(view).collect();
    let key = |one: &QuarantinedTextView| time_and_id(one.received_at, one.id);
    Ok(Json(Page::new(found, limit, key)))
}

fn view(text: TextToUnknown) -> QuarantinedTextView {
    let TextToUnknown { id, contact, to, body, meaning, received_at } = text;
    let body = Some(body).filter(|body| !body.is_empty());
    QuarantinedTextView { id, contact_id: contact, to, body, meaning, received_at }
}
