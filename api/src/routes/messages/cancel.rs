//! `/v1/messages/{id}/cancel`: withdraws a message that no carrier may have yet, or says why it is
//! too late. Asked again, it says the same.

use axum::{Json, extract::State};
use domain::{
    ids::MessageId,
    message::{passport::Stamp, state::MessageState},
};
use serde::Serialize;
use store::messages::{
    cancel::{self, CancelOutcome, Marked},
    read,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::patience::Patience;
use crate::{
    app::App,
    auth::{Allowed, Caller, CancelMessages, Needs},
    document::{
        answers::{Always, Missing},
        examples,
    },
    http::{Id, Kind, Problem},
    outbox,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(withdraw))
}

/// What has become of a message that was to be withdrawn.
#[derive(Serialize, ToSchema)]
#[schema(as = Cancellation)]
struct Answer {
    id: MessageId,
    /// Where the message stands now.
    #[schema(value_type = MessageState)]
    status: &'static str,
    /// True where it is too late; left out where the message is cancelled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    too_late: bool,
    /// Why it is too late, in English; left out where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
}

/// `POST /v1/messages/{id}/cancel`, for operators, admins and owners: withdraws a message. Answers
/// 200 with its status, and with why it is too late where it is; 404 where there is none, which
/// leaves a mark that cancels it should it come, unless the caller is limited to brands; 429 where
/// there are too many such marks.
#[utoipa::path(
    post, path = "/v1/messages/{id}/cancel", tag = "messages", operation_id = "cancel_message",
    security(("bearer" = [CancelMessages::NAME])),
    params(("id" = Uuid, Path, description = "The message.", example = json!(examples::WAITING))),
    responses(
        (status = 200, description = "It is cancelled, or why it is too late.", body = Answer),
        Always, Missing,
    ),
)]
async fn withdraw(
    State(app): State<App>,
    caller: Allowed<CancelMessages>,
    Id(id): Id,
) -> Result<Json<Answer>, Problem> {
    let id = MessageId(id);
    let mut patience = Patience::with(id);
    if caller.tenant.is_limited() && !is_seen(&app, &caller, id).await? {
        return Err(Problem::not_found("message"));
    }

    loop {
        if let Some(answer) = attempt(&app, &caller, id).await? {
            return Ok(Json(answer));
        }
        if !patience.next_look(&app).await {
            return without_a_row(&app, &caller, id).await;
        }
    }
}

/// Whether the caller sees the message.
async fn is_seen(app: &App, caller: &Caller, id: MessageId) -> Result<bool, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    Ok(read::get(&mut tx, &caller.tenant, id).await?.is_some())
}

/// Leaves a mark for a message that has no row, which enrich obeys when it stores the message.
async fn without_a_row(app: &App, caller: &Caller, id: MessageId) -> Result<Json<Answer>, Problem> {
    match cancel::mark(&app.store, &caller.tenant, id, stage::machine::now()).await? {
        Marked::Left => Err(Problem::new(
            Kind::NotFound,
            "no message with this id; if it was just accepted, it is cancelled when it is stored",
        )),
        Marked::RowIsThere => {
            let answer = attempt(app, caller, id).await?;
            answer.map(Json).ok_or_else(|| Problem::not_found("message"))
        }
        Marked::TooMany => {
            let detail = "too many cancels of messages that are not there";
            Err(Problem::too_many(detail, 60))
        }
    }
}

/// Cancels the message and says what has become of it; none where it has no row.
async fn attempt(app: &App, caller: &Caller, id: MessageId) -> Result<Option<Answer>, Problem> {
    // record
    let now = app.now();
    let stamp = Stamp {
        reason: Some("the tenant withdrew it".into()),
        ..Stamp::plain("api", now, "cancel")
    };
    let outcome = cancel::cancel(&app.store, &caller.tenant, id, now, &stamp).await?;

    // publish and answer
    let cancelled =
        Answer { id, status: MessageState::Cancelled.as_str(), too_late: false, reason: None };
    Ok(outcome.map(|outcome| match outcome {
        CancelOutcome::Cancelled(event) => {
            outbox::publish_soon(app, *event);
            cancelled
        }
        CancelOutcome::Before => cancelled,
        CancelOutcome::TooLate { state, claimed } => {
            let reason = Some(reason(state, claimed));
            Answer { id, status: state.as_str(), too_late: true, reason }
        }
    }))
}

/// Why it is too late, in English.
fn reason(state: MessageState, claimed: bool) -> &'static str {
    match state {
        MessageState::Queued if claimed => "the carrier is being called with it",
        MessageState::InDoubt => {
            "the carrier was called and its answer was lost; it may have the message"
        }
        MessageState::Sent | MessageState::Delivered | MessageState::Read => {
            "the carrier has the message"
        }
        MessageState::Failed => "it was tried and failed",
        MessageState::Unknown => "the carrier was called; whether it has the message is not known",
        MessageState::Blocked => "it was blocked, and will not be sent",
        MessageState::Expired => "its validity has ended, and it will not be sent",
        MessageState::Accepted
        | MessageState::Deferred
        | MessageState::Held
        | MessageState::Queued
        | MessageState::Cancelled => "it moved on while it was being cancelled",
    }
}
