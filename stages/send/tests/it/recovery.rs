//! What is left when a process dies or the database goes away, and what the next one makes of it.

use std::time::Duration;

use domain::message::state::MessageState;
use send::SendConfig;
use serde_json::json;
use stage::Outcome;
use testkit::{hand_over, in_words};

use crate::{
    outcomes::settle,
    world::{World, now},
};

#[tokio::test]
async fn a_claim_of_a_process_that_died_is_waited_for_and_then_in_doubt() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;
    world.faults(json!({ "latency_ms": 5_000 })).await?;

    let dying = world.stage().await?;
    let call = hand_over(&dying, now(), messages.clone());
    // Dropped while its call is under way.
    assert!(tokio::time::timeout(Duration::from_millis(500), call).await.is_err());

    let next = world.stage().await?;
    let waits = hand_over(&next, now(), messages.clone()).await?;
    assert!(matches!(waits[0], Outcome::Wait { .. }));

    world.run("update millrace.messages set call_by = call_by - interval '10 seconds'").await?;
    let doubt = settle(&next, &messages).await?;
    assert_eq!(in_words(&doubt[0]), ["in_doubt.raised"]);
    assert_eq!(world.accepted_once().await?, 1);

    let stored = world.stored(&messages[0]).await?;
    assert_eq!(
        (stored.state, stored.code.as_deref()),
        (MessageState::InDoubt, Some("call_unanswered"))
    );
    Ok(())
}

#[tokio::test]
async fn a_call_that_cannot_begin_in_time_is_given_back() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 3).await?;

    let config = SendConfig {
        allow_hosts: vec!["127.0.0.1".into()],
        call_by: Duration::ZERO,
        ..SendConfig::new("http://127.0.0.1:9")
    };

    let late = world.stage_with(config).await?;
    let outcomes = hand_over(&late, now(), messages.clone()).await?;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Wait { .. })));

    let stored = world.stored(&messages[0]).await?;
    assert_eq!((stored.state, stored.claimed, stored.attempt), (MessageState::Queued, false, 0));
    assert_eq!(world.accepted_once().await?, 0);

    settle(&world.stage().await?, &messages).await?;
    assert_eq!(world.accepted_once().await?, 3);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_could_not_be_recorded_is_recorded_when_the_database_is_back()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 5).await?;
    world.faults(json!({ "latency_ms": 700 })).await?;

    let stage = world.stage().await?;
    let cut = async {
        let claimed = "select count(*) from millrace.messages where claim_owner is not null";
        while world.number(claimed).await? < 5 {
            tokio::task::yield_now().await;
        }
        world.run("alter table millrace.messages rename to gone").await
    };

    let (fails, cut) = tokio::join!(hand_over(&stage, now(), messages.clone()), cut);
    cut?;
    assert!(fails.is_err());

    world.run("alter table millrace.gone rename to messages").await?;
    let outcomes = hand_over(&stage, now(), messages.clone()).await?;
    assert!(outcomes.iter().all(|outcome| in_words(outcome) == ["message.sent"]));
    assert_eq!(world.accepted_once().await?, 5);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_is_recorded_again_counts_once_for_the_rest_of_its_account()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    // As many as an account may have at once that nothing is known of, half of what it rests after.
    let messages = world.admit(sender, 9).await?;
    let (first, next) = messages.split_at(8);
    world.faults(json!({ "latency_ms": 700, "http_5xx_before": 1.0 })).await?;

    let stage = world.stage().await?;
    let cut = async {
        let claimed = "select count(*) from millrace.messages where claim_owner is not null";
        while world.number(claimed).await? < 8 {
            tokio::task::yield_now().await;
        }
        world.run("alter table millrace.messages rename to gone").await
    };
    let (fails, cut) = tokio::join!(hand_over(&stage, now(), first.to_vec()), cut);
    cut?;
    assert!(fails.is_err());
    world.run("alter table millrace.gone rename to messages").await?;

    let again = hand_over(&stage, now(), first.to_vec()).await?;
    assert!(again.iter().all(|outcome| in_words(outcome) == ["in_doubt.raised"]));

    // Eight calls were in vain and not sixteen: the account is called for the next text.
    let called = hand_over(&stage, now(), next.to_vec()).await?;
    assert_eq!(in_words(&called[0]), ["in_doubt.raised"]);
    assert_eq!(world.stored(&next[0]).await?.attempt, 1);
    Ok(())
}
