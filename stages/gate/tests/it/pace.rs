//! A sender's pace as a capacity: what the pipe holds of it, who waits in its line, and who leaves.

use domain::{ids::SenderId, message::class::MessageClass};
use gate::GateStage;
use store::{
    Store,
    parked::{line, release},
};
use testkit::hand_over;
use wire::Enriched;

use crate::world::{World, kinds, now};

const ADMITTED: &str = "select count(*) from millrace.messages where state = 3";
const IN_LINE: &str = "select count(*) from millrace.parked where cause_key like 'line:admitted_%'";

/// A world with one sender of ten segments a second, its gate and what schedule sees.
async fn paced() -> anyhow::Result<(World, SenderId, GateStage, Store)> {
    let world = World::begin().await?;
    let sender = world.paced_sender("+12125550001", 10).await?;
    let (gate, store) = (world.stage().await?, world.pipeline().await?);
    Ok((world, sender, gate, store))
}

/// Claims everything that is admitted, as `send` does.
async fn claim_all(world: &World) -> anyhow::Result<()> {
    let claimed = "with gone as (
            update millrace.messages set state = 5 where state = 3 returning sender_id, segments
        ), sums as (
            select sender_id, sum(segments) as segments from gone group by 1
        )
        insert into millrace.pace as p (tenant_id, key, next_free, claimed_bulk)
        select 'acme', 'sender:' || sender_id, clock_timestamp(), segments from sums
        on conflict (tenant_id, key)
        do update set claimed_bulk = p.claimed_bulk + excluded.claimed_bulk";
    world.run(claimed).await
}

/// What schedule lets out of the lines, and the broker has then.
async fn let_out(store: &Store) -> anyhow::Result<Vec<Enriched>> {
    let out = lose(store).await?;
    release::released(store, &out).await?;
    Ok(out.into_iter().filter_map(|row| Some(row.payload?.1)).collect())
}

/// The same of a process that dies before the broker has it.
async fn lose(store: &Store) -> anyhow::Result<Vec<release::DueMessage>> {
    let lines = line::behind(store, None, 64).await?;
    Ok(line::release(store, &lines, now(), 512).await?.due)
}

#[tokio::test]
async fn what_a_sender_cannot_take_in_half_a_second_waits_in_its_line() -> anyhow::Result<()> {
    let (world, sender, gate, store) = paced().await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 0..20).await?;

    let outcomes = hand_over(&gate, now(), messages).await?;

    let said = [("admitted".to_owned(), 5), ("deferred".to_owned(), 15)];
    assert_eq!(kinds(outcomes), said);
    assert_eq!(world.counted("quota_day").await?, 5, "who waits reserves nothing");
    assert_eq!(world.counted("admitted_bulk").await?, 5);
    let undated = "select count(*) from millrace.parked p, millrace.lines l
                   where p.cause_key = 'line:' || l.key and p.due is null and p.rank = 1";
    assert_eq!(world.number(undated).await?, 15, "no time brings them back but their turn");
    let last = "select extract(epoch from max(due))::bigint from millrace.messages
                where state = 1 and code = 'pace' and gate is null";
    assert_eq!(world.number(last).await?, now().as_second() + 1, "one every tenth of a second");

    assert_eq!(let_out(&store).await?.len(), 0, "there is no room");
    Ok(())
}

/// When a turn comes is an estimate: those ahead may be withdrawn. Schedule ends what is too late.
#[tokio::test]
async fn a_long_line_ends_nobody_before_their_time() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.paced_sender("+12125550001", 1).await?;
    let mut messages = world.messages(MessageClass::Promo, &[sender], 0..80).await?;
    for message in &mut messages {
        message.head.expires_at = Some(now() + jiff::SignedDuration::from_secs(60));
    }

    let outcomes = hand_over(&world.stage().await?, now(), messages).await?;

    assert_eq!(kinds(outcomes), [("admitted".to_owned(), 1), ("deferred".to_owned(), 79)]);
    let last = "select extract(epoch from max(due))::bigint from millrace.parked
                having count(due) = 79";
    let end = world.number(last).await? - now().as_second();
    assert!((1..=60).contains(&end), "each comes back when it is of no use any more: {end} s");
    Ok(())
}

#[tokio::test]
async fn a_flood_waits_in_line_once_a_message_and_leaves_in_order() -> anyhow::Result<()> {
    let (world, sender, gate, store) = paced().await?;
    for first in [0, 40] {
        let batch = world.messages(MessageClass::Promo, &[sender], first..first + 40).await?;
        hand_over(&gate, now() + jiff::SignedDuration::from_secs(first.into()), batch).await?;
    }
    assert_eq!(world.number(IN_LINE).await?, 75);

    let mut left = Vec::new();
    for _ in 0..15 {
        claim_all(&world).await?;
        let out = let_out(&store).await?;
        assert_eq!(out.len(), 5);
        left.extend(out.iter().map(|message| message.head.id));
        let outcomes = hand_over(&gate, now(), out).await?;
        assert_eq!(kinds(outcomes), [("admitted".to_owned(), 5)]);
    }

    assert!(left.is_sorted(), "the oldest first");
    assert_eq!(world.number(IN_LINE).await?, 0);
    assert_eq!(world.counted("admitted_bulk").await?, 80, "each was counted once");
    let_out(&store).await?;
    Ok(())
}

#[tokio::test]
async fn who_comes_from_the_line_passes_before_whoever_comes_new() -> anyhow::Result<()> {
    let (world, sender, gate, store) = paced().await?;
    let first = world.messages(MessageClass::Promo, &[sender], 0..20).await?;
    hand_over(&gate, now(), first).await?;
    claim_all(&world).await?;

    let mut batch = world.messages(MessageClass::Promo, &[sender], 50..53).await?;
    batch.extend(let_out(&store).await?);
    let outcomes = hand_over(&gate, now(), batch).await?;

    assert_eq!(kinds(outcomes), [("admitted".to_owned(), 5), ("deferred".to_owned(), 3)]);
    let passed = "select count(*) from millrace.messages where state = 3 and turn = 2";
    assert_eq!(world.number(passed).await?, 5);

    // While somebody waits, nobody who comes new takes the room that there is.
    claim_all(&world).await?;
    let late = world.messages(MessageClass::Promo, &[sender], 60..62).await?;
    let outcomes = hand_over(&gate, now(), late).await?;
    assert_eq!(kinds(outcomes), [("deferred".to_owned(), 2)]);
    Ok(())
}

#[tokio::test]
async fn other_senders_of_the_pool_are_tried_before_anybody_waits() -> anyhow::Result<()> {
    let (world, sender, gate, _) = paced().await?;
    let other = world.paced_sender("+12125550002", 20).await?;
    let messages = world.messages(MessageClass::Promo, &[sender, other], 0..20).await?;

    let outcomes = hand_over(&gate, now(), messages).await?;
    let said = [("admitted".to_owned(), 15), ("deferred".to_owned(), 5)];
    assert_eq!(kinds(outcomes), said);
    Ok(())
}

#[tokio::test]
async fn urgent_sees_urgent_alone_and_bulk_leaves_room_for_it() -> anyhow::Result<()> {
    let (world, sender, gate, _) = paced().await?;
    let bulk = world.messages(MessageClass::Promo, &[sender], 0..20).await?;
    hand_over(&gate, now(), bulk).await?;

    let urgent = world.messages(MessageClass::Transactional, &[sender], 50..70).await?;
    let outcomes = hand_over(&gate, now(), urgent).await?;
    assert_eq!(kinds(outcomes), [("admitted".to_owned(), 10), ("deferred".to_owned(), 10)]);

    claim_all(&world).await?;
    world.run("update millrace.pace set claimed_urgent = 2, claimed_bulk = 5").await?;
    let bulk = world.messages(MessageClass::Promo, &[sender], 80..90).await?;
    hand_over(&gate, now(), bulk).await?;
    assert_eq!(world.number(ADMITTED).await?, 0, "eight urgent ones are before it");
    Ok(())
}

#[tokio::test]
async fn a_place_goes_back_when_its_message_does_not_leave() -> anyhow::Result<()> {
    let (world, sender, gate, store) = paced().await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 0..8).await?;
    hand_over(&gate, now(), messages).await?;
    claim_all(&world).await?;

    let out = let_out(&store).await?;
    assert_eq!(world.counted("admitted_bulk").await?, 8, "five claimed, three with a place");
    world.run("update millrace.standings set opted_out_at = '2026-03-02'").await?;
    let outcomes = hand_over(&gate, now(), out).await?;
    assert_eq!(kinds(outcomes), [("blocked".to_owned(), 3)]);
    assert_eq!(world.counted("admitted_bulk").await?, 5);
    Ok(())
}

#[tokio::test]
async fn what_was_let_out_and_not_published_is_let_out_again_with_its_place() -> anyhow::Result<()>
{
    let (world, sender, gate, store) = paced().await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 0..20).await?;
    hand_over(&gate, now(), messages).await?;
    claim_all(&world).await?;

    // The process dies before the broker has them; they fill the meter by themselves.
    assert_eq!(lose(&store).await?.len(), 5);

    let out = let_out(&store).await?;
    assert_eq!(out.len(), 5);
    assert!(out.iter().all(|message| message.placed == Some(sender) && message.head.turn == 2));
    assert_eq!(world.counted("admitted_bulk").await?, 10);
    Ok(())
}

#[tokio::test]
async fn a_sender_that_rests_lets_nobody_in_and_nobody_out() -> anyhow::Result<()> {
    let (world, sender, gate, store) = paced().await?;
    let key = format!("sender:{sender}");
    let an_hour = "insert into millrace.pace values ('acme', $1, now() + interval '1 hour')";
    sqlx::query(an_hour).bind(key).execute(&mut world.database.superuser().await?).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 0..3).await?;

    let outcomes = hand_over(&gate, now(), messages).await?;
    assert_eq!(kinds(outcomes), [("deferred".to_owned(), 3)]);
    assert_eq!(let_out(&store).await?.len(), 0);

    world.run("update millrace.pace set next_free = now()").await?;
    assert_eq!(let_out(&store).await?.len(), 3);
    Ok(())
}
