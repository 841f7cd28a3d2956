//! The publisher: frames, ids, order, totals, and what the ingress is told.

use std::time::Duration;

use domain::message::class::Lane;
use pipeline::{PublishError, Publisher, StreamSettings, streams::declared};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::{MemberKey, Stream, Subject, frame::Outgoing, subject::Scope};

use crate::common::{Item, MIB, World};

fn say(lane: Lane, range: std::ops::Range<u64>) -> Vec<Outgoing> {
    range.map(|n| Outgoing::new(Subject::Submitted(lane), &Item::new(n))).collect()
}

const BUDGET: Duration = Duration::from_secs(5);

#[tokio::test]
async fn subjects_are_told_apart_and_the_order_within_each_is_kept() {
    let world = World::new().await;
    let publisher = Publisher::new(&world.broker, "api");
    let mixed = say(Lane::Urgent, 0..300).into_iter().zip(say(Lane::Bulk, 1000..1300));
    let mixed = mixed.flat_map(|(urgent, bulk)| [urgent, bulk]).collect();
    publisher.offer(mixed, BUDGET).await.unwrap();

    let frames = world.stored(Stream::Submitted).await;
    let subjects: Vec<&str> = frames.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects.iter().filter(|s| **s == "msg.submitted.urgent").count(), 2);
    assert_eq!(subjects.len(), 4, "300 of each in frames of at most 256");

    let numbers = world.numbers(Stream::Submitted).await;
    let urgent: Vec<u64> = numbers.iter().copied().filter(|&n| n < 1000).collect();
    assert_eq!(urgent, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_repeat_is_stored_once_and_another_cut_is_stored_again() {
    let world = World::new().await;
    let publisher = Publisher::new(&world.broker, "api");
    for _ in 0..3 {
        publisher.offer(say(Lane::Bulk, 0..10), BUDGET).await.unwrap();
    }
    assert_eq!(world.stored(Stream::Submitted).await.len(), 1);
    publisher.offer(say(Lane::Bulk, 0..9), BUDGET).await.unwrap();
    assert_eq!(world.stored(Stream::Submitted).await.len(), 2);
}

#[tokio::test]
async fn the_trace_of_a_message_travels_in_a_header() {
    let world = World::new().await;
    let publisher = Publisher::new(&world.broker, "api");
    let mut one = say(Lane::Bulk, 0..1);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    one[0].trace = Some(trace.into());
    publisher.offer(one, BUDGET).await.unwrap();
    let mut bad = say(Lane::Bulk, 1..2);
    bad[0].trace = Some("two\r\nlines".into());
    publisher.offer(bad, BUDGET).await.unwrap();

    let stream = world.broker.api.get_stream("SUBMITTED").await.unwrap();
    let first = stream.get_raw_message(1).await.unwrap().headers;
    assert_eq!(first.get("traceparent").unwrap().as_str(), trace);
    assert!(stream.get_raw_message(2).await.unwrap().headers.get("traceparent").is_none());
}

#[tokio::test]
async fn totals_travel_bare_and_an_older_one_can_be_put_right() {
    let world = World::new().await;
    let publisher = Publisher::new(&world.broker, "rollup");
    let tenant = Item::new(0).tenant;

    let total = |version: u64| Outgoing {
        subject: Subject::Analytics(tenant.clone(), Scope::Dashboard),
        key: MemberKey::of(uuid::Uuid::from_u128(version.into())),
        trace: None,
        json: format!(r#"{{"version":{version}}}"#).into_bytes(),
    };

    for version in [6, 5, 6] {
        publisher.publish(vec![total(version)], &CancellationToken::new()).await.unwrap();
    }
    let stored = world.stored(Stream::Analytics).await;
    let last = ("analytics.acme.dashboard".to_owned(), br#"{"version":6}"#.to_vec());
    assert_eq!(stored, [last]);
}

#[tokio::test]
async fn the_ingress_is_told_at_once_that_a_stream_is_full() {
    let world = World::new().await;
    let mut config = declared(Stream::Submitted, &StreamSettings::default());
    config.max_bytes = 4 * 1024;
    world.broker.api.update_stream(config).await.unwrap();
    let publisher = Publisher::new(&world.broker, "api");
    let begun = Instant::now();
    let mut said = Ok(());
    for n in 0..100 {
        said = publisher.offer(say(Lane::Bulk, n * 10..n * 10 + 10), BUDGET).await;
        if said.is_err() {
            break;
        }
    }

    assert_eq!(said, Err(PublishError::Full(Stream::Submitted)));
    assert!(begun.elapsed() < BUDGET, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn the_ingress_is_told_within_its_budget_that_nobody_answers() {
    let world = World::new().await;
    world.broker.api.delete_stream("SUBMITTED").await.unwrap();
    let publisher = Publisher::new(&world.broker, "api");
    let begun = Instant::now();
    let said = publisher.offer(say(Lane::Bulk, 0..1), Duration::from_millis(300)).await;

    let unavailable =
        matches!(&said, Err(PublishError::Unavailable { stream: Stream::Submitted, .. }));
    assert!(unavailable, "{said:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());

    let mut large = say(Lane::Bulk, 0..1);
    large[0].json = vec![b'1'; 2 * 1024 * 1024];
    let said = publisher.offer(large, BUDGET).await;

    assert!(matches!(said, Err(PublishError::TooLarge { .. })), "{said:?}");
}

#[tokio::test]
async fn a_publish_waits_for_a_stream_until_it_is_there_or_the_process_stops() {
    let world = World::new().await;
    world.broker.api.delete_stream("SUBMITTED").await.unwrap();
    let publisher = Publisher::new(&world.broker, "schedule");
    let stop = CancellationToken::new();
    let waiting = tokio::spawn({
        let (publisher, stop) = (publisher.clone(), stop.clone());
        async move { publisher.publish(say(Lane::Bulk, 0..1), &stop).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;

    assert!(!waiting.is_finished());

    pipeline::apply_streams(&world.broker, &StreamSettings::at_most(64 * MIB)).await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(()));

    world.broker.api.delete_stream("SUBMITTED").await.unwrap();
    stop.cancel();
    let said = publisher.publish(say(Lane::Bulk, 1..2), &stop).await;

    assert_eq!(said, Err(PublishError::Stopped));
}
