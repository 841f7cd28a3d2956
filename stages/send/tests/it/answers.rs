//! What becomes of a message when the carrier does not simply take it.

use domain::message::state::MessageState;
use serde_json::json;
use stage::Outcome;
use testkit::{hand_over, ids, in_words};

use crate::{
    outcomes::settle,
    world::{World, now},
};

#[tokio::test]
async fn a_refused_message_has_failed_and_its_budget_is_free_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 3).await?;

    world.faults(json!({ "refuse": { "21211": 1.0 } })).await?;
    let stage = world.stage().await?;
    let outcomes = hand_over(&stage, now(), messages.clone()).await?;
    assert!(outcomes.iter().all(|outcome| in_words(outcome) == ["message.failed"]));

    let failed = world.stored(&messages[0]).await?;
    assert_eq!((failed.state, failed.code.as_deref()), (MessageState::Failed, Some("21211")));
    assert!(!failed.reserved);
    assert_eq!(world.reserved(sender).await?, 0);

    let again = hand_over(&stage, now(), messages).await?;
    assert_eq!(ids(&outcomes), ids(&again), "a repeat says the same and changes nothing");
    assert_eq!(world.reserved(sender).await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_a_receipt_has_settled_before_is_not_corrected_by_the_answer() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;
    world.run("update millrace.messages set cost_micros = 0").await?;

    let outcomes = hand_over(&world.stage().await?, now(), messages.clone()).await?;
    assert_eq!(in_words(&outcomes[0]), ["message.sent"]);
    assert_eq!(world.reserved(sender).await?, 1, "who has recorded the receipt has corrected it");
    Ok(())
}

#[tokio::test]
async fn a_refusal_for_an_opt_out_is_an_opt_out_here_too() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;

    world.faults(json!({ "refuse": { "21610": 1.0 } })).await?;
    let stage = world.stage().await?;
    let outcomes = hand_over(&stage, now(), messages.clone()).await?;
    assert_eq!(in_words(&outcomes[0]), ["message.failed", "contact.opted_out"]);

    let again = hand_over(&stage, now(), messages).await?;
    assert_eq!(ids(&outcomes), ids(&again));

    let out = "select count(*) from millrace.standings where opt_out_cause = 'carrier'";
    assert_eq!(world.number(out).await?, 1);
    let ledger =
        "select count(*) from millrace.consents where action = 'revoke' and method = 'carrier'";
    assert_eq!(world.number(ledger).await?, 1);
    let trail = "select count(*) from millrace.audit_log where action = 'consent.revoked'
                 and actor = 'stage:send' and subject like 'number:+%'";
    assert_eq!(world.number(trail).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_throttled_message_is_parked_and_its_account_slowed() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 2).await?;

    world.faults(json!({ "http_429": { "rate": 1.0, "retry_after": 40 } })).await?;
    let stage = world.stage().await?;
    let first = hand_over(&stage, now(), messages[..1].to_vec()).await?;
    let due = now() + std::time::Duration::from_secs(40);
    assert!(matches!(first[0], Outcome::Park { due: Some(at), .. } if at == due));

    world.faults(json!({})).await?;
    let second = hand_over(&stage, now(), messages[1..].to_vec()).await?;
    assert_eq!(
        in_words(&second[0]),
        ["message.deferred"],
        "the account rests, the second waits too"
    );

    assert_eq!(world.accepted_once().await?, 0);
    assert_eq!(world.reserved(sender).await?, 0);
    let stored = world.stored(&messages[0]).await?;
    assert_eq!((stored.attempt, stored.claimed), (1, false));
    let turn = "select count(*) from millrace.parked where turn = 1 and lane = 'bulk'";
    assert_eq!(world.number(turn).await?, 2);
    Ok(())
}

#[tokio::test]
async fn an_account_whose_carrier_is_away_rests_and_puts_no_more_in_doubt() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 17).await?;

    world.faults(json!({ "http_5xx_before": 1.0 })).await?;
    let stage = world.stage().await?;
    let first = settle(&stage, &messages[..16]).await?;
    assert!(first.iter().all(|outcome| in_words(outcome) == ["in_doubt.raised"]));

    let next = hand_over(&stage, now(), messages[16..].to_vec()).await?;
    assert_ne!(in_words(&next[0]), ["in_doubt.raised"], "the account rests");
    assert_eq!(world.stored(&messages[16]).await?.attempt, 0, "it was not called for the last one");
    let away = "select count(*) from millrace.account_pace where away_until > clock_timestamp()";
    assert_eq!(world.number(away).await?, 1, "the gates see that its carrier does not answer");
    Ok(())
}

#[tokio::test]
async fn refused_credentials_hold_the_accounts_messages() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 2).await?;

    let stage = world.stage().await?;
    hand_over(&stage, now(), messages[..1].to_vec()).await?;

    world.change_token("another token").await?;
    let held = hand_over(&stage, now(), messages[1..].to_vec()).await?;
    assert_eq!(in_words(&held[0]), ["message.held"]);

    let waiting =
        "select count(*) from millrace.parked where cause_key = 'account:main' and due is null";
    assert_eq!(world.number(waiting).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_token_that_cannot_be_opened_holds_without_a_call() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;
    world.run("update millrace.carrier_accounts set sealed_token = 'xx'").await?;

    let held = hand_over(&world.stage().await?, now(), messages.clone()).await?;
    assert_eq!(in_words(&held[0]), ["message.held"]);

    let stored = world.stored(&messages[0]).await?;
    assert_eq!((stored.code.as_deref(), stored.attempt), (Some("account_token_unread"), 0));
    Ok(())
}

#[tokio::test]
async fn a_lost_response_leaves_the_message_in_doubt_and_it_is_never_called_again()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 4).await?;

    world.faults(json!({ "lost_response": 1.0 })).await?;
    let outcomes = settle(&world.stage().await?, &messages).await?;
    assert!(outcomes.iter().all(|outcome| in_words(outcome) == ["in_doubt.raised"]));

    world.faults(json!({})).await?;
    let again = settle(&world.stage().await?, &messages).await?;
    assert_eq!(ids(&outcomes), ids(&again));

    assert_eq!(world.accepted_once().await?, 4);
    let stored = world.stored(&messages[0]).await?;
    assert_eq!((stored.state, stored.reserved), (MessageState::InDoubt, true));
    Ok(())
}

#[tokio::test]
async fn a_receipt_that_was_faster_than_the_answer_stays() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550001", 1_000).await?;
    let messages = world.admit(sender, 1).await?;
    world.faults(json!({ "latency_ms": 400 })).await?;

    let stage = world.stage().await?;

    let receipt = async {
        let claimed = "select count(*) from millrace.messages where claim_owner is not null";
        while world.number(claimed).await? == 0 {
            tokio::task::yield_now().await;
        }
        world
            .run(
                "update millrace.messages set state = 22, version = version + 1, \
                 carrier_sid = 'SMreceipt'",
            )
            .await
    };

    let (outcomes, merged) = tokio::join!(hand_over(&stage, now(), messages.clone()), receipt);
    merged?;

    assert_eq!(in_words(&outcomes?[0]), ["message.delivered"]);
    let stored = world.stored(&messages[0]).await?;
    assert_eq!((stored.state, stored.version), (MessageState::Delivered, 3));
    assert_eq!(stored.sid.as_deref(), Some("SMreceipt"));
    Ok(())
}
