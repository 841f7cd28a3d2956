//! The same message again, in two workers at once, and workers that share counters.

use domain::message::{class::MessageClass, state::MessageState};
use stage::Outcome;
use testkit::{hand_over, said};

use crate::world::{COST, World, kinds, now};

#[tokio::test]
async fn a_second_delivery_says_the_same_whatever_the_facts_are_by_then() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;

    let mut messages = world.messages(MessageClass::Promo, &[sender], 200..206).await?;
    world
        .run(
            "update millrace.standings set opted_out_at = now() where number = '+12125550200';
             update millrace.standings set marketing_at = array[timestamptz '2026-03-02T16:00:00Z',
                 '2026-03-02T15:00:00Z', '2026-03-02T14:00:00Z'] where number = '+12125550201'",
        )
        .await?;
    messages[2].head.expires_at = Some(now());

    let first = said(hand_over(&stage, now(), messages.clone()).await?);

    world
        .run(
            "update millrace.standings 
             set opted_out_at = case when opted_out_at is null then now() end;
             insert into millrace.switches (tenant_id, scope, target, mode, reason, changed_at)
             values ('acme', 'tenant', '', 'stopped', '', now())",
        )
        .await?;

    let later = "2026-03-09T03:00:00Z".parse()?;
    messages.reverse();
    let mut again = said(hand_over(&world.stage().await?, later, messages).await?);
    again.reverse();

    assert_eq!(first, again);
    assert_eq!(world.counted("spend_day").await?, 3 * COST, "reserved once");
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 1);
    Ok(())
}

#[tokio::test]
async fn what_comes_again_takes_no_room_from_what_comes_for_the_first_time() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    world.daily_budget(3 * COST).await?;
    let messages = world.messages(MessageClass::Transactional, &[sender], 200..203).await?;
    let stage = world.stage().await?;

    let first = hand_over(&stage, now(), messages[..2].to_vec()).await?;
    assert_eq!(kinds(first), [("admitted".into(), 2)]);

    // Counted once more, the two would use the budget up before it is the third one's turn.
    let all = hand_over(&stage, now(), messages).await?;
    assert_eq!(kinds(all), [("admitted".into(), 3)]);
    assert_eq!(world.counted("spend_day").await?, 3 * COST);
    Ok(())
}

#[tokio::test]
async fn two_workers_with_the_same_batch_reserve_once_and_say_the_same() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;

    for (round, class) in [MessageClass::Promo, MessageClass::Transactional].into_iter().enumerate()
    {
        let from = 1_000 * u32::try_from(round)? + 1_000;
        let messages = world.messages(class, &[sender], from..from + 100).await?;

        let mut other_order = messages.clone();
        other_order.reverse();
        let (one, two) = (world.stage().await?, world.stage().await?);

        let before = world.counted("spend_day").await?;
        let (one, two) =
            tokio::join!(hand_over(&one, now(), messages), hand_over(&two, now(), other_order));

        let (one, mut two) = (said(one?), said(two?));
        two.reverse();
        assert_eq!(one.len(), 100);
        assert_eq!(one, two);
        assert_eq!(world.counted("spend_day").await? - before, 100 * COST);
    }
    Ok(())
}

#[tokio::test]
async fn the_same_message_twice_in_one_batch_reserves_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let mut messages = world.messages(MessageClass::Transactional, &[sender], 200..202).await?;
    // A promotion that is the first suppresses the next, but not itself.
    messages.extend(world.messages(MessageClass::Promo, &[sender], 202..204).await?);
    messages.extend(messages.clone());

    let said = said(hand_over(&world.stage().await?, now(), messages).await?);
    assert_eq!(said[..4], said[4..]);

    let admitted = "select count(*) from millrace.messages where state = 3";
    assert_eq!(world.number(admitted).await?, 4);
    assert_eq!(world.counted("quota_day").await?, 4);
    Ok(())
}

#[tokio::test]
async fn concurrent_batches_count_exactly_and_no_cap_is_passed() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 170).await?;
    world.daily_budget(1_185_000).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 0..240).await?;

    let mut workers = tokio::task::JoinSet::new();
    for chunk in messages.chunks(60) {
        let (stage, chunk) = (world.stage().await?, chunk.to_vec());
        workers.spawn(async move { hand_over(&stage, now(), chunk).await });
    }

    let mut outcomes: Vec<Outcome> = Vec::new();
    while let Some(done) = workers.join_next().await {
        outcomes.extend(done??);
    }

    // 1,185,000 micro-units are 150 messages.
    assert_eq!(kinds(outcomes), [("admitted".into(), 150), ("deferred".into(), 90)]);
    assert_eq!(world.counted("spend_day").await?, 1_185_000);
    assert_eq!(world.counted("sender_day").await?, 150);
    Ok(())
}

#[tokio::test]
async fn two_promotions_to_one_person_in_two_workers_are_one() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let message = |id| world.message(MessageClass::Promo, &[sender], 200, id);
    let (first, second) = (message(1), message(2));
    world.store(&[first.clone(), second.clone()]).await?;

    let (one, two) = (world.stage().await?, world.stage().await?);
    let (one, two) =
        tokio::join!(hand_over(&one, now(), vec![first]), hand_over(&two, now(), vec![second]));

    let outcomes = one?.into_iter().chain(two?).collect();
    assert_eq!(kinds(outcomes), [("admitted".into(), 1), ("blocked".into(), 1)]);
    Ok(())
}

#[tokio::test]
async fn a_late_delivery_of_an_earlier_turn_says_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let stage = world.stage().await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 200..201).await?;

    let night = "2026-03-03T03:00:00Z".parse()?;
    hand_over(&stage, night, messages.clone()).await?;

    world.run("update millrace.messages set turn = 2, state = 0, due = null").await?;
    assert_eq!(kinds(hand_over(&stage, now(), messages.clone()).await?), []);

    let mut second = messages;
    second[0].head.turn = 2;
    let admitted = hand_over(&stage, now(), second).await?;
    assert_eq!(kinds(admitted), [("admitted".into(), 1)]);
    Ok(())
}

#[tokio::test]
async fn a_cancelled_message_is_left_alone() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 200..201).await?;

    assert_eq!(MessageState::Cancelled.code(), 11);
    world.run("update millrace.messages set state = 11").await?;

    assert_eq!(kinds(hand_over(&world.stage().await?, now(), messages).await?), []);
    assert_eq!(world.counted("quota_day").await?, 0);
    Ok(())
}
