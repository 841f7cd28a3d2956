//! What earlier versions kept elsewhere: `streams apply` moves it.

use async_nats::{
    HeaderMap,
    jetstream::{consumer::PullConsumer, message::PublishMessage, stream::RawMessageErrorKind},
};
use wire::stream::Stream;

use crate::{
    broker::Broker,
    change::{ApplyError, broker_said},
    consumers::is_missing,
};

/// Subjects that a stream no longer takes because another one does.
pub(crate) const MOVED: [(Stream, &str); 1] = [(Stream::Carrier, "carrier.*.*.*")];

/// The consumer that read texts where receipts are.
const OLD_READER: &str = "inbound";

/// Publishes the texts that are unread in CARRIER to TEXTS, and forgets their old consumer. What is
/// interrupted is done again: a text that comes twice is recorded once. Says how many were moved.
///
/// # Errors
/// When the broker refuses.
pub async fn move_texts(broker: &Broker) -> Result<u64, ApplyError> {
    let name = Stream::Carrier.name();
    let refused = |why: &dyn std::fmt::Display| broker_said(name, why);

    let found = broker.api.get_consumer_from_stream(OLD_READER, name).await;
    let found: Result<PullConsumer, _> = found;
    let reader = match found {
        Ok(reader) => reader,
        Err(why) if is_missing(&why) => return Ok(0),
        Err(why) => return Err(refused(&why)),
    };
    let floor = reader.cached_info().ack_floor.stream_sequence;

    let mut moved = 0;
    for subject in Stream::Texts.subjects() {
        moved += move_subject(broker, subject, floor + 1).await?;
    }

    let carrier = broker.api.get_stream_no_info(name).await.map_err(|why| refused(&why))?;
    carrier.delete_consumer(OLD_READER).await.map_err(|why| refused(&why))?;
    Ok(moved)
}

/// Moves what lies on one subject from a sequence on.
#[expect(clippy::disallowed_methods, reason = "frames move as they are, each before the next")]
async fn move_subject(broker: &Broker, subject: &str, from: u64) -> Result<u64, ApplyError> {
    let refused = |why: &dyn std::fmt::Display| broker_said(subject, why);
    let carrier = broker.api.get_stream_no_info(Stream::Carrier.name()).await;
    let carrier = carrier.map_err(|why| refused(&why))?;

    let (mut next, mut moved) = (from, 0);
    loop {
        let entry = match carrier.get_first_raw_message_by_subject(subject, next).await {
            Ok(entry) => entry,
            Err(why) if why.kind() == RawMessageErrorKind::NoMessageFound => return Ok(moved),
            Err(why) => return Err(refused(&why)),
        };

        let mut message =
            PublishMessage::build().payload(entry.payload).expected_stream(Stream::Texts.name());
        for (name, value) in kept(&entry.headers) {
            message = message.header(name, value);
        }
        let ack = broker.api.send_publish(entry.subject, message).await;
        ack.map_err(|why| refused(&why))?.await.map_err(|why| refused(&why))?;
        (next, moved) = (entry.sequence + 1, moved + 1);
    }
}

/// The headers that a frame keeps: its id and its trace.
fn kept(headers: &HeaderMap) -> impl Iterator<Item = (&'static str, &str)> {
    let value = |name| headers.get(name).map(|value| (name, value.as_str()));
    ["Nats-Msg-Id", "traceparent"].into_iter().filter_map(value)
}
