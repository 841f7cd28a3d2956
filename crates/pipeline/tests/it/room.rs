//! Streams that are kept for a time, filled to several times their size: with readers that keep up
//! nothing stops and nothing is lost; with one that is away producers stop, and go on with it.

use std::{ops::Range, sync::atomic::Ordering::Relaxed, time::Duration};

use async_nats::jetstream::consumer::PullConsumer;
use domain::ids::TenantId;
use futures::StreamExt;
use pipeline::{
    ConsumerSettings, PublishError, Publisher, SourceConfig, StageConfig, StreamPurge,
    StreamSettings, purge::LETTERS, room::fill, run_source,
};
use stage::{Batch, Cx, Fault, Outcome, Source, Stage, StageName};
use tokio_util::sync::CancellationToken;
use wire::{EventKind, Stream, Subject, frame::Outgoing, subject::WebhookKind};

use crate::common::{Item, MIB, World, eventually};

/// How long an answer of the broker may take.
const BUDGET: Duration = Duration::from_secs(5);

/// Bytes of one entry of these tests.
const ENTRY: usize = 16 * 1024;

async fn small() -> World {
    World::with(StreamSettings::at_most(2 * MIB), ConsumerSettings::default()).await
}

/// Entries of one frame each, with their numbers.
fn entries(subject: &Subject, numbers: Range<u64>) -> Vec<Vec<Outgoing>> {
    let item = |n| Item { text: "x".repeat(ENTRY), ..Item::new(n) };
    numbers.map(|n| vec![Outgoing::new(subject.clone(), &item(n))]).collect()
}

fn event() -> Subject {
    Subject::Event("acme".parse().expect("a key"), EventKind::CountsMoved)
}

fn webhook(kind: WebhookKind) -> Subject {
    let token = |name| wire::subject::Token::new(name).expect("a token");
    Subject::Carrier(token("twilio"), token("main"), kind)
}

async fn say(publisher: &Publisher, subject: &Subject, numbers: Range<u64>) {
    for entry in entries(subject, numbers) {
        publisher.offer(entry, BUDGET).await.unwrap();
    }
}

/// Reads so many entries of a consumer, and gives their numbers.
async fn read(world: &World, (consumer, stream): (&str, Stream), count: usize) -> Vec<u64> {
    let found = world.broker.api.get_consumer_from_stream(consumer, stream.name()).await;
    let found: PullConsumer = found.unwrap();
    let mut messages = found.fetch().max_messages(count).messages().await.unwrap();

    let mut numbers = Vec::new();
    while let Some(message) = messages.next().await {
        let message = message.unwrap();
        let frame: serde_json::Value = serde_json::from_slice(&message.payload).unwrap();
        numbers.push(frame[0]["n"].as_u64().unwrap());
        message.double_ack().await.unwrap();
    }
    numbers
}

async fn tick(world: &World) {
    let clock: stage::Clock = std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let source = StreamPurge::new(world.broker.clone());
    while source.tick(&Cx::read(&clock)).await.unwrap().more {}
}

#[tokio::test]
async fn with_readers_that_keep_up_a_stream_takes_several_times_its_size_and_loses_nothing() {
    let world = small().await;
    let publisher = Publisher::new(&world.broker, "api");
    let rounds = 8 * MIB as u64 / (16 * ENTRY as u64);

    for round in 0..rounds {
        let numbers = round * 16..(round + 1) * 16;
        say(&publisher, &event(), numbers.clone()).await;
        say(&publisher, &webhook(WebhookKind::Status), numbers.clone()).await;
        say(&publisher, &webhook(WebhookKind::Inbound), numbers.clone()).await;

        let all: Vec<u64> = numbers.collect();
        assert_eq!(read(&world, ("rollup", Stream::Events), 16).await, all);
        assert_eq!(read(&world, ("reconcile", Stream::Carrier), 16).await, all);
        assert_eq!(read(&world, ("inbound", Stream::Texts), 16).await, all);
        tick(&world).await;
    }

    // What is kept is the newest, and at least half of what fits.
    for stream in [Stream::Events, Stream::Carrier, Stream::Texts] {
        let fill = fill(&world.broker, stream).await.unwrap();
        assert_eq!((fill.last, fill.unread_bytes()), (rounds * 16, 0));
        assert!(fill.bytes > MIB as u64 && !fill.is_nearly_full(), "{stream:?}: {fill:?}");
    }
}

#[tokio::test]
async fn with_a_reader_away_producers_stop_at_half_and_texts_are_taken_and_nothing_is_lost() {
    let world = small().await;
    let publisher = Publisher::new(&world.broker, "api").minding(&[
        Stream::Events,
        Stream::Carrier,
        Stream::Texts,
    ]);
    let full = |stream| Err(PublishError::Full(stream));

    // Nobody reads receipts: sooner or later none is taken, with room left.
    let receipts = webhook(WebhookKind::Status);
    let mut taken = 0;
    for entry in entries(&receipts, 0..120) {
        let offered = publisher.offer(entry, BUDGET).await;
        if offered == full(Stream::Carrier) {
            break;
        }
        assert_eq!(offered, Ok(()));
        taken += 1;
        tick(&world).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!((64..120).contains(&taken), "{taken} of 128 fit");

    // A STOP is taken all the same, and read.
    say(&publisher, &webhook(WebhookKind::Inbound), 0..4).await;
    assert_eq!(read(&world, ("inbound", Stream::Texts), 4).await, [0, 1, 2, 3]);

    // The reader returns: it finds everything, and receipts are taken again.
    let found = read(&world, ("reconcile", Stream::Carrier), taken as usize).await;
    assert_eq!(found, (0..taken).collect::<Vec<_>>());
    let again = async {
        while publisher.offer(entries(&receipts, 500..501).remove(0), BUDGET).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again).await.expect("there is room again");
}

#[tokio::test]
async fn what_is_unread_is_never_taken_away_however_full_the_stream_is() {
    let world = small().await;
    let publisher = Publisher::new(&world.broker, "api");
    say(&publisher, &event(), 0..40).await;
    assert_eq!(read(&world, ("rollup", Stream::Events), 10).await.len(), 10);

    let mut last = 40;
    while publisher.offer(entries(&event(), last..last + 1).remove(0), BUDGET).await.is_ok() {
        last += 1;
        tick(&world).await;
    }

    let unread: Vec<u64> = (10..last).collect();
    assert_eq!(read(&world, ("rollup", Stream::Events), last as usize).await, unread);
    tick(&world).await;
    say(&publisher, &event(), last..last + 1).await;
}

#[tokio::test]
async fn what_others_read_is_not_unread_by_who_reads_a_rare_subject() {
    let world = small().await;
    let publisher = Publisher::new(&world.broker, "api");
    say(&publisher, &webhook(WebhookKind::Inbound), 0..40).await;
    say(&publisher, &webhook(WebhookKind::Mixed), 40..41).await;
    assert_eq!(read(&world, ("inbound", Stream::Texts), 41).await.len(), 41);

    // One of two readers is at the only entry that both read.
    let other = world.broker.api.get_consumer_from_stream("reconcile-mixed", "TEXTS").await;
    let other: PullConsumer = other.unwrap();
    let mut held = other.fetch().max_messages(1).messages().await.unwrap();
    let held = held.next().await.unwrap().unwrap();

    let fill = fill(&world.broker, Stream::Texts).await.unwrap();
    assert_eq!((fill.last, fill.unread_from), (41, 41));
    held.double_ack().await.unwrap();
}

/// Reads SUBMITTED and fills EVENTS.
struct Filler;

impl Stage for Filler {
    const NAME: StageName = StageName::Enrich;
    const FROM: &'static [Stream] = &[Stream::Submitted];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = Item;

    async fn handle(&self, _: &Cx, batch: Batch<Item>) -> Result<(), Fault> {
        (0..batch.items().len()).for_each(|index| batch.answer(index, Outcome::DONE));
        Ok(())
    }
}

#[tokio::test]
async fn a_stage_takes_nothing_new_while_more_than_half_of_what_it_fills_is_unread() {
    let world = small().await;
    say(&Publisher::new(&world.broker, "api"), &event(), 0..80).await;
    let runtime = world.runtime().await;
    let running = tokio::spawn({
        let runtime = runtime.clone();
        async move { pipeline::run(Filler, &runtime, &StageConfig::default()).await.unwrap() }
    });

    // It may take what is there before it has looked.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.submit(0..10, 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(world.numbers(Stream::Submitted).await, (0..10).collect::<Vec<_>>());

    read(&world, ("rollup", Stream::Events), 80).await;
    world.empty(Stream::Submitted).await;
    runtime.stop.cancel();
    assert_eq!(running.await.unwrap().left, 0);
}

/// Counts its ticks, and fills EVENTS.
#[derive(Clone, Default)]
struct Ticker(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Source for Ticker {
    const NAME: StageName = StageName::Audience;
    const FILLS: &'static [Stream] = &[Stream::Events];

    async fn tick(&self, _: &Cx) -> Result<stage::Tick, Fault> {
        self.0.fetch_add(1, Relaxed);
        Ok(stage::Tick::default())
    }
}

#[tokio::test]
async fn a_source_does_not_tick_meanwhile() {
    let world = small().await;
    say(&Publisher::new(&world.broker, "api"), &event(), 0..80).await;
    let (runtime, ticker) = (world.runtime().await, Ticker::default());
    let config = SourceConfig { interval: Duration::from_millis(20), ..SourceConfig::default() };
    let running = tokio::spawn({
        let (runtime, ticker) = (runtime.clone(), ticker.clone());
        async move { run_source(ticker, &runtime, &config).await }
    });

    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = ticker.0.load(Relaxed);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ticker.0.load(Relaxed), before);

    read(&world, ("rollup", Stream::Events), 80).await;
    eventually("it ticks again", || ticker.0.load(Relaxed) > before).await;
    runtime.stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn dead_letters_are_bounded_by_tenant_and_stage_once_they_are_written_down() {
    let world = World::new().await;
    let dead = |tenant: &str| Subject::Dead("gate", Some(tenant.parse::<TenantId>().unwrap()));
    let publisher = Publisher::new(&world.broker, "test");
    for (tenant, count) in [("noisy", LETTERS + 5), ("quiet", 3)] {
        for n in 0..count {
            let letter = Outgoing::new(dead(tenant), &Item::new(n));
            publisher.publish(vec![letter], &CancellationToken::new()).await.unwrap();
        }
    }

    tick(&world).await;
    let all = LETTERS as usize + 8;
    assert_eq!(world.stored(Stream::Dead).await.len(), all, "none is written down yet");

    assert_eq!(read(&world, ("reconcile-dead", Stream::Dead), all).await.len(), all);
    tick(&world).await;
    assert_eq!(kept(&world, "noisy").await, (5..LETTERS + 5).collect::<Vec<_>>());
    assert_eq!(kept(&world, "quiet").await, [0, 1, 2]);
}

#[tokio::test]
async fn where_dead_is_nearly_full_whoever_has_most_makes_room() {
    let world = small().await;
    let dead = |tenant: &str| Subject::Dead("gate", Some(tenant.parse::<TenantId>().unwrap()));
    let publisher = Publisher::new(&world.broker, "test");
    say(&publisher, &dead("noisy"), 0..90).await;
    say(&publisher, &dead("quiet"), 0..10).await;
    read(&world, ("reconcile-dead", Stream::Dead), 100).await;

    tick(&world).await;

    let noisy = kept(&world, "noisy").await;
    assert_eq!((noisy.first(), noisy.last()), (Some(&24), Some(&89)), "a quarter is gone");
    assert_eq!(kept(&world, "quiet").await.len(), 10);
}

/// The numbers of a tenant's letters of gate.
async fn kept(world: &World, tenant: &str) -> Vec<u64> {
    let stored = world.stored(Stream::Dead).await;
    let of_tenant = stored.iter().filter(|(subject, _)| subject.ends_with(tenant));
    let number = |(_, bytes): &(String, Vec<u8>)| {
        let frame: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        frame[0]["n"].as_u64().unwrap()
    };
    of_tenant.map(number).collect()
}
