//! What is over a capacity: its due time, and what brings it back before.

use domain::{
    gates::{CounterKind, LineKey},
    message::class::MessageClass,
};
use sqlx::Row;
use store::capacity::release::{Reservation, release};
use testkit::hand_over;

use crate::world::{World, now};

async fn dues(world: &World) -> anyhow::Result<Vec<String>> {
    let sql = "select to_char(due at time zone 'utc', 'DD HH24:MI:SS') from millrace.parked
               where cause_key = 'line:quota_minute' order by due, message_id";
    let mut connection = world.database.superuser().await?;
    let rows = sqlx::query(sql).fetch_all(&mut connection).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

#[tokio::test]
async fn the_messages_of_several_batches_stand_in_one_line() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    world.policy(r#"{"quota": {"per_minute": 4}}"#).await?;

    let messages = world.messages(MessageClass::Transactional, &[sender], 0..12).await?;
    let stage = world.stage().await?;
    for batch in messages.chunks(6) {
        hand_over(&stage, now(), batch.to_vec()).await?;
    }

    let times = ["01:00", "01:15", "01:30", "01:45", "02:00", "02:15", "02:30", "02:45"];
    assert_eq!(dues(&world).await?, times.map(|time| format!("02 17:{time}")));

    // Handed over again, they keep their due times and the line does not move.
    hand_over(&stage, now(), messages).await?;
    assert_eq!(dues(&world).await?.len(), 8);
    let stands = "select extract(epoch from next_due)::bigint from millrace.lines";
    assert_eq!(world.number(stands).await?, now().as_second() + 180);
    Ok(())
}

#[tokio::test]
async fn a_plan_admits_so_many_messages_a_day_and_a_policy_may_admit_fewer() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    let messages = world.messages(MessageClass::Transactional, &[sender], 0..6).await?;
    let stage = world.stage().await?;
    let waiting = "select count(*) from millrace.parked where cause_key = 'line:quota_day'";

    world.run("update millrace.tenants set most_messages_per_day = 2").await?;
    hand_over(&stage, now(), messages[..3].to_vec()).await?;
    assert_eq!((world.counted("quota_day").await?, world.number(waiting).await?), (2, 1));

    world.run("update millrace.tenants set most_messages_per_day = 5").await?;
    world.policy(r#"{"quota": {"per_day": 3}}"#).await?;
    hand_over(&stage, now(), messages[3..].to_vec()).await?;
    assert_eq!((world.counted("quota_day").await?, world.number(waiting).await?), (3, 3));
    Ok(())
}

#[tokio::test]
async fn a_raised_quota_wakes_who_stood_in_line_and_spares_who_stands_in_another()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    world.policy(r#"{"quota": {"per_minute": 1}}"#).await?;
    world.run("insert into millrace.lines values ('acme', 'spend_day', '2026-04-01')").await?;

    let messages = world.messages(MessageClass::Transactional, &[sender], 0..3).await?;
    hand_over(&world.stage().await?, now(), messages).await?;

    let store = world.database.store(store::Role::Api).await?;
    let mut tx = store.scoped([&world.tenant]).await?;
    let quota = LineKey { kind: CounterKind::QuotaMinute, target: None };
    store::capacity::lines::dissolve(&mut tx, &world.tenant, &[quota], now()).await?;
    tx.commit().await?;

    assert_eq!(world.number("select count(*) from millrace.lines").await?, 1);
    let woken = "select count(*) from millrace.wakes where what = 'line:quota_minute'";
    assert_eq!(world.number(woken).await?, 1);

    // Who was parked by the rule of before comes back, also where a gate that knew no other was
    // still at it; who is parked long after that waits.
    let long_after = "update millrace.parked set parked_at = '2026-03-02T17:01:00Z'
        where (tenant_id, message_id) in (
            select tenant_id, message_id from millrace.parked order by due desc limit 1)";
    world.run(long_after).await?;

    let later = now() + jiff::SignedDuration::from_secs(1);
    let pipeline = world.database.store(store::Role::Pipeline).await?;
    store::parked::wake::work(&pipeline, later, stage::machine::now(), 100).await?;

    assert_eq!(dues(&world).await?.len(), 1);
    let due = "select count(*) from millrace.parked where due <= '2026-03-02T17:00:01Z'";
    assert_eq!(world.number(due).await?, 1);

    // A gate that knew the old line has written it back: it goes with the last pass.
    world.run("insert into millrace.lines values ('acme', 'quota_minute', '2026-04-01')").await?;
    let last = stage::machine::now() + store::parked::wake::LAST_PASS;
    store::parked::wake::work(&pipeline, later, last, 100).await?;

    let left = "select count(*) from millrace.lines where key = 'quota_minute'";
    assert_eq!(world.number(left).await?, 0);
    assert_eq!(world.number("select count(*) from millrace.lines").await?, 1);
    Ok(())
}

#[tokio::test]
async fn gates_that_work_at_once_give_no_place_twice() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    world.policy(r#"{"quota": {"per_minute": 1}}"#).await?;
    let messages = world.messages(MessageClass::Transactional, &[sender], 0..41).await?;

    let mut workers = tokio::task::JoinSet::new();
    for chunk in messages.chunks(10) {
        let (stage, chunk) = (world.stage().await?, chunk.to_vec());
        workers.spawn(async move { hand_over(&stage, now(), chunk).await });
    }

    while let Some(done) = workers.join_next().await {
        done??;
    }

    let mut dues = dues(&world).await?;
    dues.dedup();
    assert_eq!(dues.len(), 40);
    Ok(())
}

#[tokio::test]
async fn a_budget_warns_once_at_four_fifths_and_once_when_it_is_used_up() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    // Ten messages.
    world.daily_budget(79_000).await?;
    let messages = world.messages(MessageClass::Promo, &[sender], 0..14).await?;

    let stage = world.stage().await?;
    let mut counts = Vec::new();
    for batch in [0..7, 7..8, 8..10, 10..12, 12..14] {
        hand_over(&stage, now(), messages[batch].to_vec()).await?;

        let warned =
            "select count(*) from millrace.unsaid_events where event like '%\"budget.warning\"%'";
        let exhausted =
            "select count(*) from millrace.unsaid_events where event like '%\"budget.exhausted\"%'";
        counts.push((world.number(warned).await?, world.number(exhausted).await?));
    }
    assert_eq!(counts, [(0, 0), (1, 0), (1, 1), (1, 1), (1, 1)]);

    let tomorrow = "2026-03-03T17:00:00Z".parse()?;
    let more = world.messages(MessageClass::Promo, &[sender], 100..108).await?;
    hand_over(&stage, tomorrow, more).await?;

    let all = "select count(*) from millrace.budget_alerts";
    assert_eq!(world.number(all).await?, 3, "another day, another warning");
    Ok(())
}

#[tokio::test]
async fn what_becomes_free_of_a_budget_is_used_by_who_waits_for_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let sender = world.sender("+12125550100", 1_000).await?;
    world.daily_budget(79_000).await?;

    let messages = world.messages(MessageClass::Promo, &[sender], 0..14).await?;
    hand_over(&world.stage().await?, now(), messages.clone()).await?;

    let freed = |index: usize, over| {
        let one = &messages[index];
        Reservation {
            tenant: &one.head.tenant,
            class: one.head.class,
            campaign: None,
            sender,
            reserved_at: Some(now()),
            segments: 1,
            claimed: false,
            cost: one.cost,
            unsent: Some((&one.head.to, one.head.channel)),
            over,
        }
    };

    let store = world.database.store(store::Role::Pipeline).await?;
    let give_back = async |now, freed: &[Reservation<'_>]| {
        let mut tx = store.scoped([&world.tenant]).await?;
        release(&mut tx, now, freed).await?;
        anyhow::Ok(tx.commit().await?)
    };
    let due = "select count(*) from millrace.parked where due = '2026-03-02T17:00:00Z'";

    // One is tried again and takes what it frees itself, another's day is over.
    give_back(now(), &[freed(8, false)]).await?;
    give_back("2026-03-03T17:00:00Z".parse()?, &[freed(9, true)]).await?;
    assert_eq!(world.number(due).await?, 0);

    let three = [0, 1, 2].map(|index| freed(index, true));
    give_back(now(), &three).await?;
    assert_eq!(world.number(due).await?, 3);
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 4);
    Ok(())
}
