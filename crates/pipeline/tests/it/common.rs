//! What the runtime's tests share: a private broker, a small payload, a stage made of a closure.

pub mod nats;
pub mod probe;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::consumer::PullConsumer;
use domain::{ids::TenantId, message::class::Lane};
use futures::StreamExt;
use jiff::Timestamp;
use pipeline::{
    Broker, ConsumerSettings, Progress, Publisher, Runtime, Seal, StreamSettings, apply_consumers,
    apply_streams,
};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{DeadLetter, MemberKey, Payload, Stream, Subject, frame::Outgoing};

/// What the tests send through a stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub id: Uuid,
    pub turn: u32,
    pub tenant: TenantId,
    pub n: u64,
    #[serde(default)]
    pub text: String,
}

impl Item {
    pub fn new(n: u64) -> Self {
        let tenant = "acme".parse().unwrap();
        Self { id: Uuid::from_u128(n.into()), turn: 1, tenant, n, text: String::new() }
    }
}

impl Payload for Item {
    fn key(&self) -> MemberKey {
        MemberKey { id: self.id, turn: self.turn, body: 0 }
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.tenant)
    }
}

/// Seals by reversing, so that a test can see what was sealed.
pub struct Reverse;

impl Seal for Reverse {
    fn seal(&self, plain: &[u8]) -> String {
        plain.iter().rev().map(|&b| char::from(b)).collect()
    }
}

/// What [`Reverse`] has sealed.
pub fn unseal(sealed: &str) -> String {
    sealed.chars().rev().collect()
}

/// A broker of its own with all streams and consumers.
pub struct World {
    pub broker: Broker,
    pub nats: nats::Nats,
}

pub const MIB: i64 = 1024 * 1024;

impl World {
    pub async fn new() -> Self {
        Self::with(StreamSettings::at_most(64 * MIB), ConsumerSettings::default()).await
    }

    pub async fn with(streams: StreamSettings, consumers: ConsumerSettings) -> Self {
        let nats = nats::Nats::start();
        let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
        apply_streams(&broker, &streams).await.unwrap();
        apply_consumers(&broker, &consumers).await.unwrap();
        Self { broker, nats }
    }

    /// What a process runs on, with a connection and a stop of its own.
    pub async fn runtime(&self) -> Runtime {
        Runtime {
            broker: Broker::connect(&self.nats.url(), None, "runner").await.unwrap(),
            clock: Arc::new(|| Timestamp::UNIX_EPOCH),
            seal: Arc::new(Reverse),
            stop: CancellationToken::new(),
            progress: Progress::default(),
        }
    }

    /// Publishes items `range` to the bulk lane of SUBMITTED in frames of at most `frame`.
    pub async fn submit(&self, range: std::ops::Range<u64>, frame: usize) {
        self.submit_to(Lane::Bulk, range, frame).await;
    }

    pub async fn submit_to(&self, lane: Lane, range: std::ops::Range<u64>, frame: usize) {
        let items: Vec<Item> = range.map(Item::new).collect();
        let publisher = Publisher::new(&self.broker, "test");
        for part in items.chunks(frame) {
            let say =
                part.iter().map(|item| Outgoing::new(Subject::Submitted(lane), item)).collect();
            publisher.publish(say, &CancellationToken::new()).await.unwrap();
        }
    }

    /// Publishes bytes as they are to the bulk lane of SUBMITTED.
    pub async fn submit_raw(&self, bytes: impl Into<Vec<u8>>) {
        let bytes: Vec<u8> = bytes.into();
        let ack = self.broker.api.publish("msg.submitted.bulk", bytes.into()).await.unwrap();
        ack.await.unwrap();
    }

    /// Everything that a stream holds, in order: subject and payload.
    pub async fn stored(&self, stream: Stream) -> Vec<(String, Vec<u8>)> {
        let mut stream = self.broker.api.get_stream(stream.name()).await.unwrap();
        let state = stream.info().await.unwrap().state.clone();

        let mut found = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            if let Ok(message) = stream.get_raw_message(sequence).await {
                found.push((message.subject.to_string(), message.payload.to_vec()));
            }
        }
        found
    }

    /// The numbers of all items in a stream, in order.
    pub async fn numbers(&self, stream: Stream) -> Vec<u64> {
        let frames = self.stored(stream).await;
        let items = frames.iter().flat_map(|(_, bytes)| {
            serde_json::from_slice::<Vec<Item>>(bytes).expect("a frame of items")
        });
        items.map(|item| item.n).collect()
    }

    pub async fn sorted(&self, stream: Stream) -> Vec<u64> {
        let mut numbers = self.numbers(stream).await;
        numbers.sort_unstable();
        numbers
    }

    pub async fn letters(&self) -> Vec<DeadLetter> {
        let frames = self.stored(Stream::Dead).await;
        let letters = frames.iter().flat_map(|(_, bytes)| {
            serde_json::from_slice::<Vec<DeadLetter>>(bytes).expect("a frame of letters")
        });
        letters.collect()
    }

    /// Waits until a stream holds nothing.
    pub async fn empty(&self, stream: Stream) {
        self.until(stream, |messages| messages == 0).await;
    }

    /// Waits until a stream holds at least this many messages.
    pub async fn holds(&self, stream: Stream, at_least: u64) {
        self.until(stream, |messages| messages >= at_least).await;
    }

    async fn until(&self, stream: Stream, what: impl Fn(u64) -> bool) {
        let begun = Instant::now();
        let mut messages = None;
        while begun.elapsed() < Duration::from_secs(30) {
            // A broker that is being restarted does not answer.
            let found = self.broker.api.get_stream(stream.name());
            if let Ok(Ok(found)) = timeout(Duration::from_secs(1), found).await {
                messages = Some(found.cached_info().state.messages);
                if messages.is_some_and(&what) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{} still holds {messages:?} messages after 30 s", stream.name());
    }

    /// How many frames a consumer has out and not acked.
    pub async fn unacked(&self, consumer: &str, stream: Stream) -> usize {
        let stream = self.broker.api.get_stream(stream.name()).await.unwrap();
        stream.consumer_info(consumer).await.unwrap().num_ack_pending
    }

    /// Deletes everything in a stream, so that it has room again.
    pub async fn purge(&self, stream: Stream) {
        let stream = self.broker.api.get_stream(stream.name()).await.unwrap();
        stream.purge().await.unwrap();
    }

    /// How often a consumer has delivered anything, repeats included.
    pub async fn deliveries(&self, consumer: &str, stream: Stream) -> u64 {
        let stream = self.broker.api.get_stream(stream.name()).await.unwrap();
        stream.consumer_info(consumer).await.unwrap().delivered.consumer_sequence
    }

    /// Reads up to `frames` frames of a consumer and acks them; the numbers of their items.
    pub async fn read(&self, consumer: &str, stream: Stream, frames: usize) -> Vec<u64> {
        let found: PullConsumer =
            self.broker.api.get_consumer_from_stream(consumer, stream.name()).await.unwrap();
        let mut batch = found.fetch().max_messages(frames).messages().await.unwrap();

        let mut numbers = Vec::new();
        while let Some(message) = batch.next().await {
            let message = message.unwrap();
            let items: Vec<Item> = serde_json::from_slice(&message.payload).unwrap();
            numbers.extend(items.iter().map(|item| item.n));

            let reply = message.reply.clone().unwrap();
            self.broker.client.request(reply, "+ACK".into()).await.unwrap();
        }
        numbers
    }

    /// Takes the frames of a consumer out like a stage that is gone a moment later.
    pub async fn steal(&self, consumer: &str, stream: Stream, frames: usize) -> usize {
        let found: PullConsumer =
            self.broker.api.get_consumer_from_stream(consumer, stream.name()).await.unwrap();
        let taken = found.fetch().max_messages(frames).messages().await.unwrap();
        taken.count().await
    }
}

pub fn ack_wait(seconds: u64) -> ConsumerSettings {
    ConsumerSettings { ack_wait: Duration::from_secs(seconds), ..ConsumerSettings::default() }
}

/// Waits until something is so, for at most half a minute.
pub async fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}
