//! The durable consumers behind an event consumer: one in each stream that it reads.

use std::time::Duration;

use domain::ids::TenantId;
use pipeline::access::{
    grants::TENANTS_READ,
    subscribers::{self, Beginning},
};
use serde::Serialize;
use store::settings::event_consumers::EventConsumer;
use tokio::time::timeout;
use utoipa::ToSchema;
use uuid::Uuid;
use wire::Stream;

use crate::{app::App, http::Problem};

/// How long the broker may take to make or remove a consumer.
const CHANGE: Duration = Duration::from_secs(5);

/// How long it may take to say what a consumer has before it.
const ASK: Duration = Duration::from_secs(2);

/// One stream that an event consumer reads.
#[derive(Serialize, ToSchema)]
pub(super) struct ConsumerStream {
    /// The stream's name at the broker.
    #[schema(example = "EVENTS")]
    stream: String,
    /// What of it is read.
    subject: String,
    /// Frames that are not delivered yet; null where the broker does not say.
    #[schema(required)]
    pending: Option<u64>,
    /// Frames that are delivered and not acknowledged; null where the broker does not say.
    #[schema(required)]
    unacked: Option<u64>,
    /// True: the broker has forgotten it, as nobody has read for 7 days. Make another one.
    ended: bool,
}

/// The name at the broker, which nothing else ever has.
pub(super) fn name_of(id: Uuid) -> String {
    format!("ec_{}", id.simple())
}

/// Makes the consumers in the streams that are read.
///
/// # Errors
/// The broker is away.
pub(super) async fn make(
    app: &App,
    tenant: &TenantId,
    consumer: &EventConsumer,
    from: Beginning,
) -> Result<(), Problem> {
    let name = name_of(consumer.id);
    for stream in read_by(consumer) {
        let filter = (stream, filter_of(stream, tenant));
        let made = subscribers::make(&app.broker, filter, &name, from);
        timeout(CHANGE, made).await.map_err(|_| away())?.map_err(|why| refused(&why))?;
    }
    Ok(())
}

/// Removes them.
///
/// # Errors
/// The broker is away.
pub(super) async fn remove(app: &App, consumer: &EventConsumer) -> Result<(), Problem> {
    let name = name_of(consumer.id);
    for stream in read_by(consumer) {
        let removed = subscribers::remove(&app.broker, stream, &name);
        timeout(CHANGE, removed).await.map_err(|_| away())?.map_err(|why| refused(&why))?;
    }
    Ok(())
}

/// What each of them has before it.
pub(super) async fn streams(
    app: &App,
    tenant: &TenantId,
    consumer: &EventConsumer,
) -> Vec<ConsumerStream> {
    let name = name_of(consumer.id);
    let looks = read_by(consumer).map(async |stream| {
        let look = timeout(ASK, subscribers::look(&app.broker, stream, &name)).await;
        let known = look.ok().flatten();
        let backlog = known.flatten();
        ConsumerStream {
            stream: stream.name().to_owned(),
            subject: filter_of(stream, tenant),
            pending: backlog.map(|backlog| backlog.pending),
            unacked: backlog.map(|backlog| backlog.unacked),
            ended: known == Some(None),
        }
    });
    futures::future::join_all(looks).await
}

fn read_by(consumer: &EventConsumer) -> impl Iterator<Item = Stream> {
    TENANTS_READ.into_iter().filter(|stream| consumer.reads.iter().any(|it| it == stream.name()))
}

/// What of a stream is a tenant's: its key is a token of its own.
fn filter_of(stream: Stream, tenant: &TenantId) -> String {
    match stream {
        Stream::Events => format!("events.{tenant}.*.*"),
        _ => format!("analytics.{tenant}.>"),
    }
}

fn refused(why: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(%why, "a consumer of a tenant is not as asked for");
    away()
}

fn away() -> Problem {
    Problem::unavailable("the broker does not answer", 1)
}
