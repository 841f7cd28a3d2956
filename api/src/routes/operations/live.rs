//! `/v1/live`: what moves, as it moves, by server-sent events.

use std::{
    collections::{BTreeSet, VecDeque},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::ids::{CampaignId, ConversationId, InboxId};
use futures::{Stream, StreamExt, future, stream};
use serde::Deserialize;
use stage::Fault;
use store::{Scoped, analytics, campaigns, conversations::row, settings::inboxes};
use tokio::{sync::broadcast, time::sleep};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};
use wire::totals::Totals;

use crate::{
    app::App,
    auth::{Allowed, Needs, Reach, Read},
    document::answers::{Always, Missing},
    http::{Problem, Query},
    live::{LiveMessage, Reader, ReaderPermit, Said, Topic},
};

/// The longest that one answer goes on, in seconds: then the caller's credentials are asked again.
const LONGEST: u64 = 300;

/// How many topics one answer tells of.
const TOPICS: usize = 8;

/// How often an answer says that it is still there.
const STILL_THERE: Duration = Duration::from_secs(15);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live))
}

/// What a caller wants to hear of.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// `dashboard`, `campaign:<id>`, `conversation:<id>` and `inbox:<id>`, one to eight of them
    /// with commas between.
    #[param(example = "dashboard", max_length = 400)]
    topics: String,
    /// After how many seconds the answer ends, 1 to 300; 300 where it is not said.
    #[param(example = 1, minimum = 1, maximum = 300)]
    seconds: Option<u64>,
}

/// `GET /v1/live?topics=&seconds=`, for every role: what moves, by server-sent events. Of each
/// topic first a `snapshot` with its totals, then `totals` whenever they have changed and an
/// `event` for what happened to campaigns and budgets. A conversation and an inbox have no totals:
/// their `event`s tell of texts that came and of what was done, those of an inbox of what was done
/// with its conversations. Each has an id: asked again with the last
/// one in `Last-Event-ID`, it goes on behind that where it still can, and else with a new snapshot.
/// An answer ends after 300 seconds at most, and where its reader is too slow. 429 where too many
/// of the company read, 503 where too many of all do or the broker is not followed. Whoever is
/// limited to brands or inboxes hears of the campaigns and conversations that they see.
#[utoipa::path(
    get, path = "/v1/live", tag = "operations", operation_id = "follow_live",
    security(("bearer" = [Read::NAME])),
    params(
        Wanted,
        ("Last-Event-ID" = Option<String>, Header, max_length = 200,
            description = "The id of the last that was read."),
    ),
    responses(
        (status = 200, description = "Server-sent events, each with such a message as its data.",
            body = LiveMessage, content_type = "text/event-stream", example = json!({
                "topic": "dashboard", "sequence": 4102,
                "totals": {
                    "as_of": "2026-05-01T15:00:00Z", "watermark": 5210, "version": 311,
                    "totals": { "delivered": 1500, "sent": 300 },
                },
            })),
        Always, Missing,
    ),
)]
async fn live(
    State(app): State<App>,
    caller: Allowed<Read>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // check
    let topics = topics(&wanted.topics)?;
    let seconds = wanted.seconds.unwrap_or(LONGEST);
    if !(1..=LONGEST).contains(&seconds) {
        return Err(Problem::field("seconds", "out_of_range", "1 to 300"));
    }
    let permit = app.live.admit(&caller.tenant)?;

    // load: a topic that is not there begins no feed
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    for topic in &topics {
        if !is_there(&mut tx, &caller.tenant, topic).await? {
            return Err(Problem::not_found("topic"));
        }
    }

    // listen before reading the totals, so that nothing falls in between
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let readers: Vec<_> = topics
        .into_iter()
        .map(|topic| (app.live.read(&caller.tenant, &topic, last), topic))
        .collect();

    let mut topics = Vec::with_capacity(readers.len());
    for (reader, topic) in readers {
        let found = match reader.missed {
            Some(_) => None,
            None => totals(&app, &mut tx, &caller, &topic).await?,
        };
        topics.push(said(&app, &caller.tenant, reader, &topic, found).boxed());
    }
    drop(tx);

    let ends = sleep(Duration::from_secs(seconds));
    let said = together(topics, permit).take_until(ends).map(Ok::<_, Infallible>);
    let answer = Sse::new(said).keep_alive(KeepAlive::new().interval(STILL_THERE));
    Ok(([("x-accel-buffering", "no")], answer).into_response())
}

/// Whether a topic is there, as far as somebody sees.
async fn is_there(tx: &mut Scoped, reach: &Reach, topic: &Topic) -> Result<bool, Fault> {
    match topic {
        Topic::Dashboard => Ok(true),
        Topic::Campaign(id) => {
            Ok(campaigns::get(tx, reach, CampaignId(*id), false).await?.is_some())
        }
        Topic::Conversation(id) => {
            let found = row::get(tx, reach, ConversationId(*id), false).await?;
            Ok(found.is_some_and(|found| found.opened_at.is_some()))
        }
        Topic::Inbox(id) => Ok(inboxes::get(tx, reach, InboxId(*id), false).await?.is_some()),
    }
}

/// The topics that a caller names.
fn topics(written: &str) -> Result<BTreeSet<Topic>, Problem> {
    let topics: Option<BTreeSet<_>> =
        written.split(',').map(|name| Topic::read(name.trim())).collect();
    topics.filter(|topics| topics.len() <= TOPICS).ok_or_else(|| {
        let detail = "one to eight of dashboard, campaign:<id>, conversation:<id> and inbox:<id>, \
                      with commas between";
        Problem::field("topics", "unknown_topic", detail)
    })
}

/// The totals of a topic at this instant; none of what has no totals.
async fn totals(
    app: &App,
    tx: &mut Scoped,
    caller: &Allowed<Read>,
    topic: &Topic,
) -> Result<Option<Totals>, Problem> {
    let Some(scope) = topic.scope() else { return Ok(None) };
    let found = analytics::get(tx, &caller.tenant, &scope).await?;
    let (as_of, id) = (app.now(), scope.id());
    let nothing = || Totals { as_of, watermark: 0, version: 0, id, totals: [].into() };
    Ok(Some(found.unwrap_or_else(nothing)))
}

/// What is said about one topic: a snapshot or what was missed, then what comes.
fn said(
    app: &App,
    reach: &Reach,
    reader: Reader,
    topic: &Topic,
    found: Option<Totals>,
) -> impl Stream<Item = Event> + use<> {
    let counted = found.as_ref().map_or(i64::MIN, |totals| totals.watermark);
    let begins = reader.missed.is_none();
    let snapshot = begins.then(|| {
        let message = LiveMessage { totals: found, ..LiveMessage::default() };
        let said = Said::new(topic, reader.position, message);
        Event::default().id(app.live.id_of(said.position)).event("snapshot").data(said.json)
    });

    let missed = reader.missed.unwrap_or_default().into();
    let (app, reach) = (app.clone(), reach.clone());
    let listener = Listener { app, reach, missed, said: reader.said, counted };
    stream::iter(snapshot).chain(stream::unfold(listener, Listener::next))
}

/// Somebody who reads a topic, and what of it they have.
struct Listener {
    app: App,
    reach: Reach,
    missed: VecDeque<Arc<Said>>,
    said: broadcast::Receiver<Arc<Said>>,
    /// How much the totals count that they have.
    counted: i64,
}

impl Listener {
    /// What is news to them. It ends where they have fallen behind, or where the database cannot
    /// say what they see.
    async fn next(mut self) -> Option<(Event, Self)> {
        loop {
            let said = match self.missed.pop_front() {
                Some(missed) => missed,
                None => self.said.recv().await.ok()?,
            };
            let is_news = said.watermark.is_none_or(|watermark| watermark > self.counted);
            if !is_news || !self.sees(&said).await? {
                continue;
            }

            self.counted = said.watermark.unwrap_or(self.counted);
            let id = self.app.live.id_of(said.position);
            return Some((Event::default().id(id).event(said.kind()).data(&said.json), self));
        }
    }

    /// Whether they see what something is about; none where the database cannot say.
    async fn sees(&self, said: &Said) -> Option<bool> {
        let about = said.about.as_ref().filter(|_| self.reach.is_limited());
        let Some(about) = about else { return Some(true) };
        let mut tx = self.app.transactions.begin(&self.reach).await.ok()?;
        is_there(&mut tx, &self.reach, about).await.ok()
    }
}

/// All topics in one stream, which ends with the first of them.
fn together<S: Stream<Item = Event> + Unpin>(
    topics: Vec<S>,
    permit: ReaderPermit,
) -> impl Stream<Item = Event> {
    let ending = topics.into_iter().map(|topic| topic.map(Some).chain(stream::iter([None])));
    stream::select_all(ending).scan(permit, |_held, event| future::ready(event))
}
