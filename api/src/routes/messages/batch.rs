//! `/v1/messages/batch`: up to 1,000 messages at once, as one JSON object or as NDJSON. Each item
//! stands alone: one that is wrong is told by its index and keeps no other back. The header's key
//! names the whole batch: where it is another batch's, none of it is taken.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use domain::{
    ids::{MessageId, TenantId, batch_id},
    message::class::Lane,
};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, Value};
use sha2::{Digest, Sha256};
use store::messages::read::{KeyOf, Keyed};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::{frame::Outgoing, message::BatchKey};

use crate::{
    app::App,
    auth::{Allowed, Caller, Needs, SendMessages},
    document::{
        answers::{Always, OfBody},
        examples,
        words::MessageLines,
    },
    http::{
        FieldError, Kind, Problem, Trace,
        accept::NDJSON,
        body::{decode_item_by, decode_list, is_type},
        creation::{IdempotencyKey, RequestKey},
        read_body,
        wrong_fields::probe,
    },
    limits::PUBLISH_BUDGET,
    submit::{
        keys::{UsedKeys, reused},
        message::{Accepted, NewMessage, Submission},
        seen,
        turns::{Late, Turns, in_a_turn},
    },
};

/// How many messages a batch may hold.
const MOST: usize = 1_000;

/// How many errors are told of a batch of which nothing is right.
const MOST_ERRORS: usize = 1_000;

/// What a caller is told whose batch found no turn in time.
const BUSY: &str = "messages are coming in faster than they are taken on";

/// How long the body of a batch may be, in bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(submit))
}

/// Messages that come together.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageBatch, bound = "")]
#[serde(deny_unknown_fields)]
struct Batch<M> {
    /// Each stands alone: one that is wrong keeps no other back.
    #[schema(value_type = Vec<NewMessage>, min_items = 1, max_items = 1000)]
    messages: Vec<M>,
}

/// A batch whose items may be anything.
type AnyBatch = Batch<Value>;

/// What became of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageBatchResult)]
struct Answer {
    /// How many messages were accepted.
    #[schema(value_type = u32, maximum = 1000)]
    accepted: usize,
    /// Those that were not, and why.
    rejected: Vec<Rejected>,
    /// The ids of those that were accepted, in the order of the batch.
    ids: Vec<MessageId>,
    /// The same with the index of each.
    items: Vec<AcceptedItem>,
}

/// A message of a batch that was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedBatchItem)]
struct AcceptedItem {
    /// The item's place in the batch, from 0.
    #[schema(value_type = u32, maximum = 999)]
    index: usize,
    /// The message; the same keys always give the same id.
    id: MessageId,
}

/// A message of a batch that was not accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedBatchItem)]
struct Rejected {
    /// The item's place in the batch, from 0.
    #[schema(value_type = u32, maximum = 999)]
    index: usize,
    /// What is wrong with the item.
    errors: Vec<FieldError>,
}

/// `POST /v1/messages/batch`, for every role but viewer: takes up to 1,000 messages. Answers 202
/// with the ids of those that are right, once the broker has them on disk, and with what is wrong
/// with the others; 422 where none is right, 429 over the tenant's quota; 503 with the key to
/// repeat it under where the broker may have some of it.
#[utoipa::path(
    post, path = "/v1/messages/batch", tag = "messages", operation_id = "send_messages",
    security(("bearer" = [SendMessages::NAME])),
    params(IdempotencyKey),
    request_body(
        description = "One object with all messages, or a message in each line; at most 4 MiB.",
        content(
            (AnyBatch = "application/json", example = json!({ "messages": [
                {
                    "to": examples::PHONE, "class": "transactional",
                    "body": "Your order 1042 has left our house.",
                    "idempotency_key": "order-1042-left",
                },
                {
                    "to": examples::PHONE, "class": "promo",
                    "template": { "id": examples::TEMPLATE, "variables": { "first_name": "Ana" } },
                },
            ] })),
            (inline(MessageLines) = "application/x-ndjson", example =
                "{\"to\":\"+12125550123\",\"class\":\"transactional\",\"body\":\"It left.\"}\n\
                 {\"to\":\"+12125550124\",\"class\":\"transactional\",\"body\":\"It left.\"}\n"),
        ),
    ),
    responses(
        (status = 202, description = "The broker has on disk what is right.", body = Answer,
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
    let begun = Instant::now();

    // parse
    let (parts, body) = request.into_parts();
    let form = Form::of(&parts.headers)?;
    let key = RequestKey::of(&parts.headers)?;
    let body = read_body(&app, &caller, body, BODY_LIMIT).await?;
    let _permits = permits(&app, &caller)?;
    let items = items(&body, form)?;

    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let left = match app.quotas.take(&caller.tenant, items.len() as u32) {
        Ok(left) => left,
        Err((problem, left)) => return Ok(left.with(problem)),
    };
    let mut written: Vec<Written<'_>> = Vec::with_capacity(items.len());
    for item in &items {
        written.push(decode_item_by(item, NewMessage::probe));
    }
    let batch = key.is_given.then(|| key_of(&tenant.id, &key.text, &items, &written));
    let submission = Submission {
        tenant: &tenant,
        now: app.now(),
        trace: &trace,
        key: &key,
        is_batch: true,
        batch: batch.clone(),
    };
    let mut rejected = Vec::new();
    let right = read_all(&submission, written, &mut rejected);
    let right = seen_by(&app, &caller, right, &mut rejected).await?;
    let right = well_named(&app, &tenant.id, right, &mut rejected).await;
    let right =
        untaken(&app.keys, right, batch.map(|batch| keyed(&tenant.id, &batch)), &mut rejected);
    let right = right.await?;
    rejected.sort_by_key(|one| one.index);

    if right.is_empty() {
        return Ok(left.with(none_is_right(rejected)));
    }

    // publish: all or a 503; what a repeat finds stored already has the same ids
    let items = right.iter().map(|item| AcceptedItem { index: item.index, id: item.message.id });
    let items: Vec<AcceptedItem> = items.collect();
    let right = right.into_iter().map(|item| item.message).collect();
    let published = publish(&app, &caller.tenant, right, Turns::deadline(begun)).await;
    published.map_err(|problem| problem.repeat_under(&key.text))?;

    // answer
    let ids = items.iter().map(|item| item.id).collect();
    let answer = Answer { accepted: items.len(), rejected, ids, items };
    Ok(left.with((StatusCode::ACCEPTED, Json(answer))))
}

/// The answer to a batch of which nothing was accepted: what is wrong with its items, by field.
fn none_is_right(rejected: Vec<Rejected>) -> Problem {
    let errors = rejected.into_iter().flat_map(|Rejected { index, errors }| {
        errors.into_iter().map(move |error| {
            let dot = if error.field.is_empty() { "" } else { "." };
            FieldError { field: format!("messages[{index}]{dot}{}", error.field), ..error }
        })
    });
    Problem::invalid(errors.take(MOST_ERRORS).collect())
}

/// Publishes what is right, part by part, as its tenant's turns come until the deadline. Items that
/// repeat each other are one message.
async fn publish(
    app: &App,
    tenant: &TenantId,
    right: Vec<Accepted>,
    deadline: Instant,
) -> Result<(), Problem> {
    let mut seen = HashSet::with_capacity(right.len());
    let mut lanes: BTreeMap<Lane, Vec<Outgoing>> = BTreeMap::new();
    for message in right.into_iter().filter(|message| seen.insert(message.id)) {
        lanes.entry(message.lane).or_default().push(message.outgoing);
    }

    for (lane, mut left) in lanes {
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(in_a_turn(lane)));
            let turn = app.turns.next(tenant, lane, deadline).await;
            let _turn = turn.map_err(|Late| Problem::unavailable(BUSY, 5))?;
            app.publisher.offer(left, PUBLISH_BUDGET).await?;
            left = rest;
        }
    }
    Ok(())
}

/// The permits of one batch that has arrived: of its key, and of its tenant.
fn permits(app: &App, caller: &Caller) -> Result<[OwnedSemaphorePermit; 2], Problem> {
    let busy = |_| Problem::too_many("too many batches of yours at once", 1);
    let key = app.batches_of_key.of(&caller.key()).try_acquire_owned().map_err(busy)?;
    let tenant = app.batches_of_tenant.of(caller.tenant.as_str()).try_acquire_owned();
    Ok([key, tenant.map_err(busy)?])
}

/// How a batch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One JSON object with an array.
    Array,
    /// A JSON object in each line.
    Lines,
}

impl Form {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        if is_type(headers, &NDJSON) {
            return Ok(Self::Lines);
        }
        if is_type(headers, &["application/json"]) {
            return Ok(Self::Array);
        }
        let detail = "send Content-Type: application/json or application/x-ndjson";
        Err(Problem::new(Kind::UnsupportedMedia, detail))
    }
}

/// An item that is right.
struct Item {
    index: usize,
    /// Whether it has a key of its own.
    has_own_key: bool,
    message: Accepted,
}

/// An item as it is written, or why it cannot be read.
type Written<'a> = Result<NewMessage<'a>, Vec<FieldError>>;

/// What the batch is known by: its key, and all that its items say, in their order. It is the same
/// batch in other white space, and whatever becomes of its items.
fn key_of(tenant: &TenantId, key: &str, items: &[&[u8]], written: &[Written<'_>]) -> BatchKey {
    let mut hash = Sha256::new();
    for (item, written) in items.iter().zip(written) {
        let said: Cow<'_, [u8]> = match written {
            Ok(message) => wire::json::to_vec(message).into(),
            Err(_) => Cow::Borrowed(item),
        };
        hash.update((said.len() as u64).to_be_bytes());
        hash.update(&said);
    }
    BatchKey { id: batch_id(tenant, key), body_hash: wire::hex(&hash.finalize()) }
}

/// What is asked about the batch's key.
fn keyed(tenant: &TenantId, batch: &BatchKey) -> Keyed {
    let body_hash = wire::unhex(&batch.body_hash).and_then(|bytes| bytes.try_into().ok());
    let (tenant, of) = (tenant.clone(), KeyOf::Batch(batch.id));
    Keyed { tenant, of, body_hash: body_hash.unwrap_or_default() }
}

/// The items that are right, in their order; the others are rejected.
fn read_all(
    submission: &Submission<'_>,
    items: Vec<Written<'_>>,
    rejected: &mut Vec<Rejected>,
) -> Vec<Item> {
    let mut right = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        let accepted = item.and_then(|new| {
            let has_own_key = new.idempotency_key.is_some();
            Ok(Item { index, has_own_key, message: submission.accept(index as u32, new)? })
        });

        match accepted {
            Ok(item) => right.push(item),
            Err(errors) => rejected.push(Rejected { index, errors }),
        }
    }
    right
}

/// The items that leave from what their caller sees.
async fn seen_by(
    app: &App,
    caller: &Caller,
    items: Vec<Item>,
    rejected: &mut Vec<Rejected>,
) -> Result<Vec<Item>, Problem> {
    let naming: Vec<_> = items.iter().map(|item| item.message.naming.clone()).collect();
    let wrong = seen::unseen(app, &caller.tenant, &naming).await?;

    let mut left = Vec::with_capacity(items.len());
    for (item, wrong) in items.into_iter().zip(wrong) {
        match wrong {
            None => left.push(item),
            Some(error) => rejected.push(Rejected { index: item.index, errors: vec![error] }),
        }
    }
    Ok(left)
}

/// The items whose senders, pools and templates are there, as far as it is known.
async fn well_named(
    app: &App,
    tenant: &TenantId,
    items: Vec<Item>,
    rejected: &mut Vec<Rejected>,
) -> Vec<Item> {
    let naming: Vec<_> = items.iter().filter_map(|item| item.message.naming.clone()).collect();
    if naming.is_empty() {
        return items;
    }
    let mut wrong = app.named.wrong(tenant, app.now(), naming).await.into_iter();

    let mut left = Vec::with_capacity(items.len());
    for item in items {
        let errors = item.message.naming.as_ref().and_then(|_| wrong.next()).unwrap_or_default();
        if errors.is_empty() {
            left.push(item);
        } else {
            rejected.push(Rejected { index: item.index, errors });
        }
    }
    left
}

/// The items whose keys are not known to be taken. One query for all keys of a batch and its own;
/// none where there are none.
async fn untaken(
    keys: &UsedKeys,
    items: Vec<Item>,
    batch: Option<Keyed>,
    rejected: &mut Vec<Rejected>,
) -> Result<Vec<Item>, Problem> {
    let has_key = batch.is_some();
    let of_items = items.iter().filter_map(|item| item.message.keyed.clone());
    let keyed: Vec<Keyed> = batch.into_iter().chain(of_items).collect();
    if keyed.is_empty() {
        return Ok(items);
    }
    let mut taken = keys.taken(keyed).await.into_iter();
    if has_key && taken.next() == Some(true) {
        return Err(Problem::invalid(vec![reused("Idempotency-Key")]));
    }

    let mut seen = HashMap::new();
    let mut left = Vec::with_capacity(items.len());
    for item in items {
        // In a batch, too, the first body of a key stands.
        let (index, has_own_key) = (item.index, item.has_own_key);
        let differs = item.message.keyed.as_ref().is_some_and(|keyed| {
            taken.next() == Some(true)
                || *seen.entry(keyed.of).or_insert(keyed.body_hash) != keyed.body_hash
        });
        match (differs, has_own_key) {
            (false, _) => left.push(item),
            (true, true) => {
                rejected.push(Rejected { index, errors: vec![reused("idempotency_key")] });
            }
            (true, false) => {
                let mut error = reused("Idempotency-Key");
                error.detail = format!("messages[{index}]: {}", error.detail);
                return Err(Problem::invalid(vec![error]));
            }
        }
    }

    Ok(left)
}

/// The items, not decoded yet.
fn items(body: &Bytes, form: Form) -> Result<Vec<&[u8]>, Problem> {
    let items: Vec<&[u8]> = match form {
        Form::Lines => {
            let lines = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
            lines.filter(|line| !line.is_empty()).collect()
        }
        Form::Array => {
            let batch: Batch<&RawValue> = decode_list(body, probe::<AnyBatch>)?;
            batch.messages.into_iter().map(|item| item.get().as_bytes()).collect()
        }
    };

    match items.len() {
        1..=MOST => Ok(items),
        _ => Err(Problem::field("messages", "out_of_range", "1 to 1000 messages")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_an_array_are_the_same_items() {
        let array = Bytes::from_static(b"{\"messages\": [{\"to\":\"1\"}, {}]}");
        let lines = Bytes::from_static(b"{\"to\":\"1\"}\r\n\n{}\n");
        let (array, lines) = (items(&array, Form::Array), items(&lines, Form::Lines));
        assert_eq!(array.expect("items"), lines.expect("items"));

        for bad in
            ["{\"messages\": []}", "{}", "{\"messages\": 1}", "[", "{\"messages\":[1],\"x\":1}"]
        {
            assert!(items(&Bytes::from(bad), Form::Array).is_err(), "{bad}");
        }
    }
}
