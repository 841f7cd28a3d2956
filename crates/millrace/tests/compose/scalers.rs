//! Every consumer of the pipeline scales the stage that reads it.

use std::collections::BTreeSet;

use pipeline::consumers::CONSUMERS;
use serde_json::Value;

use crate::{declared::KUBERNETES, files::yamls};

fn scaled_objects() -> Vec<Value> {
    yamls(&format!("{KUBERNETES}/scaling.yaml"))
}

#[test]
fn every_scaler_names_a_consumer_of_its_stage_and_every_consumer_has_one() {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut scaled = BTreeSet::new();
    for object in scaled_objects() {
        let target = word(&object["spec"]["scaleTargetRef"]["name"]);
        assert_eq!(object["metadata"]["name"], target.as_str());
        let stage = target.strip_prefix("millrace-").expect("a deployment of ours").to_owned();
        for trigger in object["spec"]["triggers"].as_array().expect("triggers") {
            assert_eq!(trigger["type"], "nats-jetstream");
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
        for trigger in spec["triggers"].as_array().expect("triggers") {
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
