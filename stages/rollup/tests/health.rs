//! The health of senders on a real database: what carriers say of their texts is
//! counted, and judged.

use domain::{ids::SenderId, message::state::MessageState as S};
use jiff::{SignedDuration, Timestamp};
use rollup::{CountsTeller, RollupStage, SenderJudge};
use serde_json::{Value, json};
use stage::{Cx, Source};
use testkit::{
    hand_over,
    world::{TestWorld, enriched, message_row, now, with},
};
use wire::Event;

/// So many minutes after the tests begin.
fn at(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// A tenant with a sender, of whose texts few are enough to judge it.
async fn begin() -> anyhow::Result<(TestWorld, SenderId)> {
    let world = TestWorld::start().await?;
    world.account(json!({})).await?;
    let sender = world.sender("+12125550100", json!({})).await?;
    let policy = json!({ "health": { "min_messages": 10, "probe_messages": 4 } });
    world.policy(1, policy).await?;
    Ok((world, sender))
}

/// Texts of a sender, each ending in a state with a code at an instant, counted by rollup.
async fn ended(
    world: &TestWorld,
    sender: SenderId,
    numbers: std::ops::Range<u32>,
    (state, code): (S, Option<&str>),
    at: Timestamp,
) -> anyhow::Result<()> {
    let columns = json!({ "sender_id": sender, "state": S::Sent.code() });
    let messages: Vec<_> = numbers.map(|n| enriched(&world.tenant, n)).collect();
    let rows: Vec<Value> =
        messages.iter().map(|message| with(message_row(message), &columns)).collect();
    world.insert("messages", &rows).await?;

    let ids: Vec<String> =
        messages.iter().map(|message| format!("'{}'", message.head.id.0)).collect();
    let (ids, state) = (ids.join(", "), state.code());
    let code = code.map_or("null".into(), |code| format!("'{code}'"));
    let set = format!("state = {state}, code = {code}, changed_at = '{at}'");
    world.run(&format!("update millrace.messages set {set} where message_id in ({ids})")).await?;
    count(world).await
}

/// Has rollup count what has moved.
async fn count(world: &TestWorld) -> anyhow::Result<()> {
    let cx = Cx::at(now(), Timestamp::from_second(1_800_000_000)?);
    let told = CountsTeller::new(world.pipeline().await?).tick(&cx).await?;
    let told: Result<Vec<Event>, _> =
        told.say.iter().map(|say| serde_json::from_slice(&say.json)).collect();
    hand_over(&RollupStage::new(world.pipeline().await?), now(), told?).await?;
    Ok(())
}

/// One look at the senders; what the sender is by it, and how often that has changed.
async fn judged(world: &TestWorld, at: Timestamp) -> anyhow::Result<String> {
    let cx = Cx::at(at, Timestamp::from_second(1_800_000_000)?);
    SenderJudge::new(world.pipeline().await?).tick(&cx).await?;
    world
        .one("select concat_ws(' ', health, health_cause, health_version) from millrace.senders")
        .await
}

/// How many events of a type wait in the outbox.
async fn events(world: &TestWorld, kind: &str) -> anyhow::Result<usize> {
    let all = "select coalesce(string_agg(event, ' '), '') from millrace.unsaid_events";
    Ok(world.one(all).await?.matches(&format!("\"{kind}\"")).count())
}

#[tokio::test]
async fn a_sender_that_carriers_filter_rests_is_probed_and_comes_back() -> anyhow::Result<()> {
    let (world, sender) = begin().await?;
    ended(&world, sender, 1..9, (S::Delivered, None), at(0)).await?;
    assert_eq!(judged(&world, at(1)).await?, "healthy 0", "eight texts are too few");

    ended(&world, sender, 9..11, (S::Failed, Some("30007")), at(1)).await?;
    assert_eq!(judged(&world, at(2)).await?, "quarantined complaints 1");
    assert_eq!(events(&world, "sender.quarantined").await?, 1);
    assert_eq!(judged(&world, at(61)).await?, "quarantined complaints 1");

    assert_eq!(judged(&world, at(62)).await?, "probing complaints 2");
    ended(&world, sender, 11..14, (S::Delivered, None), at(63)).await?;
    assert_eq!(judged(&world, at(64)).await?, "probing complaints 2", "three do not decide");
    ended(&world, sender, 14..15, (S::Read, None), at(64)).await?;
    assert_eq!(judged(&world, at(65)).await?, "healthy 3");
    assert_eq!(events(&world, "sender.recovered").await?, 1);
    let woken = world.one("select what from millrace.wakes").await?;
    assert_eq!(woken, format!("health:sender:{sender}"));

    assert_eq!(judged(&world, at(66)).await?, "healthy 3", "what is over counts once");
    Ok(())
}

#[tokio::test]
async fn what_a_sender_has_carried_is_added_to_its_day_and_corrected_there() -> anyhow::Result<()> {
    let (world, sender) = begin().await?;
    let old = json!({
        "tenant_id": "acme", "sender_id": sender, "day_start": "2026-01-01T00:00:00Z",
        "segments": 1, "cost_micros": 1,
    });
    world.insert("sender_days", &[old]).await?;

    let days = "select string_agg(concat_ws(' ', (day_start at time zone 'UTC')::date, segments,
                                            cost_micros), ', ' order by day_start)
                from millrace.sender_days";
    ended(&world, sender, 1..4, (S::Delivered, None), at(1)).await?;
    assert_eq!(world.one(days).await?, "2026-01-01 1 1", "no carrier has said that it took them");

    world.run("update millrace.messages set carrier_sid = 'SM' || message_id").await?;
    count(&world).await?;
    assert_eq!(world.one(days).await?, "2026-03-02 3 23700", "and what is old goes");
    let dearer = "update millrace.messages set cost_micros = 10000
                  where message_id = (select message_id from millrace.messages limit 1)";
    world.run(dearer).await?;
    count(&world).await?;
    count(&world).await?;
    assert_eq!(world.one(days).await?, "2026-03-02 3 25800");
    Ok(())
}

#[tokio::test]
async fn a_probe_that_fails_is_followed_by_a_rest_twice_as_long() -> anyhow::Result<()> {
    let (world, sender) = begin().await?;
    ended(&world, sender, 1..11, (S::Failed, Some("30003")), at(0)).await?;
    assert_eq!(judged(&world, at(1)).await?, "quarantined delivery_rate 1");
    assert_eq!(judged(&world, at(61)).await?, "probing delivery_rate 2");

    ended(&world, sender, 11..15, (S::Failed, Some("30003")), at(62)).await?;
    assert_eq!(judged(&world, at(63)).await?, "quarantined delivery_rate 3");
    let rest = "select extract(epoch from rests_until - health_since)::bigint / 60
                from millrace.senders";
    assert_eq!(world.number(rest).await?, 120);
    assert_eq!(events(&world, "sender.quarantined").await?, 2);
    Ok(())
}

#[tokio::test]
async fn opt_outs_failures_of_our_own_and_what_is_old_say_nothing() -> anyhow::Result<()> {
    let (world, sender) = begin().await?;
    ended(&world, sender, 1..21, (S::Failed, Some("30007")), at(-70)).await?;
    ended(&world, sender, 21..41, (S::Failed, Some("21610")), at(0)).await?;
    ended(&world, sender, 41..61, (S::Failed, Some("internal")), at(0)).await?;
    ended(&world, sender, 61..81, (S::Delivered, None), at(0)).await?;
    assert_eq!(judged(&world, at(1)).await?, "healthy 0");

    let kept = "select count(*) from millrace.sender_outcomes";
    assert_eq!(world.number(kept).await?, 3, "a row for each minute and code of the carrier");
    judged(&world, at(49 * 60)).await?;
    assert_eq!(world.number(kept).await?, 0, "after two days");
    Ok(())
}

#[tokio::test]
async fn a_text_that_is_read_was_delivered_once() -> anyhow::Result<()> {
    let (world, sender) = begin().await?;
    ended(&world, sender, 1..4, (S::Delivered, None), at(0)).await?;
    let read = format!("update millrace.messages set state = {}", S::Read.code());
    world.run(&read).await?;
    count(&world).await?;

    let delivered = "select sum(messages)::bigint from millrace.sender_outcomes";
    assert_eq!(world.number(delivered).await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_sender_out_of_use_and_one_that_somebody_quarantined_stay_so() -> anyhow::Result<()> {
    let (world, sender) = begin().await?;
    world.run("update millrace.senders set usable = false").await?;
    ended(&world, sender, 1..21, (S::Failed, Some("30007")), at(0)).await?;
    assert_eq!(judged(&world, at(1)).await?, "healthy 0");

    let by_hand = "update millrace.senders set usable = true, health = 'quarantined',
                          health_cause = 'by_hand', health_since = '2026-03-01T00:00:00Z'";
    world.run(by_hand).await?;
    assert_eq!(judged(&world, at(600)).await?, "quarantined by_hand 0");
    Ok(())
}
