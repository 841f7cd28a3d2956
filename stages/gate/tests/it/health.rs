//! Senders that do badly: others carry their messages, and what has no other waits.

use domain::message::class::MessageClass;
use serde_json::json;
use store::{parked::wake, settings::health};
use testkit::hand_over;

use crate::world::{World, kinds, now};

/// How many messages of the table a sender carries.
async fn carried(world: &World, number: &str) -> anyhow::Result<i64> {
    let ids = "select coalesce(string_agg(s.number, ' '), '') from millrace.messages m
               join millrace.senders s on s.sender_id = m.sender_id where m.state = 3";
    Ok(world.one(ids).await?.matches(number).count() as i64)
}

#[tokio::test]
async fn the_messages_of_a_quarantined_sender_go_by_another_or_wait_for_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let first = world.sender("+12125550100", 1_000).await?;
    let second = world.sender("+12125550101", 1_000).await?;
    let stage = world.stage().await?;
    let quarantine = "update millrace.senders
                      set health = 'quarantined', rests_until = '2026-03-02T18:00:00Z'";
    world.run(&format!("{quarantine} where number = '+12125550100'")).await?;

    let both = world.messages(MessageClass::Promo, &[first, second], 200..204).await?;
    assert_eq!(kinds(hand_over(&stage, now(), both).await?), [("admitted".into(), 4)]);
    assert_eq!(carried(&world, "+12125550101").await?, 4);

    let alone = world.messages(MessageClass::Promo, &[first], 204..206).await?;
    assert_eq!(kinds(hand_over(&stage, now(), alone).await?), [("deferred".into(), 2)]);
    let waiting = "select count(*) from millrace.parked
                   where cause_key like 'health:sender:%' and due >= '2026-03-02T18:00:00Z'
                     and due <= '2026-03-02T18:30:00Z' and cause = 'eligible:sender_quarantined'";
    assert_eq!(world.number(waiting).await?, 2);

    let urgent = world.messages(MessageClass::Transactional, &[first], 206..207).await?;
    assert_eq!(kinds(hand_over(&stage, now(), urgent).await?), [("admitted".into(), 1)]);
    assert_eq!(carried(&world, "+12125550100").await?, 1, "somebody waits for it");

    // Another sender of the tenant comes back: whoever waits for one may have that one too.
    let mut tx = world.scoped().await?;
    health::wake(&mut tx, &world.tenant, &[second]).await?;
    tx.commit().await?;
    wake::work(&world.pipeline().await?, now(), stage::machine::now(), 100).await?;
    assert_eq!(world.number(waiting).await?, 0);
    let due = "select count(*) from millrace.parked where due <= '2026-03-02T17:00:00Z'";
    assert_eq!(world.number(due).await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_sender_whose_account_holds_messages_is_passed_over_in_every_class() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let broken = json!({ "account": "broken", "name": "broken" });
    world.account(broken).await?;
    let columns = json!({ "account": "broken", "pace": 10_000 });
    let first = testkit::world::TestWorld::sender(&world, "+12125550100", columns).await?;
    let second = world.sender("+12125550101", 1_000).await?;
    let stage = world.stage().await?;

    // A text that the broken account's carrier refused for its credentials, as `send` parks it.
    let held = world.messages(MessageClass::Transactional, &[first], 200..201).await?;
    hand_over(&stage, now(), held).await?;
    let park = "insert into millrace.parked (tenant_id, message_id, turn, cause, cause_key, lane,
                                             payload, parked_at)
                select tenant_id, message_id, turn, 'send:20003', 'account:broken', 'urgent', '{}',
                       changed_at
                from millrace.messages";
    world.run(park).await?;
    world.run("update millrace.messages set state = 2").await?;

    for (class, n) in [(MessageClass::Promo, 201), (MessageClass::Transactional, 202)] {
        let message = world.messages(class, &[first, second], n..n + 1).await?;
        assert_eq!(kinds(hand_over(&stage, now(), message).await?), [("admitted".into(), 1)]);
    }
    assert_eq!(carried(&world, "+12125550101").await?, 2);
    assert_eq!(carried(&world, "+12125550100").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_sender_whose_carrier_does_not_answer_is_passed_over_until_it_is_tried_again()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.account(json!({ "account": "away", "name": "away" })).await?;
    let columns = json!({ "account": "away", "pace": 10_000 });
    let first = testkit::world::TestWorld::sender(&world, "+12125550100", columns).await?;
    let second = world.sender("+12125550101", 1_000).await?;
    let stage = world.stage().await?;
    let rests = "insert into millrace.account_pace (account, next_free, away_until)
                 values ('away', clock_timestamp(), clock_timestamp() + interval '1 h')";
    world.run(rests).await?;

    for (class, n) in [(MessageClass::Promo, 201), (MessageClass::Transactional, 202)] {
        let message = world.messages(class, &[first, second], n..n + 1).await?;
        assert_eq!(kinds(hand_over(&stage, now(), message).await?), [("admitted".into(), 1)]);
    }
    assert_eq!(carried(&world, "+12125550101").await?, 2);

    // Its rest is over: the next message tries it.
    world.run("update millrace.account_pace set away_until = clock_timestamp()").await?;
    let message = world.messages(MessageClass::Transactional, &[first, second], 203..204).await?;
    hand_over(&stage, now(), message).await?;
    assert_eq!(carried(&world, "+12125550100").await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_text_in_doubt_is_not_given_to_another_sender() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let first = world.sender("+12125550100", 1_000).await?;
    let second = world.sender("+12125550101", 1_000).await?;
    let stage = world.stage().await?;
    let message = world.messages(MessageClass::Transactional, &[first, second], 200..201).await?;
    hand_over(&stage, now(), message.clone()).await?;
    let in_doubt = domain::message::state::MessageState::InDoubt.code();
    world.run(&format!("update millrace.messages set state = {in_doubt}")).await?;
    world
        .run("update millrace.senders set health = 'quarantined' where number like '%100'")
        .await?;

    let again = hand_over(&stage, now(), message).await?;
    assert!(kinds(again).is_empty());
    let by_first = "select count(*) from millrace.messages m join millrace.senders s
                    on s.sender_id = m.sender_id where s.number like '%100'";
    assert_eq!(world.number(by_first).await?, 1);
    Ok(())
}
