//! Simulated people.

use serde_json::json;

use crate::support::{PHONE, World};

async fn world(personas: serde_json::Value) -> World {
    let world = World::new().await;
    world.faults(json!({})).await;
    world.register().await;
    world.put("personas", personas).await;
    world
}

fn inbound(world: &World) -> Vec<String> {
    let hits = world.receiver.hits();
    let inbound = hits.iter().filter(|hit| hit.reference == "inbound");
    inbound.map(|hit| hit.form["Body"].clone()).collect()
}

#[tokio::test]
async fn nobody_answers_by_default() {
    let world = world(json!({})).await;
    world.send(PHONE, "hi", "m1").await;
    assert_eq!(world.rest().await["inbound"]["total"], 0);
}

#[tokio::test]
async fn somebody_who_stops_does_so_once_and_is_blocked() {
    let world = world(json!({ "stop_rate": 1, "reply_delay_ms": [0, 5] })).await;
    world.send(PHONE, "hi", "m1").await;
    let stats = world.rest().await;
    assert_eq!((&stats["inbound"]["stop"], &stats["inbound"]["total"]), (&json!(1), &json!(1)));
    assert_eq!(inbound(&world).len(), 1);
    world.send(PHONE, "again", "m2").await.refused(400, 21610);
}

#[tokio::test]
async fn a_spanish_stop_is_left_to_the_platform() {
    let world = world(json!({ "alto_rate": 1, "reply_delay_ms": [0, 5] })).await;
    world.send(PHONE, "hola", "m1").await;
    assert_eq!(world.rest().await["inbound"]["alto"], 1);
    assert_eq!(inbound(&world)[0].to_uppercase(), "ALTO");
    assert_eq!(world.send(PHONE, "otra vez", "m2").await.status, 201);
    assert_eq!(world.rest().await["inbound"]["total"], 1);
}

#[tokio::test]
async fn a_conversation_ends_after_two_texts_of_a_person() {
    let personas = json!({ "question_rate": 1, "follow_up_rate": 1, "reply_delay_ms": [0, 5],
        "languages": { "en": 0, "es": 1 } });
    let world = world(personas).await;
    for n in 0..4 {
        world.send(PHONE, &format!("text {n}"), &n.to_string()).await;
        world.rest().await;
    }

    let said = inbound(&world);
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|text| text.contains('¿')), "{said:?}");
    assert_eq!(world.stats().await["inbound"]["question"], 2);
}

#[tokio::test]
async fn texts_that_are_not_delivered_get_no_answer() {
    let world = world(json!({ "question_rate": 1, "reply_delay_ms": [0, 5] })).await;
    world.faults(json!({ "undelivered": { "30003": 1 } })).await;
    world.send(PHONE, "hi", "m1").await;
    assert_eq!(world.rest().await["inbound"]["total"], 0);
}

#[tokio::test]
async fn a_crowd_behaves_as_its_rates_say_and_the_same_each_time() {
    let personas = json!({ "stop_rate": 0.1, "question_rate": 0.3, "help_rate": 0.1,
        "reply_delay_ms": [0, 5], "seed": 9 });
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = world(personas.clone()).await;
        for n in 0..200 {
            world.send(&format!("+1415555{n:04}"), "hi", &n.to_string()).await;
        }
        let stats = world.rest().await;
        runs.push(stats["inbound"].clone());
    }

    assert_eq!(runs[0], runs[1]);
    let count = |kind: &str| runs[0][kind].as_u64().unwrap();
    assert!((8..=35).contains(&count("stop")), "{}", runs[0]);
    assert!((40..=80).contains(&count("question")), "{}", runs[0]);
    assert!((8..=35).contains(&count("help")), "{}", runs[0]);
}
