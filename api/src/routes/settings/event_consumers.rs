//! `/v1/event-consumers`: what the tenant's own programs read at the broker, made, listed and
//! removed. What they log in with is shown once, when it is made.

mod broker;
mod new;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use broker::{ConsumerStream, name_of, remove};
use jiff::Timestamp;
use new::{NewConsumer, NewEventConsumer};
use pipeline::access::{SubscriberSigner, subscribers};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;
use stage::machine;
use store::settings::event_consumers::{self, EventConsumer, MOST};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Allowed, Caller, ManageKeys, Needs, roles::Permission},
    document::{
        answers::{Always, Conflict, Missing, OfBody},
        examples,
    },
    http::{Body, Id, Kind, Page, Paging, Problem, Query, creation::refuse_key},
    ids,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(delete))
}

/// What a program of the tenant reads at the broker.
#[derive(Serialize, ToSchema)]
#[schema(as = EventConsumer)]
struct ConsumerView {
    /// The consumer's id: the audit trail names it.
    id: Uuid,
    /// What it is for, for people.
    name: String,
    /// Where it began: `new`, `all`, or an instant.
    from: String,
    /// When it was made, by the machine's clock.
    created_at: Timestamp,
    /// When its credentials end, by the machine's clock.
    expires_at: Timestamp,
    /// The name of its durable consumer, the same in each stream.
    consumer: String,
    /// How the subjects begin that its program hears answers on.
    inbox_prefix: String,
    /// What it reads.
    streams: Vec<ConsumerStream>,
}

/// An event consumer that was made just now, with what its program logs in with: it is never shown
/// again.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeEventConsumer)]
struct MadeConsumer {
    #[serde(flatten)]
    made: ConsumerView,
    /// The content of a credentials file (`.creds`), for any client of NATS.
    credentials: String,
}

async fn view(app: &App, caller: &Caller, consumer: EventConsumer) -> ConsumerView {
    let name = name_of(consumer.id);
    let streams = broker::streams(app, &caller.tenant, &consumer).await;
    let EventConsumer { id, name: of_people, begins, created_at, expires_at, .. } = consumer;
    ConsumerView {
        id,
        name: of_people,
        from: begins,
        created_at,
        expires_at,
        inbox_prefix: subscribers::inbox(&name),
        consumer: name,
        streams,
    }
}

/// `POST /v1/event-consumers`, for admins and owners: makes a durable consumer for this tenant's
/// events and totals alone, and credentials that may ask it for the next ones, acknowledge these,
/// and do nothing else. Answers 201 with the credentials, which are never shown again: so an
/// `Idempotency-Key` is refused. 409 where there are 20, or where the platform's broker gives out
/// no credentials.
#[utoipa::path(
    post, path = "/v1/event-consumers", tag = "settings", operation_id = "create_event_consumer",
    security(("bearer" = [ManageKeys::NAME])),
    request_body(content = NewEventConsumer, example = json!({
        "name": "crm", "from": "new", "reads": ["events"],
    })),
    responses(
        (status = 201, description = "The new event consumer.", body = MadeConsumer), Always,
        OfBody, Conflict,
    ),
)]
async fn create(
    State(app): State<App>,
    caller: Allowed<ManageKeys>,
    headers: HeaderMap,
    Body(body): Body<NewEventConsumer>,
) -> Result<(StatusCode, Json<MadeConsumer>), Problem> {
    // check
    refuse_key(&headers)?;
    let now = machine::now();
    let new = body.check(now)?;
    may_make(&caller, &new)?;
    let signer = signer(&app)?;

    // record
    let id = ids::fresh();
    let consumer = new.consumer(id, now);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    if !event_consumers::create(&mut tx, &caller.tenant, &consumer).await? {
        let detail = format!("there are {MOST} event consumers: delete one first");
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let detail = json!({
        "name": consumer.name, "reads": consumer.reads, "from": consumer.begins,
        "expires_at": consumer.expires_at,
    });
    let subject = format!("event_consumer:{id}");
    audit::note(&mut tx, &caller, app.now(), "event_consumer.created", subject, detail).await?;

    // Where this is cut short, nobody can ask what was made, and the broker forgets it.
    broker::make(&app, &caller.tenant, &consumer, new.from).await?;
    let credentials = signer
        .credentials(&name_of(id), now, consumer.expires_at)
        .map_err(|why| Problem::unavailable(format!("the key of NATS {why}"), 60))?;
    tx.commit().await?;

    // answer
    let made = view(&app, &caller, consumer).await;
    let credentials = credentials.expose_secret().to_owned();
    Ok((StatusCode::CREATED, Json(MadeConsumer { made, credentials })))
}

/// Whether somebody may make this: it reads no more than they may, and no longer.
fn may_make(caller: &Caller, new: &NewConsumer) -> Result<(), Problem> {
    if !caller.may(Permission::Read) {
        let detail = "that gives the permission read, which this caller has not";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    match caller.expires_at {
        Some(own) if new.expires_at > own => {
            let detail = format!("the key that makes it ends at {own}: so must this");
            Err(Problem::field("expires_at", "out_of_range", detail))
        }
        _ => Ok(()),
    }
}

fn signer(app: &App) -> Result<&SubscriberSigner, Problem> {
    let detail = "the platform's broker gives out no credentials: NATS_SUBSCRIBER_KEY is not set";
    app.settings.subscribers.as_ref().ok_or_else(|| Problem::new(Kind::Conflict, detail))
}

/// `GET /v1/event-consumers`, for admins and owners: the event consumers in pages, each with what
/// it has before it.
#[utoipa::path(
    get, path = "/v1/event-consumers", tag = "settings", operation_id = "list_event_consumers",
    security(("bearer" = [ManageKeys::NAME])),
    params(Paging),
    responses(
        (status = 200, description = "A page of event consumers.", body = Page<ConsumerView>),
        Always,
    ),
)]
async fn list(
    State(app): State<App>,
    caller: Allowed<ManageKeys>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ConsumerView>>, Problem> {
    let (after, limit) = (paging.after_id()?, paging.limit()?);
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let found = event_consumers::list(&mut tx, &caller.tenant, after, limit).await?;
    tx.commit().await?;

    let views = found.into_iter().map(|consumer| view(&app, &caller, consumer));
    let views = futures::future::join_all(views).await;
    Ok(Json(Page::new(views, limit, |consumer| consumer.id)))
}

/// `DELETE /v1/event-consumers/{id}`, for admins and owners: removes a consumer, so that its
/// credentials get nothing more from this moment on. Answers 204, or 404.
#[utoipa::path(
    delete, path = "/v1/event-consumers/{id}", tag = "settings",
    operation_id = "delete_event_consumer",
    security(("bearer" = [ManageKeys::NAME])),
    params((
        "id" = Uuid, Path, description = "The event consumer.",
        example = json!(examples::EVENT_CONSUMER),
    )),
    responses((status = 204, description = "It is removed."), Always, Missing),
)]
async fn delete(
    State(app): State<App>,
    caller: Allowed<ManageKeys>,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    // record
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    let consumer = event_consumers::delete(&mut tx, &caller.tenant, id).await?;
    let consumer = consumer.ok_or_else(|| Problem::not_found("event consumer"))?;
    let (subject, detail) = (format!("event_consumer:{id}"), json!({ "name": consumer.name }));
    audit::note(&mut tx, &caller, app.now(), "event_consumer.deleted", subject, detail).await?;

    // The broker first: a row that stays is deleted again, a consumer without one by nobody.
    remove(&app, &consumer).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
