//! What the poller makes of texts whose receipt does not come.

use std::time::Duration;

use domain::message::state::{
    MessageState::{Delivered, InDoubt, Sent},
    NO_RECEIPT,
};
use jiff::Timestamp;
use reconcile::{RECEIPT_FETCH, RECEIPT_HORIZON, ReceiptStage};
use serde_json::json;
use testkit::hand_over;

use crate::{
    calls::{Calls, Text, now, text},
    ticks::{ids, tick, tick_at, types, unmarked},
    world::said,
};

const WATCHES: &str = "select count(*) from millrace.receipt_watches";

/// Business time, so long after the messages were sent.
fn after(wait: Duration) -> Timestamp {
    now() + wait
}

/// Texts that the carrier does not come to deliver.
fn slow() -> serde_json::Value {
    json!({ "receipts": { "delay_ms": [600_000, 600_000] } })
}

/// Waits until so many texts have come to this status at the carrier.
pub async fn until(world: &Calls, texts: usize, status: &str) -> anyhow::Result<()> {
    while world.lines().await?.iter().filter(|line| line["status"] == status).count() < texts {
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_text_whose_receipts_are_lost_is_found_delivered_ten_minutes_after_it_was_sent()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.sent(&[text(1), text(2)]).await?;
    assert_eq!(tick(&world.sweep().await?).await?, [""; 0]);
    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 0);
    assert_eq!(world.number(WATCHES).await?, 1, "one row for the chunk");

    until(&world, 2, "delivered").await?;
    let watch = world.watch().await?;
    let early = after(RECEIPT_FETCH - Duration::from_secs(1));
    assert_eq!(tick_at(&watch, early).await?, [""; 0]);

    let delivered = "message.delivered";
    assert_eq!(tick_at(&watch, after(RECEIPT_FETCH)).await?, [delivered, delivered]);

    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.version, stored.code), (Delivered, 4, None));
    assert_eq!(stored.verdicts, ["sent", "delivered"]);
    assert_eq!(world.number(WATCHES).await?, 0);
    assert_eq!(world.reserved().await?, 2, "what the carrier took is billed");
    Ok(())
}

#[tokio::test]
async fn a_text_that_failed_without_a_receipt_is_found_failed_with_the_carriers_code()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.faults(json!({ "undelivered": { "30005": 1.0 } })).await?;
    world.sent(&[text(1)]).await?;
    tick(&world.sweep().await?).await?;
    until(&world, 1, "undelivered").await?;

    let watch = world.watch().await?;
    assert_eq!(tick_at(&watch, after(RECEIPT_FETCH)).await?, ["message.failed"]);
    assert_eq!(world.stored(&text(1)).await?.code.as_deref(), Some("30005"));
    Ok(())
}

#[tokio::test]
async fn a_text_whose_receipt_came_is_not_watched() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.sent(&[text(1)]).await?;
    let sid = world.ledger().await?[0].1.clone();

    let stage = ReceiptStage::new(world.pipeline().await?);
    hand_over(&stage, now(), vec![world.receipt(text(1).id, &sid, "delivered")]).await?;

    assert_eq!(tick(&world.sweep().await?).await?, [""; 0]);
    assert_eq!(world.number("select count(*) from millrace.open_claims").await?, 0);
    assert_eq!(world.number(WATCHES).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_carrier_that_gives_no_answer_ends_nothing_and_is_asked_again() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.sent(&[text(1)]).await?;
    tick(&world.sweep().await?).await?;
    until(&world, 1, "delivered").await?;

    let watch = world.watch().await?;
    for (times, status) in (1..).zip([503, 429, 401]) {
        let outage = json!({
            "from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z", "status": status
        });
        world.faults(json!({ "account_outage": outage })).await?;
        let now = after(RECEIPT_FETCH * times);
        assert_eq!(tick_at(&watch, now).await?, [""; 0], "{status}");
        assert_eq!(world.states(&[text(1)]).await?, [Sent], "{status}");
        let looks = "select sum(looks)::bigint from millrace.receipt_watches";
        assert_eq!(world.number(looks).await?, 0, "{status}: it does not count");
    }

    world.faults(json!({})).await?;
    assert_eq!(tick_at(&watch, after(RECEIPT_FETCH * 4)).await?, ["message.delivered"]);
    Ok(())
}

#[tokio::test]
async fn without_a_receipt_a_text_is_final_at_the_horizon_and_a_late_one_still_raises_it()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.faults(slow()).await?;
    world.sent(&[text(1)]).await?;
    tick(&world.sweep().await?).await?;

    let watch = world.watch().await?;
    assert_eq!(tick_at(&watch, after(RECEIPT_FETCH)).await?, [""; 0]);
    let later = "select count(*) from millrace.receipt_watches
                 where looks = 1 and due = '2026-03-04T15:30:00Z'";
    assert_eq!(world.number(later).await?, 1, "the second wait is twice the first");

    let last = after(RECEIPT_HORIZON);
    assert_eq!(tick_at(&watch, last - Duration::from_secs(1)).await?, [""; 0]);
    assert_eq!(tick_at(&watch, last).await?, ["message.sent"]);

    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.version), (Sent, 4));
    assert_eq!(stored.code.as_deref(), Some(NO_RECEIPT));

    let reason = "select count(*) from millrace.messages
                  where passport -> 1 ->> 'reason' = 'no receipt came within 72 hours'";
    assert_eq!(world.number(reason).await?, 1);
    assert_eq!(world.number(WATCHES).await?, 0);

    let stage = ReceiptStage::new(world.pipeline().await?);
    let sid = stored.sid.expect("the carrier has it");
    for (status, events) in [("sent", vec![]), ("delivered", vec!["message.delivered".to_owned()])]
    {
        let receipt = world.receipt(text(1).id, &sid, status);
        assert_eq!(said(&hand_over(&stage, now(), vec![receipt]).await?), events);
    }
    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.version, stored.code), (Delivered, 5, None));
    Ok(())
}

#[tokio::test]
async fn a_watch_that_died_before_its_mark_is_repeated_with_the_same_events() -> anyhow::Result<()>
{
    let world = Calls::begin().await?;
    world.sent(&[text(1)]).await?;
    until(&world, 1, "delivered").await?;

    world.faults(slow()).await?;
    world.sent(&[text(2)]).await?;
    tick(&world.sweep().await?).await?;

    let last = after(RECEIPT_HORIZON);
    let first = unmarked(&world.watch().await?, last).await?;
    assert_eq!(types(&first.say), ["message.delivered", "message.sent"]);

    world.run("update millrace.receipt_watches set leased_until = now()").await?;
    let again = unmarked(&world.watch().await?, last + Duration::from_secs(70)).await?;
    assert_eq!(ids(&first.say), ids(&again.say));
    again.published.expect("there is something to mark").await?;
    assert_eq!(world.number(WATCHES).await?, 0);
    assert_eq!(world.number("select max(version) from millrace.messages").await?, 4);
    Ok(())
}

#[tokio::test]
async fn two_watches_at_once_raise_each_text_once() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts: Vec<Text> = (1..=12).map(text).collect();
    world.sent(&texts).await?;
    tick(&world.sweep().await?).await?;
    until(&world, 12, "delivered").await?;

    let (one, other) = (world.watch().await?, world.watch().await?);
    let now = after(RECEIPT_FETCH);
    let (first, second) = tokio::join!(tick_at(&one, now), tick_at(&other, now));
    assert_eq!(first?.len() + second?.len(), 12);

    let versions = "select count(*) from millrace.messages where state <> 22 or version <> 4";
    assert_eq!(world.number(versions).await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_comes_to_be_sent_by_the_list_a_callback_or_a_late_answer_is_watched()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts = [text(1), text(2), text(3), text(4)];
    world.doubts(&texts[..3], 3).await?;

    let sid = |of: &Text, ledger: &[(domain::ids::MessageId, String)]| {
        ledger.iter().find(|(id, _)| *id == of.id).map(|(_, sid)| sid.clone()).expect("taken")
    };
    let ledger = world.ledger().await?;
    world.heard(&texts[1], &sid(&texts[1], &ledger)).await?;

    let stage = ReceiptStage::new(world.pipeline().await?);
    let callback = world.receipt(texts[2].id, &sid(&texts[2], &ledger), "sent");
    hand_over(&stage, now(), vec![callback]).await?;

    // The sweep finds the first in the list, and tidies up behind the second.
    assert_eq!(tick(&world.sweep().await?).await?, ["message.sent"]);

    // The carrier said that it did not take the fourth, and calls back about it all the same.
    world.admit(&texts[3..]).await?;
    world.run("update millrace.messages set state = 1, turn = 1 where state = 3").await?;
    hand_over(&stage, now(), vec![world.receipt(texts[3].id, "SM4", "sent")]).await?;

    assert_eq!(world.states(&texts).await?, [Sent, Sent, Sent, Sent]);
    let watched = "select count(distinct m) from millrace.receipt_watches, unnest(messages) m";
    assert_eq!(world.number(watched).await?, 4);
    Ok(())
}

#[tokio::test]
async fn what_is_in_doubt_is_left_to_the_sweep() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.admit(&[text(1)]).await?;
    world.claim(crate::calls::OWNER, 0, &[text(1)]).await?;
    world.run("update millrace.messages set call_by = call_by - interval '12 s'").await?;
    world.run("update millrace.open_claims set call_by = call_by - interval '12 s'").await?;

    assert_eq!(tick(&world.sweep().await?).await?, [""; 0]);
    assert_eq!(world.states(&[text(1)]).await?, [InDoubt]);
    assert_eq!(world.number(WATCHES).await?, 0);
    assert_eq!(tick_at(&world.watch().await?, after(RECEIPT_HORIZON)).await?, [""; 0]);
    Ok(())
}
