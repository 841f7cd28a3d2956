//! `/v1/messages`: one message in, one message shown.

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use domain::ids::MessageId;
use serde::Serialize;
use store::messages::{
    conflicts,
    read::{self, MessageDetail},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    patience::Patience,
    view::{MessageView, view},
};
use crate::{
    app::App,
    auth::{Allowed, Caller, Needs, Read, SendMessages},
    document::{
        answers::{Always, Missing, OfBody},
        examples,
    },
    http::{
        Id, Kind, Problem, Trace,
        body::{JSON_LIMIT, decode_by, expect_json},
        creation::{IdempotencyKey, RequestKey},
        read_body,
    },
    submit::{
        message::{NewMessage, Submission},
        one,
    },
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(submit)).routes(routes!(show))
}

/// A message that is on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedMessage)]
struct Accepted {
    /// The message; the same key always gives the same id.
    id: MessageId,
    status: Taken,
}

/// Where a message stands that was taken just now.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedMessageStatus)]
#[serde(rename_all = "snake_case")]
enum Taken {
    /// The broker has it on disk.
    Accepted,
}

/// `POST /v1/messages`, for every role but viewer: takes one message. Answers 202 with its id once
/// the broker has it on disk; 429 over the tenant's quota; 503 with the key to repeat it under
/// where the broker may have it.
#[utoipa::path(
    post, path = "/v1/messages", tag = "messages", operation_id = "send_message",
    security(("bearer" = [SendMessages::NAME])),
    params(IdempotencyKey),
    request_body(content = NewMessage, example = json!({
        "to": examples::PHONE, "class": "transactional",
        "body": "Your order 1042 has left our house.",
        "validity_seconds": 86400, "metadata": { "order": "1042" },
    })),
    responses(
        (status = 202, description = "The broker has the message on disk.", body = Accepted,
            headers(
                ("RateLimit-Limit" = u32, description = "Messages that may come at once."),
                ("RateLimit-Remaining" = u32, description = "How many of these are left."),
                ("RateLimit-Reset" = u64, description = "Seconds until all of them are there."),
            )),
        Always, OfBody,
    ),
)]
async fn submit(
    State(app): State<App>,
    caller: Allowed<SendMessages>,
    trace: Trace,
    request: Request,
) -> Result<Response, Problem> {
    // parse
    let (parts, body) = request.into_parts();
    expect_json(&parts.headers)?;
    let key = RequestKey::of(&parts.headers)?;
    let body = read_body(&app, &caller, body, JSON_LIMIT).await?;

    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let left = match app.quotas.take(&caller.tenant, 1) {
        Ok(left) => left,
        Err((problem, left)) => return Ok(left.with(problem)),
    };
    let submission = Submission {
        tenant: &tenant,
        now: app.now(),
        trace: &trace,
        key: &key,
        is_batch: false,
        batch: None,
    };
    let message = decode_by(&body, NewMessage::probe)?;
    let message = one::accept(&app, &caller.tenant, &submission, message).await?;

    // publish
    let queue = (caller.tenant.id(), message.lane);
    let stored = app.singles.publish(queue, message.outgoing, message.keyed).await;
    stored.map_err(|why| why.into_problem(&key.text))?;

    // answer
    let accepted = Json(Accepted { id: message.id, status: Taken::Accepted });
    Ok(left.with((StatusCode::ACCEPTED, accepted)))
}

/// `GET /v1/messages/{id}`, for every role: the message with its passport and a sentence on what
/// has become of it, or 404. One that may have been accepted just now is waited for, while anything
/// that was accepted before waits to be stored.
#[utoipa::path(
    get, path = "/v1/messages/{id}", tag = "messages", operation_id = "get_message",
    security(("bearer" = [Read::NAME])),
    params(("id" = Uuid, Path, description = "The message.", example = json!(examples::MESSAGE))),
    responses((status = 200, description = "The message.", body = MessageView), Always, Missing),
)]
async fn show(
    State(app): State<App>,
    caller: Allowed<Read>,
    Id(id): Id,
) -> Result<Json<MessageView>, Problem> {
    let id = MessageId(id);
    let mut patience = Patience::with(id);

    loop {
        if let Some(message) = find(&app, &caller, id).await? {
            let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
            return Ok(Json(view(message, &tenant.currency)));
        }
        if !patience.next_look(&app).await {
            return Err(not_there(&app, &caller, id).await?);
        }
    }
}

/// Says that there is no such message, and of one that was accepted and refused afterwards why.
async fn not_there(app: &App, caller: &Caller, id: MessageId) -> Result<Problem, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let refused = conflicts::first(&mut tx, &caller.tenant, id).await?;

    let Some(at) = refused else { return Ok(Problem::not_found("message")) };
    let detail = format!(
        "no message with this id: it came in a batch whose Idempotency-Key another batch has, so \
         that all of its batch was refused at {at} and nothing of it is sent; send it under a new \
         key (GET /v1/messages/conflicts lists all of them)"
    );
    Ok(Problem::new(Kind::NotFound, detail))
}

async fn find(app: &App, caller: &Caller, id: MessageId) -> Result<Option<MessageDetail>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    Ok(read::get(&mut tx, &caller.tenant, id).await?)
}
