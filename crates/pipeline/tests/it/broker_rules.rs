//! The measured behaviour of the broker and its client that the runtime is built around. Run these
//! first when either is upgraded.

use std::{collections::HashSet, time::Duration};

use async_nats::jetstream::{AckKind, consumer::PullConsumer, message::PublishMessage};
use domain::message::class::Lane;
use futures::{StreamExt, future::join_all};
use pipeline::{
    Broker, ConsumerSettings, Publisher, StageConfig, StreamSettings, apply_consumers, streams,
};
use tokio::time::timeout;
use wire::{Stream, Subject, frame::Outgoing};

use crate::common::{
    Item, MIB, World, ack_wait, eventually,
    nats::Nats,
    probe::{Probe, stop},
};

const CONSUMER: &str = "enrich-bulk";

/// Why acks are requests on the reply subject.
#[tokio::test]
async fn a_request_ack_fails_where_a_double_ack_says_ok() {
    let world = World::new().await;
    world.submit(0..2, 1).await;
    let consumer: PullConsumer =
        world.broker.api.get_consumer_from_stream(CONSUMER, "SUBMITTED").await.unwrap();
    let mut messages = consumer.stream().expires(Duration::from_secs(5)).messages().await.unwrap();
    let first = messages.next().await.unwrap().unwrap();
    let second = messages.next().await.unwrap().unwrap();
    world.broker.api.delete_consumer_from_stream(CONSUMER, "SUBMITTED").await.unwrap();

    let double = timeout(Duration::from_secs(5), first.double_ack_with(AckKind::Ack)).await;
    assert!(double.unwrap().is_ok(), "double_ack() took no responders for an answer");

    let reply = second.reply.clone().unwrap();
    let request = world.broker.client.request(reply, "+ACK".into());
    let said = timeout(Duration::from_secs(5), request).await.unwrap().expect_err("no responders");
    assert_eq!(said.kind(), async_nats::RequestErrorKind::NoResponders);
    assert_eq!(world.stored(Stream::Submitted).await.len(), 2);
}

/// Why PubAcks are awaited before a connection is drained.
#[tokio::test]
async fn a_client_drain_drops_the_answers_of_publishes_in_flight() {
    let nats = Nats::strict();
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    pipeline::apply_streams(&broker, &StreamSettings::at_most(64 * MIB)).await.unwrap();
    let mut acks = Vec::new();
    for n in 0..500_u32 {
        let message = PublishMessage::build().payload("[]".into()).message_id(n.to_string());
        acks.push(broker.jetstream.send_publish("msg.enriched.bulk", message).await.unwrap());
    }
    broker.client.drain().await.unwrap();

    let answered = join_all(acks.into_iter().map(IntoFuture::into_future)).await;
    assert!(answered.iter().any(Result::is_err), "none was lost: the rule may be dropped");
}

#[tokio::test]
async fn the_stream_is_made_anew_after_its_consumer_was_deleted() {
    let world = World::new().await;
    world.submit(0..10, 10).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    world.empty(Stream::Submitted).await;

    for round in 1..4 {
        world.broker.api.delete_consumer_from_stream(CONSUMER, "SUBMITTED").await.unwrap();
        eventually("noticed", || runtime.progress.ready(Duration::from_secs(60)).is_err()).await;
        world.submit(round * 10..round * 10 + 10, 10).await;
        let made = apply_consumers(&world.broker, &ConsumerSettings::default()).await.unwrap();
        assert_eq!(made.len(), 1, "{made:?}");
        world.empty(Stream::Submitted).await;
        eventually("found", || runtime.progress.ready(Duration::from_secs(60)).is_ok()).await;
    }

    stop(&runtime, running).await;
    assert_eq!(world.sorted(Stream::Enriched).await, (0..40).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_killed_broker_loses_no_message_and_is_found_again() {
    let mut world = World::with(StreamSettings::at_most(64 * MIB), ack_wait(2)).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig::default());
    for round in 0..3 {
        world.submit(round * 500..round * 500 + 500, 10).await;
        world.nats.restart();
    }
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    let mut numbers = world.sorted(Stream::Enriched).await;
    numbers.dedup();
    assert_eq!(numbers, (0..1500).collect::<Vec<_>>());
}

/// Room for a few frames only in ENRICHED.
async fn narrow() -> World {
    let world = World::new().await;
    let mut config = streams::declared(Stream::Enriched, &StreamSettings::default());
    config.max_bytes = 64 * 1024;
    world.broker.api.update_stream(config).await.unwrap();
    world
}

#[tokio::test]
async fn a_full_stream_stops_the_pulling_and_nothing_is_lost() {
    let world = narrow().await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let config = StageConfig { batch_max: 100, in_flight: 600, ..Default::default() };
    let running = probe.run(&runtime, config);
    let total = 6_000;
    world.submit(0..total, 50).await;
    let mut through = HashSet::new();
    while (through.len() as u64) < total {
        // Room is made only when nothing has moved for a while.
        let before = probe.seen().len();
        tokio::time::sleep(Duration::from_millis(100)).await;
        if probe.seen().len() == before {
            through.extend(world.read("gate-bulk", Stream::Enriched, 50).await);
            assert!(before <= through.len() + 600 + 700, "{before} read, {}", through.len());
        }
    }

    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert!(world.letters().await.is_empty());
}

#[tokio::test]
async fn nothing_more_is_pulled_while_a_publish_is_blocked() {
    let world = narrow().await;
    let publisher = Publisher::new(&world.broker, "test");
    let fill = |n| Outgoing::new(Subject::Enriched(Lane::Bulk), &Item::new(n));
    let full = async |n| publisher.offer(vec![fill(n)], Duration::from_secs(5)).await.is_err();
    let mut filled = 0;
    while !full(1_000_000 + filled).await {
        filled += 1;
    }
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let running = probe.run(&runtime, StageConfig { in_flight: 100_000, ..Default::default() });
    world.submit(2_000_000..2_000_001, 1).await;
    eventually("handed over", || probe.seen().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    world.submit(2_000_001..2_000_400, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;

    assert_eq!(probe.seen(), [2_000_000], "the pulling has stopped");

    let mut through = Vec::new();
    while through.len() as u64 != filled + 400 {
        through.extend(world.read("gate-bulk", Stream::Enriched, 500).await);
    }
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;
}

#[tokio::test]
async fn a_stop_while_a_stream_is_full_gives_everything_back() {
    let world = narrow().await;
    world.submit(0..5000, 50).await;
    let (probe, runtime) = (Probe::relay(), world.runtime().await);
    let config = StageConfig { drain: Duration::from_millis(300), ..Default::default() };
    let running = probe.run(&runtime, config);
    world.holds(Stream::Enriched, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let drained = stop(&runtime, running).await;

    assert!(!drained.in_time && drained.left > 0, "{drained:?}");

    let through = world.numbers(Stream::Enriched).await;
    let kept = world.numbers(Stream::Submitted).await;
    let mut all: Vec<u64> = through.iter().chain(&kept).copied().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, (0..5000).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_waited_unread_gets_beats_too() {
    let small = StreamSettings::at_most(8 * MIB);
    let world = World::with(small, ack_wait(3)).await;
    world.submit(0..400, 20).await;
    let probe = Probe::new(|batch| async move {
        tokio::time::sleep(Duration::from_secs(4)).await;
        crate::common::probe::answer_all(&batch);
        Ok(())
    });

    let runtime = world.runtime().await;
    let config = StageConfig {
        ack_wait: Duration::from_secs(3),
        batch_max: 300,
        batches_under_way: 1,
        in_flight: 512,
        ..Default::default()
    };

    let running = probe.run(&runtime, config);
    world.empty(Stream::Submitted).await;
    stop(&runtime, running).await;

    assert_eq!(probe.seen().len(), 400);
    assert_eq!(world.deliveries(CONSUMER, Stream::Submitted).await, 20, "{:?}", probe.sizes());
}
