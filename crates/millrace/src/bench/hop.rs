//! The reference: one raw JetStream hop on this machine. Consume from a work queue, publish to the
//! next with an id, await the PubAck, acknowledge; single messages of 300 bytes.

use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::jetstream::{
    self, AckKind,
    consumer::{AckPolicy, pull},
    message::PublishMessage,
    stream::{Config, RetentionPolicy, StorageType},
};
use boot::embedded::{EmbeddedOptions, Nats, NatsSync, Scratch};
use futures::{StreamExt, future::try_join_all};
use pipeline::Broker;

use super::usage;

/// The size of a message's payload.
const BYTES: usize = 300;

/// Messages that are published, awaited and acknowledged together.
const BATCH: usize = 256;

/// Messages of a measurement on a machine that is idle: some seconds of work.
pub const MESSAGES: usize = 100_000;

/// What the machine takes for a raw hop.
#[derive(Debug, Clone, Copy)]
pub struct RawHop {
    /// Messages per second.
    pub rate: f64,
    /// CPU seconds per message, of the broker and of this process.
    pub cpu: f64,
}

impl RawHop {
    /// The mean of two measurements.
    pub fn mean(one: Self, other: Self) -> Self {
        Self { rate: (one.rate + other.rate) / 2.0, cpu: (one.cpu + other.cpu) / 2.0 }
    }
}

/// The reference runs on a server of its own with the broker's default sync.
///
/// # Errors
/// The server does not start.
pub async fn reference_server(scratch: &Scratch) -> anyhow::Result<Nats> {
    let every = NatsSync::Every(Duration::from_secs(120));
    let options = EmbeddedOptions { nats_sync: every, ..EmbeddedOptions::default() };
    Ok(Nats::start(&scratch.path().join("reference"), &options).await?)
}

/// Moves so many messages over one raw hop.
///
/// # Errors
/// The broker refuses something.
#[expect(clippy::disallowed_methods, reason = "the reference measures the raw broker")]
pub async fn measure(server: &Nats, messages: usize) -> anyhow::Result<RawHop> {
    let client = Broker::connect(&server.url(), Some(&server.creds()), "hop").await?.client;
    let context = jetstream::new(client.clone());
    let from = queue(&context, "HOP_FROM", "hop.from").await?;
    queue(&context, "HOP_TO", "hop.to").await?;
    publish(&context, "hop.from", 0..messages).await?;

    let config = pull::Config {
        durable_name: Some("hop".to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: 4 * BATCH as i64,
        ..pull::Config::default()
    };
    let consumer = from.create_consumer(config).await?;
    let incoming = consumer.stream().max_messages_per_batch(2 * BATCH).messages().await?;
    let mut incoming = incoming.ready_chunks(BATCH);

    let spent = || usage::process_cpu(server.pid()) + usage::process_cpu(std::process::id());
    let (begun, spent_before) = (Instant::now(), spent());
    let mut done = 0;
    while done < messages {
        let next = tokio::time::timeout(Duration::from_secs(30), incoming.next()).await?;
        let batch: Vec<_> =
            next.context("the consumer ended")?.into_iter().collect::<Result<_, _>>()?;

        publish(&context, "hop.to", done..done + batch.len()).await?;
        for message in &batch {
            message.ack_with(AckKind::Ack).await.map_err(anyhow::Error::from_boxed)?;
        }
        client.flush().await?;
        done += batch.len();
    }

    let rate = messages as f64 / begun.elapsed().as_secs_f64();
    let cpu = (spent() - spent_before) / messages as f64;
    for name in ["HOP_FROM", "HOP_TO"] {
        context.delete_stream(name).await?;
    }
    Ok(RawHop { rate, cpu })
}

async fn queue(
    context: &jetstream::Context,
    name: &str,
    subject: &str,
) -> anyhow::Result<jetstream::stream::Stream> {
    let config = Config {
        name: name.to_owned(),
        subjects: vec![subject.to_owned()],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        ..Config::default()
    };
    Ok(context.create_stream(config).await?)
}

#[expect(clippy::disallowed_methods, reason = "the reference measures the raw broker")]
async fn publish(
    context: &jetstream::Context,
    subject: &str,
    ids: std::ops::Range<usize>,
) -> anyhow::Result<()> {
    let ids: Vec<usize> = ids.collect();
    for chunk in ids.chunks(BATCH) {
        let mut acks = Vec::with_capacity(chunk.len());
        for id in chunk {
            let message = PublishMessage::build()
                .payload(vec![b'x'; BYTES].into())
                .message_id(format!("{subject}-{id}"));
            acks.push(context.send_publish(subject.to_owned(), message).await?.into_future());
        }
        try_join_all(acks).await?;
    }
    Ok(())
}
