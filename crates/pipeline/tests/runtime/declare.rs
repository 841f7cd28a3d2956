//! Streams and consumers are what the code declares, and no change of it loses data.

use std::{collections::HashSet, time::Duration};

use async_nats::jetstream::stream::RetentionPolicy;
use pipeline::{
    Broker, ConsumerSettings, StreamSettings, apply_consumers, apply_streams,
    consumers::{CONSUMERS, diff_consumers},
    streams::{declared, diff_streams},
};
use wire::Stream;

use crate::common::{MIB, World, nats::Nats};

const SMALL: StreamSettings = StreamSettings { replicas: 1, max_bytes: Some(64 * MIB) };

#[tokio::test]
async fn applying_twice_changes_nothing_the_second_time() {
    let nats = Nats::start();
    let broker = Broker::connect(&nats.url(), None, "test").await.unwrap();
    let settings = ConsumerSettings::default();

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

    let larger = StreamSettings { max_bytes: Some(96 * MIB), ..SMALL };
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
    let lesser = StreamSettings { max_bytes: Some(1024), ..SMALL };
    world.submit_raw(vec![b' '; 2048]).await;

    let said = apply_streams(&world.broker, &lesser).await.expect_err("too small").to_string();
    assert!(said.contains("max_bytes 67108864 -> 1024 (would lose data)"), "{said}");
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
            assert_eq!(first(filter), first(spec.stream.subjects()), "{}", spec.name);
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
    assert!(said.starts_with("no NATS at nats://127.0.0.1:1"), "{said}");
    assert!(!said.contains("secret") && !said.contains('\n'), "{said}");
}
