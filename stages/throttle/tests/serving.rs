//! The throttle stage: who is served first, who waits, and for how long.

use domain::message::class::{Lane, MessageClass};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stage::{Batch, Cx, Outcome, Stage};
use throttle::ThrottleStage;
use uuid::Uuid;
use wire::{Relayed, Subject, subject::shard_of};

const AT: &str = "2026-03-02T17:00:00Z";

fn message(n: u128, tenant: &str, sender: u128, pace: u32, class: MessageClass) -> Relayed {
    let admitted = json!({
        "message": {
            "head": {
                "id": Uuid::from_u128(n), "tenant": tenant, "turn": 1, "class": class,
                "to": "+12125550123", "submitted_at": AT
            },
            "contact": Uuid::from_u128(n), "text": "Hi", "segments": 1, "cost": 7900,
            "place": {"zones": ["America/New_York"], "evidence": "prefix", "country": "US"},
            "senders": [Uuid::from_u128(sender)], "passport": []
        },
        "route": {
            "sender": Uuid::from_u128(sender), "number": "+12125550100", "account": "main",
            "pace": pace, "sendable_until": AT, "policy_version": 0
        }
    });
    serde_json::from_value(admitted).expect("a payload")
}

/// The answers in the order in which they were given.
async fn handle(
    throttle: &ThrottleStage,
    millis: i64,
    batch: Vec<Relayed>,
) -> Vec<(usize, Outcome)> {
    let start: Timestamp = AT.parse().expect("an instant");
    let machine = start + SignedDuration::from_millis(millis);
    let (batch, mut answers) = Batch::new(batch);
    throttle.handle(&Cx::at(machine, machine), batch).await.expect("no outage");
    std::iter::from_fn(|| answers.try_recv().ok()).collect()
}

#[tokio::test]
async fn a_neighbour_is_served_in_the_first_round_and_keeps_its_shard() {
    let throttle = ThrottleStage::new();
    let class = MessageClass::Promo;
    let mut batch: Vec<_> = (0..100).map(|n| message(n, "large", 1, 1_000, class)).collect();
    batch.push(message(100, "small", 2, 1, class));

    let answers = handle(&throttle, 0, batch.clone()).await;

    assert_eq!(answers.iter().position(|(index, _)| *index == 100), Some(10));
    for (index, outcome) in answers {
        let Outcome::Emit(say) = outcome else { panic!("all of them fit: {outcome:?}") };
        assert_eq!(say[0].subject, Subject::Released(Lane::Bulk, shard_of("main")));
        assert_eq!(say[0].json, serde_json::to_vec(&batch[index]).expect("json"));
    }
}

#[tokio::test]
async fn what_is_ahead_of_the_pace_waits_at_most_a_second_and_then_goes() {
    let throttle = ThrottleStage::new();
    let batch: Vec<_> =
        (0..4).map(|n| message(n, "acme", 1, 1, MessageClass::Transactional)).collect();

    let answers = handle(&throttle, 0, batch.clone()).await;
    let waits: Vec<_> = answers
        .iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Wait { until } => until.to_string(),
            other => other.label().into(),
        })
        .collect();
    assert_eq!(waits, ["emit", "emit", "2026-03-02T17:00:01Z", "2026-03-02T17:00:01Z"]);

    let answers = handle(&throttle, 1_000, batch[2..].to_vec()).await;
    let labels: Vec<_> = answers.iter().map(|(_, outcome)| outcome.label()).collect();
    assert_eq!(labels, ["emit", "wait"]);
}

#[tokio::test]
async fn a_backlog_beyond_patience_goes_on_to_be_parked() {
    let throttle = ThrottleStage::new();
    let batch: Vec<_> = (0..200).map(|n| message(n, "acme", 1, 1, MessageClass::Promo)).collect();

    let answers = handle(&throttle, 0, batch).await;

    let waiting =
        answers.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Wait { .. })).count();
    assert_eq!(waiting, 2, "what is due within two seconds");
}

#[tokio::test]
async fn urgent_is_not_behind_bulk_of_the_same_sender() {
    let throttle = ThrottleStage::new();
    let bulk: Vec<_> = (0..50).map(|n| message(n, "acme", 1, 10, MessageClass::Promo)).collect();
    handle(&throttle, 0, bulk).await;

    let code = message(99, "acme", 1, 10, MessageClass::Transactional);
    let answers = handle(&throttle, 0, vec![code]).await;

    assert!(matches!(answers[0].1, Outcome::Emit(_)));
}

#[tokio::test]
async fn a_message_goes_on_as_it_came_with_what_only_a_newer_version_knows() {
    let one = message(1, "acme", 1, 10, MessageClass::Promo);
    let mut newer = serde_json::to_value(one).expect("json");
    newer["message"]["later"] = json!({"b": 1.50, "a": [null]});
    let batch = vec![serde_json::from_value(newer.clone()).expect("a payload")];

    let answers = handle(&ThrottleStage::new(), 0, batch).await;

    let Outcome::Emit(say) = &answers[0].1 else { panic!("it fits: {answers:?}") };
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&say[0].json).expect("json"), newer);
}
