//! Doubts of which nothing can be learnt: they end at their last date, whatever has become of the
//! sender, the account and the carrier.

use domain::message::state::MessageState::{Deferred, Delivered, InDoubt, Sent, Unknown};
use jiff::{SignedDuration, Timestamp};
use reconcile::ReceiptStage;
use serde_json::json;
use testkit::hand_over;

use crate::{
    calls::{Calls, now, text},
    ticks::{ids, tick, tick_at, unmarked},
    world::said,
};

/// The last date of doubts that were raised now.
fn last_date() -> Timestamp {
    now() + SignedDuration::from_hours(72)
}

/// The carrier is away: no list can be read.
async fn away(world: &Calls) -> anyhow::Result<()> {
    let (from, to) = ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z");
    world.faults(json!({ "account_outage": { "from": from, "to": to, "status": 503 } })).await
}

/// Ends one doubt at its last date and not before, after this has been done to the database.
async fn ends_after(sql: &str) -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    world.run(sql).await?;
    let sweep = world.sweep().await?;

    let before = last_date() - SignedDuration::from_micros(1);
    assert_eq!(tick_at(&sweep, before).await?, [""; 0], "{sql}");
    assert_eq!(world.states(&[text(1)]).await?, [InDoubt], "{sql}");

    world.age().await?;
    assert_eq!(tick_at(&sweep, last_date()).await?, ["message.unknown"], "{sql}");
    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.code.as_deref()), (Unknown, Some("no_evidence")), "{sql}");
    assert_eq!(world.number("select count(*) from millrace.doubts").await?, 0, "{sql}");
    assert_eq!(tick_at(&sweep, last_date()).await?, [""; 0], "{sql}");
    Ok(())
}

#[tokio::test]
async fn a_doubt_whose_account_or_sender_is_of_no_use_ends_at_its_last_date() -> anyhow::Result<()>
{
    let gone_account = "update millrace.doubts set account = 'gone'";
    let gone_sender = "update millrace.messages set sender_id = gen_random_uuid()";
    let no_sender = "update millrace.messages set sender_id = null";
    let unknown_carrier = "update millrace.carrier_accounts set carrier = 'pigeon'";
    let no_credentials = "update millrace.carrier_accounts set sealed_token = 'nothing'";
    let other_host = "update millrace.carrier_accounts set base_url = 'http://192.0.2.1:1'";
    let no_times = "update millrace.messages set call_by = null";

    for sql in [gone_account, gone_sender, no_sender, unknown_carrier, no_credentials, other_host] {
        ends_after(sql).await?;
    }
    ends_after(no_times).await
}

#[tokio::test]
async fn a_doubt_whose_carrier_is_away_ends_at_its_last_date_and_keeps_its_reservation()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1), text(2)], 1).await?;
    away(&world).await?;
    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);

    // The next looks would be an hour away: the last date does not wait for them.
    world.run("update millrace.doubts set next_look = clock_timestamp() + interval '1 h'").await?;
    let unknown = "message.unknown";
    assert_eq!(tick_at(&sweep, last_date()).await?, [unknown, unknown]);
    assert_eq!(world.states(&[text(1), text(2)]).await?, [Unknown, Unknown]);
    assert_eq!(world.reserved().await?, 2, "both may have been billed");
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);
    Ok(())
}

#[tokio::test]
async fn at_the_last_date_evidence_still_counts() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1), text(2)], 1).await?;
    let said = tick_at(&world.sweep().await?, last_date()).await?;
    assert_eq!(said, ["message.deferred", "message.sent"]);
    assert_eq!(world.states(&[text(1), text(2)]).await?, [Sent, Deferred]);
    Ok(())
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_keeps_no_doubt_open() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.policy(1, json!({ "x": 1 })).await?;
    world.doubts(&[text(1)], 0).await?;
    assert_eq!(tick_at(&world.sweep().await?, last_date()).await?, ["message.unknown"]);
    Ok(())
}

#[tokio::test]
async fn a_sweep_that_died_at_the_last_date_is_repeated_with_the_same_event() -> anyhow::Result<()>
{
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    away(&world).await?;

    let first = unmarked(&world.sweep().await?, last_date()).await?;
    world.age().await?;
    let second = unmarked(&world.sweep().await?, last_date()).await?;
    assert_eq!((first.say.len(), ids(&first.say)), (1, ids(&second.say)));
    second.published.expect("there is something to mark").await?;
    assert_eq!(world.stored(&text(1)).await?.version, 4);
    Ok(())
}

#[tokio::test]
async fn a_receipt_after_the_last_date_raises_what_was_unknown_and_is_said() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 1).await?;
    away(&world).await?;
    assert_eq!(tick_at(&world.sweep().await?, last_date()).await?, ["message.unknown"]);

    let sid = world.ledger().await?[0].1.clone();
    let stage = ReceiptStage::new(world.pipeline().await?);
    let receipt = |status| vec![world.receipt(text(1).id, &sid, status)];
    assert_eq!(said(&hand_over(&stage, last_date(), receipt("sent")).await?), ["message.sent"]);

    // It had ended, and stays so: nobody waits for another receipt, though one still counts.
    let stored = world.stored(&text(1)).await?;
    assert!(stored.state == Sent && stored.state.is_final_with(stored.code.as_deref()));
    assert_eq!(world.number("select count(*) from millrace.receipt_watches").await?, 0);

    let outcomes = hand_over(&stage, last_date(), receipt("delivered")).await?;
    assert_eq!(said(&outcomes), ["message.delivered"]);
    let stored = world.stored(&text(1)).await?;
    assert_eq!((stored.state, stored.version, stored.code), (Delivered, 6, None));
    assert_eq!(world.reserved().await?, 1, "what it reserved is billed, once");
    Ok(())
}

#[tokio::test]
async fn a_list_from_a_day_on_says_nothing_about_calls_of_the_days_before() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts = [crate::calls::equal(1, 1), crate::calls::equal(2, 1)];
    world.doubts(&texts, 0).await?;
    world
        .run(
            "update millrace.messages set call_by = call_by - interval '3 days'
             where message_id = '00000000-0000-0000-0000-000000000001';
             update millrace.doubts set next_look = clock_timestamp() + interval '30 s'
             where message_id = '00000000-0000-0000-0000-000000000001'",
        )
        .await?;

    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0], "one of them is not in this list");
    world.age().await?;
    assert_eq!(tick(&sweep).await?, ["message.deferred", "message.deferred"]);
    Ok(())
}

#[tokio::test]
async fn what_a_newer_version_stored_decides_nothing_about_its_neighbours_and_keeps_none_open()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    let texts = [crate::calls::equal(1, 1), crate::calls::equal(2, 1)];
    world.doubts(&texts, 1).await?;
    let newer = "update millrace.messages set class = 'vip'
                 where message_id = '00000000-0000-0000-0000-000000000002'";
    world.run(newer).await?;

    // The text of the list may be either's.
    let sweep = world.sweep().await?;
    assert_eq!(tick(&sweep).await?, [""; 0]);
    assert_eq!(world.states(&texts).await?, [InDoubt, InDoubt]);
    world.age().await?;
    assert_eq!(tick_at(&sweep, last_date()).await?, ["message.unknown"]);
    assert_eq!(world.states(&texts).await?, [Unknown, InDoubt]);

    // A version that can read the other finds it in the list.
    world.run("update millrace.messages set class = 'transactional'").await?;
    world.age().await?;
    assert_eq!(tick(&sweep).await?, ["message.sent"]);
    assert_eq!(world.states(&texts).await?, [Unknown, Sent]);
    Ok(())
}
