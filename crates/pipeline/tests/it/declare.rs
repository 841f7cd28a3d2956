//! Streams and consumers are what the code declares, and no change of it loses data.

use std::{collections::HashSet, time::Duration};

use async_nats::jetstream::{
    Message,
    consumer::{PullConsumer, pull},
    stream::RetentionPolicy,
};
use futures::StreamExt;
use pipeline::{
    Broker, ConsumerSettings, StreamSettings, apply_consumers, apply_streams,
    consumers::{CONSUMERS, diff_consumers},
    streams::{apply_streams_that_fit, declared, diff_streams},
};
use wire::Stream;

use crate::common::{MIB, World, nats::Nats};

const SMALL: StreamSettings = StreamSettings::at_most(64 * MIB);

#[tokio::test]
async fn applying_twice_changes_nothing_the_second_time() {
    let nats = Nats::start();
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    let settings = ConsumerSettings::default();

    let consumers = diff_consumers(&broker, &settings).await.unwrap();
    assert_eq!(consumers.len(), CONSUMERS.len(), "missing with their streams");
    assert!(consumers.iter().all(|change| change.how == "missing"), "{consumers:?}");

    let missing = diff_streams(&broker, &SMALL).await.unwrap();
    assert_eq!(missing.len(), Stream::ALL.len());
    assert_eq!(missing[0].to_string(), "stream SUBMITTED: missing");
    assert_eq!(apply_streams(&broker, &SMALL).await.unwrap(), missing);
    assert_eq!(apply_consumers(&broker, &settings).await.unwrap().len(), CONSUMERS.len());
    assert_eq!(apply_streams(&broker, &SMALL).await.unwrap(), []);
    assert_eq!(apply_consumers(&broker, &settings).await.unwrap(), []);
    assert_eq!(diff_consumers(&broker, &settings).await.unwrap(), []);
}

#[tokio::test]
async fn a_harmless_change_is_made_and_an_operators_own_settings_stay() {
    let world = World::new().await;
    let mut config = declared(Stream::Dead, &SMALL);
    config.description = Some("ours".into());
    world.broker.api.update_stream(config).await.unwrap();

    let larger = StreamSettings::at_most(96 * MIB);
    let changes = apply_streams(&world.broker, &larger).await.unwrap();
    assert_eq!(changes.len(), Stream::ALL.len());
    assert_eq!(changes[0].to_string(), "stream SUBMITTED: max_bytes 67108864 -> 100663296");
    let found = world.broker.api.get_stream("DEAD").await.unwrap().cached_info().config.clone();
    assert_eq!((found.description.as_deref(), found.max_bytes), (Some("ours"), 96 * MIB));

    let settings =
        ConsumerSettings { ack_wait: Duration::from_secs(30), ..ConsumerSettings::default() };
    let changes = apply_consumers(&world.broker, &settings).await.unwrap();
    assert_eq!(changes.len(), CONSUMERS.len());
    assert_eq!(diff_consumers(&world.broker, &settings).await.unwrap(), []);
}

#[tokio::test]
async fn a_change_that_would_lose_data_is_refused_by_name_and_nothing_is_changed() {
    let world = World::new().await;
    let api = &world.broker.api;
    api.delete_stream("INBOUND").await.unwrap();
    api.delete_stream("SUBMITTED").await.unwrap();
    let mut kept = declared(Stream::Submitted, &SMALL);
    kept.retention = RetentionPolicy::Limits;
    api.create_stream(kept).await.unwrap();
    world.submit(0..1, 1).await;

    let refused = apply_streams(&world.broker, &SMALL).await.expect_err("would lose data");
    let said = refused.to_string();
    assert!(said.contains("stream SUBMITTED: retention Limits -> WorkQueue"), "{said}");
    assert!(api.get_stream("INBOUND").await.is_err(), "nothing at all is changed");

    world.purge(Stream::Submitted).await;
    let lesser = StreamSettings::at_most(1024);
    world.submit_raw(vec![b' '; 2048]).await;

    let said = apply_streams(&world.broker, &lesser).await.expect_err("too small").to_string();
    assert!(said.contains("max_bytes 67108864 -> 1024 (would lose data)"), "{said}");
}

#[tokio::test]
async fn texts_that_an_earlier_version_kept_with_receipts_are_moved_and_read_once() {
    let nats = Nats::start();
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    let mut before = declared(Stream::Carrier, &SMALL);
    before.subjects = vec!["carrier.*.*.*".into()];
    broker.api.create_stream(before).await.unwrap();
    let reader = |name: &str, kinds: [&str; 2]| pull::Config {
        durable_name: Some(name.into()),
        filter_subjects: kinds.map(|kind| format!("carrier.*.*.{kind}")).to_vec(),
        ..pull::Config::default()
    };
    let old = reader("inbound", ["inbound", "mixed"]);
    let old = broker.api.create_consumer_on_stream(old, "CARRIER").await.unwrap();
    let receipts = reader("reconcile", ["status", "mixed"]);
    broker.api.create_consumer_on_stream(receipts, "CARRIER").await.unwrap();
    for n in 0..6 {
        let kind = if n % 2 == 0 { "inbound" } else { "status" };
        let subject = format!("carrier.twilio.main.{kind}");
        broker.api.publish(subject, format!("{n}").into()).await.unwrap().await.unwrap();
    }
    let mut read = old.fetch().max_messages(1).messages().await.unwrap();
    read.next().await.unwrap().unwrap().double_ack().await.unwrap();

    let changes = apply_streams(&broker, &SMALL).await.unwrap();
    apply_consumers(&broker, &ConsumerSettings::default()).await.unwrap();

    let said: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let moved = "stream CARRIER: subjects carrier.*.*.* -> carrier.*.*.status";
    assert!(said.iter().any(|change| change == moved), "{said:?}");
    assert!(said.iter().any(|change| change == "stream TEXTS: missing"), "{said:?}");
    assert_eq!(unread(&broker, "inbound", "TEXTS").await, ["2", "4"]);
    assert_eq!(unread(&broker, "reconcile", "CARRIER").await, ["1", "3", "5"]);

    // Once more, and nothing is there twice.
    assert_eq!(apply_streams(&broker, &SMALL).await.unwrap(), []);
    assert_eq!(unread(&broker, "inbound", "TEXTS").await, [""; 0]);
}

/// What a consumer has not read, in order.
async fn unread(broker: &Broker, consumer: &str, stream: &str) -> Vec<String> {
    let found = broker.api.get_consumer_from_stream(consumer, stream).await;
    let found: PullConsumer = found.unwrap();
    let messages = found.fetch().max_messages(100).messages().await.unwrap();
    let text = |message: Result<Message, _>| async move {
        let message = message.unwrap();
        message.double_ack().await.unwrap();
        String::from_utf8(message.payload.to_vec()).unwrap()
    };
    messages.then(text).collect().await
}

#[tokio::test]
async fn a_broker_without_the_space_is_told_with_what_is_known_of_it() {
    let nats = Nats::of("2m", "max_file_store: 100MB");
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    let sizes = [(Stream::Enriched, 90 * MIB)].into();
    let settings = StreamSettings { sizes, ..StreamSettings::at_most(200 * MIB) };

    let refused = apply_streams(&broker, &settings).await.expect_err("too little").to_string();

    let needed = (Stream::ALL.len() as f64 * 200.0 - 110.0) / 1024.0;
    assert!(refused.starts_with("stream SUBMITTED does not fit"), "{refused}");
    assert!(refused.contains(&format!("need {needed:.1} GiB in all")), "{refused}");
    assert!(refused.contains("has set 0 MiB aside for them"), "{refused}");
    assert!(refused.contains("no room for the 200 MiB of this one"), "{refused}");
}

#[tokio::test]
async fn where_the_disk_is_small_the_largest_streams_are_halved_until_all_fit() {
    let nats = Nats::of("2m", "max_file_store: 3GB");
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();

    let fitting = apply_streams_that_fit(&broker, &StreamSettings::default()).await.unwrap();
    let again = apply_streams(&broker, &fitting).await.unwrap();

    let halved = (0..7).map(|times| (4096 * MIB) >> times);
    let fits = halved.clone().find(|&most| {
        let sizes = Stream::ALL.map(|stream| stream.max_bytes().min(most));
        sizes.iter().sum::<i64>() <= 3000 * 1000 * 1000
    });
    assert_eq!((fitting.max_bytes, again), (fits, vec![]));

    // Sizes that somebody chose are kept, whether they fit or not.
    let (nats, sizes) = (Nats::of("2m", "max_file_store: 3GB"), [(Stream::Dead, MIB)].into());
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    let chosen = StreamSettings { sizes, ..StreamSettings::default() };
    assert!(apply_streams_that_fit(&broker, &chosen).await.is_err());

    // And no stream is of no use.
    let nats = Nats::of("2m", "max_file_store: 100MB");
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    assert!(apply_streams_that_fit(&broker, &StreamSettings::default()).await.is_err());
}

#[tokio::test]
async fn a_consumer_that_belongs_to_no_stage_is_shown_and_left_alone() {
    let world = World::new().await;
    let api = &world.broker.api;
    let stranger = async_nats::jetstream::consumer::pull::Config {
        durable_name: Some("stranger".into()),
        filter_subject: "msg.submitted.other".into(),
        ..Default::default()
    };

    api.create_consumer_on_stream(stranger, "SUBMITTED").await.unwrap();
    let settings = ConsumerSettings::default();
    let found = diff_consumers(&world.broker, &settings).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].to_string().starts_with("consumer stranger: reads SUBMITTED"));
    assert_eq!(apply_consumers(&world.broker, &settings).await.unwrap(), []);
}

#[test]
fn every_consumer_reads_a_subject_of_its_stream_under_a_name_of_its_own() {
    let mut names = HashSet::new();
    for spec in CONSUMERS {
        assert!(names.insert((spec.stream.name(), spec.name)), "{} twice", spec.name);
        let first = |subjects: &str| subjects.split('.').next().unwrap().to_owned();
        for filter in spec.filters {
            assert_eq!(first(filter), first(spec.stream.subjects()[0]), "{}", spec.name);
        }
        if let Some(lane) = spec.lane {
            assert!(spec.filters.iter().all(|filter| filter.contains(lane.as_str())));
            assert!(spec.name.ends_with(lane.as_str()));
        }
        assert!(spec.name.starts_with(spec.stage.as_str()));
    }
}

#[tokio::test]
async fn no_broker_is_one_clear_line() {
    let refused = Broker::connect("nats://u:secret@127.0.0.1:1", None, "test").await;
    let said = refused.expect_err("nobody listens").to_string();
    assert!(said.starts_with("NATS_URL: no NATS at nats://127.0.0.1:1"), "{said}");
    assert!(!said.contains("secret") && !said.contains('\n'), "{said}");
}
