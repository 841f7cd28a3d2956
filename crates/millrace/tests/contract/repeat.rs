//! A stage's input again, under other message ids and in other frames, so that the broker's
//! deduplication does not see that it is the same.

use anyhow::Context;
use async_nats::{HeaderMap, jetstream};
use pipeline::{Broker, StageName, consumers::CONSUMERS};
use serde_json::value::RawValue;

/// What a stream holds for a stage.
pub struct Input {
    subject: String,
    members: Vec<Box<RawValue>>,
    headers: Option<HeaderMap>,
    whole: bool,
}

/// Reads what is stored for a stage, without taking it away.
pub async fn read(broker: &Broker, stage: StageName) -> anyhow::Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let mut streams: Vec<_> =
        CONSUMERS.iter().filter(|spec| spec.stage == stage).map(|spec| spec.stream).collect();
    streams.dedup();
    for stream in streams {
        let stream = broker.api.get_stream(stream.name()).await?;
        let state = stream.get_info().await?.state;
        for at in state.first_sequence..=state.last_sequence {
            let Ok(message) = stream.get_raw_message(at).await else { continue };
            // Webhooks travel one by one, everything else in frames.
            let frame = serde_json::from_slice::<Vec<Box<RawValue>>>(&message.payload);
            let (whole, members) = match frame {
                Ok(members) => (false, members),
                Err(_) => (true, vec![serde_json::from_slice(&message.payload)?]),
            };
            let headers = (!message.headers.is_empty()).then_some(message.headers);
            inputs.push(Input { subject: message.subject.to_string(), members, headers, whole });
        }
    }
    Ok(inputs)
}

/// Publishes it again in frames of so many members, the last first.
#[expect(clippy::disallowed_methods, reason = "plays a producer that repeats itself")]
pub async fn publish(broker: &Broker, inputs: &[Input], size: usize) -> anyhow::Result<()> {
    for input in inputs.iter().rev() {
        for members in input.members.rchunks(size) {
            let payload = if input.whole {
                members.first().context("a message")?.get().to_owned()
            } else {
                serde_json::to_string(members)?
            };
            let mut headers = input.headers.clone().unwrap_or_default();
            headers.insert("Nats-Msg-Id", format!("again-{}", fresh()));
            let publish = jetstream::message::PublishMessage::build();
            let publish = publish.payload(payload.into()).headers(headers);
            broker.api.send_publish(input.subject.clone(), publish).await?.await?;
        }
    }
    Ok(())
}

/// A number that was not used before.
fn fresh() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
