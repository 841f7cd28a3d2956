//! `/v1/messages/batch`: up to 1,000 messages at once, as one JSON object or as NDJSON. Each item
//! stands alone: one that is wrong is told by its index and keeps no other back.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use domain::ids::MessageId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    app::{App, PUBLISH_BUDGET},
    auth::Caller,
    http::{
        FieldError, Kind, Problem, Trace,
        body::{decode, is_type, locate},
        creation::key_of,
        read_body,
    },
    submit::message::{NewMessage, Submission},
};

/// How many messages a batch may hold.
const MOST: usize = 1_000;

/// How long its body may be.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

pub(super) fn router() -> Router<App> {
    Router::new().route("/v1/messages/batch", post(submit))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

#[derive(Serialize)]
struct Answer {
    /// How many.
    accepted: usize,
    /// Which not, and why.
    rejected: Vec<Rejected>,
    /// Of those that were accepted, in the order of the batch.
    ids: Vec<MessageId>,
}

#[derive(Serialize)]
struct Rejected {
    index: usize,
    errors: Vec<FieldError>,
}

async fn submit(
    State(app): State<App>,
    caller: Caller,
    trace: Trace,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let lines = is_type(&parts.headers, &["application/x-ndjson", "application/ndjson"]);
    if !lines && !is_type(&parts.headers, &["application/json"]) {
        let detail = "send Content-Type: application/json or application/x-ndjson";
        return Err(Problem::new(Kind::UnsupportedMedia, detail));
    }
    let key = key_of(&parts.headers)?;
    let busy = |_| Problem::unavailable("too many batches at once", 1);
    let _permit = app.batches.try_acquire().map_err(busy)?;
    let body = read_body(body, BODY_LIMIT).await?;
    let items = items(&body, lines)?;
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let left = match app.quotas.take(&caller.tenant, items.len() as u32) {
        Ok(left) => left,
        Err((problem, left)) => {
            let mut response = problem.into_response();
            left.write(response.headers_mut());
            return Ok(response);
        }
    };
    let submission = Submission {
        tenant: &tenant,
        now: app.now(),
        trace: &trace,
        key: key.as_deref(),
        is_batch: true,
    };
    let mut answer = Answer { accepted: 0, rejected: Vec::new(), ids: Vec::new() };
    let mut say = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let accepted = read(item).and_then(|new| submission.accept(index as u32, new));
        match accepted {
            Ok((id, outgoing)) => {
                answer.ids.push(id);
                say.push(outgoing);
            }
            Err(errors) => answer.rejected.push(Rejected { index, errors }),
        }
    }
    answer.accepted = say.len();
    // All or a 503: what a repeat finds stored already has the same ids, if there were keys.
    app.publisher.offer(say, PUBLISH_BUDGET).await?;
    let mut response = (StatusCode::ACCEPTED, Json(answer)).into_response();
    left.write(response.headers_mut());
    Ok(response)
}

/// The items, not decoded yet.
fn items(body: &Bytes, lines: bool) -> Result<Vec<&[u8]>, Problem> {
    let items: Vec<&[u8]> = if lines {
        let lines = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
        lines.filter(|line| !line.is_empty()).collect()
    } else {
        let batch: Batch<'_> = decode(body)?;
        batch.messages.into_iter().map(|item| item.get().as_bytes()).collect()
    };
    match items.len() {
        1..=MOST => Ok(items),
        _ => Err(Problem::field("messages", "out_of_range", "1 to 1000 messages")),
    }
}

fn read(item: &[u8]) -> Result<NewMessage<'_>, Vec<FieldError>> {
    serde_json::from_slice(item).map_err(|_| vec![locate::<NewMessage<'_>>(item)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_an_array_are_the_same_items() {
        let array = Bytes::from_static(b"{\"messages\": [{\"to\":\"1\"}, {}]}");
        let lines = Bytes::from_static(b"{\"to\":\"1\"}\r\n\n{}\n");
        assert_eq!(items(&array, false).expect("items"), items(&lines, true).expect("items"));
        for bad in
            ["{\"messages\": []}", "{}", "{\"messages\": 1}", "[", "{\"messages\":[1],\"x\":1}"]
        {
            assert!(items(&Bytes::from(bad), false).is_err(), "{bad}");
        }
    }
}
