//! `/v1/messages`: one message in, one message shown.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use domain::ids::MessageId;
use serde::Serialize;
use store::messages::read::{self, MessageDetail};
use tokio::time::Instant;

use super::view::{MessageView, view};
use crate::{
    app::App,
    auth::Caller,
    http::{
        Id, Problem, Trace,
        body::{JSON_LIMIT, decode, expect_json},
        creation::RequestKey,
        read_body,
    },
    submit::message::Submission,
};

/// How long a message that is not there is waited for: it may have been accepted just now.
const WAIT: Duration = Duration::from_secs(2);

/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A message accepted longer ago has been stored, or will not be seen within [`WAIT`] either.
const JUST_NOW: Duration = Duration::from_secs(60);

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/messages", post(submit)).route("/v1/messages/{id}", get(show))
}

#[derive(Serialize)]
struct Accepted {
    id: MessageId,
    status: &'static str,
}

/// `POST /v1/messages`, for every role but viewer: takes one message. Answers 202 with its id once
/// the broker has it on disk; 429 over the tenant's quota; 503 with the key to repeat it under
/// where the broker may have it.
async fn submit(
    State(app): State<App>,
    caller: Caller,
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
    let submission =
        Submission { tenant: &tenant, now: app.now(), trace: &trace, key: &key, is_batch: false };
    let message = submission.accept(0, decode(&body)?).map_err(Problem::invalid)?;

    // publish
    let queue = (&caller.tenant, message.lane);
    let stored = app.singles.publish(queue, message.outgoing, message.keyed).await;
    stored.map_err(|why| why.into_problem(&key.text))?;

    // answer
    let accepted = Json(Accepted { id: message.id, status: "accepted" });
    Ok(left.with((StatusCode::ACCEPTED, accepted)))
}

/// `GET /v1/messages/{id}`, for every role: the message with its passport and a sentence on what
/// has become of it, or 404. One that may have been accepted just now is waited for.
async fn show(
    State(app): State<App>,
    caller: Caller,
    Id(id): Id,
) -> Result<Json<MessageView>, Problem> {
    let id = MessageId(id);
    let patience = Patience::with(id);

    loop {
        if let Some(message) = find(&app, &caller, id).await? {
            let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
            return Ok(Json(view(message, &tenant.currency)));
        }
        if !patience.next_look().await {
            return Err(Problem::not_found("message"));
        }
    }
}

/// How long a message's row is waited for.
pub(super) struct Patience(Instant);

impl Patience {
    /// With a message that may have been accepted just now, as far as its id tells.
    pub(super) fn with(id: MessageId) -> Self {
        Self(Instant::now() + if is_old(id) { Duration::ZERO } else { WAIT })
    }

    /// Returns when another look is worth it, or says that none is. The connection goes back to the
    /// pool meanwhile.
    pub(super) async fn next_look(&self) -> bool {
        let is_worth_it = Instant::now() < self.0;
        if is_worth_it {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        is_worth_it
    }
}

async fn find(app: &App, caller: &Caller, id: MessageId) -> Result<Option<MessageDetail>, Problem> {
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    Ok(read::get(&mut tx, &caller.tenant, id).await?)
}

/// Whether the id itself says that the message was accepted some time ago. Ids made from a
/// caller's keys say nothing; those of a generated key say when the first request with it came.
fn is_old(id: MessageId) -> bool {
    let Some(made) = id.0.get_timestamp().filter(|_| id.0.get_version_num() == 7) else {
        return false;
    };
    let (made, now) = (made.to_unix().0, stage::machine::now().as_second());
    u64::try_from(now).is_ok_and(|now| now > made + JUST_NOW.as_secs())
}
