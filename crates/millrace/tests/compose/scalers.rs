//! Every consumer of the pipeline scales the stage that reads it.

use std::collections::BTreeSet;

use boot::telemetry::catalogue::{CATALOGUE, MetricKind};
use pipeline::consumers::CONSUMERS;
use serde_json::Value;

use crate::{
    declared::KUBERNETES,
    files::{pieces, yamls},
};

fn scaled_objects() -> Vec<Value> {
    yamls(&format!("{KUBERNETES}/scaling.yaml"))
}

/// The triggers of a scaler that are of this type.
fn of_type<'a>(kind: &'a str, object: &'a Value) -> impl Iterator<Item = &'a Value> {
    let triggers = object["spec"]["triggers"].as_array().expect("triggers");
    triggers.iter().filter(move |trigger| trigger["type"] == kind)
}

#[test]
fn every_scaler_asks_nats_or_prometheus() {
    for object in scaled_objects() {
        let known =
            of_type("nats-jetstream", &object).count() + of_type("prometheus", &object).count();
        assert_eq!(object["spec"]["triggers"].as_array().map(Vec::len), Some(known));
    }
}

#[test]
fn reply_is_scaled_by_the_conversations_that_wait_in_rows() {
    let objects = scaled_objects();
    let by_rows = objects.iter().flat_map(|object| {
        of_type("prometheus", object).map(move |trigger| (&object["metadata"]["name"], trigger))
    });
    let by_rows: Vec<_> = by_rows.collect();
    let [(name, trigger)] = by_rows.as_slice() else { panic!("one scaler, not {by_rows:?}") };
    assert_eq!(**name, "millrace-reply");

    let of = &trigger["metadata"];
    assert!(of["serverAddress"].as_str().is_some_and(|url| url.starts_with("http://")));
    // KEDA takes numbers as text; a process has 256 conversations at the model.
    let threshold = of["threshold"].as_str().and_then(|text| text.parse::<u32>().ok());
    assert!(threshold.is_some_and(|threshold| (1..256).contains(&threshold)), "{of}");

    let query = of["query"].as_str().expect("a query");
    let names = pieces(query, "millrace_", |c| c.is_ascii_lowercase() || c == '_');
    let names: BTreeSet<_> = names.collect();
    assert_eq!(names, ["millrace_replies_under_way", "millrace_replies_waiting"].into());
    for name in names {
        let known = CATALOGUE.iter().find(|(known, ..)| *known == name);
        assert_eq!(known.map(|(_, kind, _)| *kind), Some(MetricKind::Gauge), "{name}");
    }
}

#[test]
fn every_scaler_names_a_consumer_of_its_stage_and_every_consumer_has_one() {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut scaled = BTreeSet::new();
    for object in scaled_objects() {
        let target = word(&object["spec"]["scaleTargetRef"]["name"]);
        assert_eq!(object["metadata"]["name"], target.as_str());
        let stage = target.strip_prefix("millrace-").expect("a deployment of ours").to_owned();
        for trigger in of_type("nats-jetstream", &object) {
            let of = &trigger["metadata"];
            scaled.insert((stage.clone(), word(&of["stream"]), word(&of["consumer"])));
        }
    }

    let read = CONSUMERS.iter().map(|spec| {
        let (stage, stream) = (spec.stage.as_str(), spec.stream.name());
        (stage.to_owned(), stream.to_owned(), spec.name.to_owned())
    });
    assert_eq!(scaled, read.collect());
}

#[test]
fn every_scaler_keeps_one_process_and_asks_the_same_server() {
    let mut servers = BTreeSet::new();
    for object in scaled_objects() {
        let spec = &object["spec"];
        assert_eq!((&spec["minReplicaCount"], &spec["maxReplicaCount"]), (&1.into(), &8.into()));
        for trigger in of_type("nats-jetstream", &object) {
            let of = &trigger["metadata"];
            // KEDA takes numbers as text.
            let frames = of["lagThreshold"].as_str().and_then(|text| text.parse::<u32>().ok());
            assert!(frames.is_some_and(|frames| frames > 0), "{of}");
            servers.insert((
                of["natsServerMonitoringEndpoint"].to_string(),
                of["account"].to_string(),
            ));
        }
    }
    assert_eq!(servers.len(), 1, "{servers:?}");
}
