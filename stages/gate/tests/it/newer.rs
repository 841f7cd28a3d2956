//! Rows that a newer version has written: their messages wait, and nobody else does.

use std::{sync::Arc, time::Duration};

use domain::message::{
    class::{Lane, MessageClass},
    state::MessageState,
};
use pipeline::{Broker, Progress, Publisher, Runtime, Seal, StageConfig};
use testkit::TestBroker;
use tokio_util::sync::CancellationToken;
use wire::{Enriched, Stream, Subject, frame::Outgoing};

use super::world::{World, now};

/// Letters are counted here, and not read.
struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, _: &[u8]) -> String {
        String::new()
    }
}

fn runtime(broker: Broker) -> Runtime {
    Runtime {
        broker,
        clock: Arc::new(now),
        seal: Arc::new(NoSeal),
        stop: CancellationToken::new(),
        progress: Progress::default(),
    }
}

/// How many frames a stream holds.
async fn held(broker: &Broker, stream: Stream) -> anyhow::Result<u64> {
    let stream = broker.api.get_stream(stream.name()).await?;
    Ok(stream.cached_info().state.messages)
}

/// Waits until so many messages are admitted.
async fn admitted(world: &World, messages: i64) -> anyhow::Result<()> {
    let admitted = "select count(*) from millrace.messages where state = 3";
    assert_eq!(MessageState::Queued.code(), 3);

    let waiting = async {
        while world.number(admitted).await? < messages {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(30), waiting).await?
}

#[tokio::test]
async fn a_row_in_a_state_of_a_newer_version_waits_and_its_neighbours_are_admitted()
-> anyhow::Result<()> {
    let (world, server) = (World::begin().await?, TestBroker::start().await?);
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 100..120).await?;

    let newer = messages[7].head.id;
    let strange = "update millrace.messages set state = 99 where message_id::text like '%6c'";
    world.run(strange).await?;
    assert!(newer.to_string().ends_with("6c"), "{newer}");

    let broker = server.connect().await?;
    let said = |one: &Enriched| Outgoing::new(Subject::Enriched(Lane::Bulk), one);
    let frames = messages.iter().map(said).collect();
    Publisher::new(&broker, "test").publish(frames, &CancellationToken::new()).await?;

    let runtime = runtime(server.connect().await?);
    let stage = world.stage().await?;
    let running = {
        let runtime = runtime.clone();
        tokio::spawn(async move { pipeline::run(stage, &runtime, &StageConfig::default()).await })
    };

    // The neighbours go through; the one is neither decided, as it has the stamp of
    // enrich alone, nor dead.
    admitted(&world, 19).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let left = "select count(*) from millrace.messages
                where state = 99 and jsonb_array_length(passport) = 1";
    assert_eq!(world.number(left).await?, 1);
    assert_eq!(held(&broker, Stream::Enriched).await?, 1, "its frame is not acked");
    assert_eq!(held(&broker, Stream::Dead).await?, 0);

    // Once the row can be read, it is handed over again and admitted.
    world.run("update millrace.messages set state = 0 where state = 99").await?;
    admitted(&world, 20).await?;
    runtime.stop.cancel();
    running.await??;

    assert_eq!(held(&broker, Stream::Enriched).await?, 0);
    assert_eq!(held(&broker, Stream::Dead).await?, 0);
    Ok(())
}
