//! Receipts of messages that were taken for unsent: what the counters hold afterwards.

use domain::message::state::MessageState::{Deferred, Delivered, Read};
use reconcile::ReceiptStage;
use testkit::hand_over;

use crate::{
    calls::{Calls, now, text},
    ticks::tick,
    world::said,
};

const METER: &str = "select coalesce(sum(used), 0)::bigint from millrace.counters
                     where kind like 'admitted%'";

/// Hands one receipt of the message over.
async fn receive(world: &Calls, n: u128, status: &str) -> anyhow::Result<Vec<String>> {
    let stage = ReceiptStage::new(world.pipeline().await?);
    let receipt = world.receipt(text(n).id, &format!("SM{n}"), status);
    Ok(said(&hand_over(&stage, now(), vec![receipt]).await?))
}

#[tokio::test]
async fn a_receipt_of_a_text_that_was_taken_for_absent_takes_its_budget_and_its_promotion_again()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    world.run("update millrace.messages set class = 'promo'").await?;
    let marketed = format!("set last_promo_at = '{0}', marketing_at = array['{0}']", now());
    world.run(&format!("update millrace.standings {marketed}::timestamptz[]")).await?;
    let counts = "select count(*) from millrace.standings
                  where last_promo_at is not null and array_length(marketing_at, 1) = 1";

    assert_eq!(tick(&world.sweep().await?).await?, ["message.deferred"]);
    assert_eq!((world.reserved().await?, world.number(counts).await?), (0, 0));
    let meter = world.number(METER).await?;

    assert_eq!(receive(&world, 1, "delivered").await?, ["message.delivered"]);
    assert_eq!((world.reserved().await?, world.number(counts).await?), (1, 1));
    assert_eq!(world.number("select count(*) from millrace.parked").await?, 0);

    // Once: whatever else is told about it takes nothing more.
    receive(&world, 1, "delivered").await?;
    assert_eq!(receive(&world, 1, "read").await?, ["message.read"]);
    assert_eq!((world.reserved().await?, world.number(counts).await?), (1, 1));
    assert_eq!(world.number(METER).await?, meter, "it has left the meter with its claim");
    assert_eq!(world.states(&[text(1)]).await?, [Read]);
    Ok(())
}

#[tokio::test]
async fn a_later_promotion_stays_the_last_one() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    world.run("update millrace.messages set class = 'promo'").await?;
    assert_eq!(tick(&world.sweep().await?).await?, ["message.deferred"]);
    let later = "update millrace.standings
                 set last_promo_at = '2026-03-05', marketing_at = array['2026-03-05'::timestamptz]";
    world.run(later).await?;

    receive(&world, 1, "delivered").await?;
    let kept = "select count(*) from millrace.standings
                where last_promo_at = '2026-03-05' and marketing_at[1] = '2026-03-05'
                  and array_length(marketing_at, 1) = 2";
    assert_eq!(world.number(kept).await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_text_without_a_sender_takes_everything_but_a_senders_day() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    assert_eq!(tick(&world.sweep().await?).await?, ["message.deferred"]);
    world.run("update millrace.messages set sender_id = null").await?;

    receive(&world, 1, "delivered").await?;
    let used = "select sum(used)::bigint from millrace.counters where kind = 'quota_day'";
    assert_eq!(world.number(used).await?, 1);
    let spent = "select sum(used)::bigint from millrace.counters where kind = 'spend_month'";
    assert_eq!(world.number(spent).await?, 7_900);
    let day = "select sum(used)::bigint from millrace.counters where kind = 'sender_day'";
    assert_eq!(world.number(day).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_receipt_of_an_earlier_call_gives_back_the_place_in_the_senders_meter()
-> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.admit(&[text(1), text(2)]).await?;
    assert_eq!(world.number(METER).await?, 2);

    // The first is admitted again and waits for its claim; the second has come out of a line.
    world
        .run(
            "update millrace.messages set state = 0, reserved_at = null
             where message_id = '00000000-0000-0000-0000-000000000002'",
        )
        .await?;
    receive(&world, 1, "delivered").await?;
    assert_eq!((world.number(METER).await?, world.reserved().await?), (1, 2));
    receive(&world, 2, "delivered").await?;
    assert_eq!((world.number(METER).await?, world.reserved().await?), (0, 3));

    receive(&world, 1, "read").await?;
    assert_eq!((world.number(METER).await?, world.reserved().await?), (0, 3), "once");
    Ok(())
}

#[tokio::test]
async fn a_claimed_message_has_left_the_meter_before_its_receipt() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.admit(&[text(1)]).await?;
    world.claim(crate::calls::OWNER, 0, &[text(1)]).await?;
    receive(&world, 1, "delivered").await?;
    assert_eq!((world.number(METER).await?, world.reserved().await?), (1, 1));
    assert_eq!(world.states(&[text(1)]).await?, [Delivered]);
    Ok(())
}

#[tokio::test]
async fn whoever_waits_for_counters_holds_no_message() -> anyhow::Result<()> {
    let world = Calls::begin().await?;
    world.doubts(&[text(1)], 0).await?;
    assert_eq!(tick(&world.sweep().await?).await?, ["message.deferred"]);

    let mut gate = world.database.superuser().await?;
    sqlx::raw_sql("begin; select from millrace.counters for update").execute(&mut gate).await?;
    let look = async {
        world.waiting(1).await?;
        // The gate takes the message next: nobody has it.
        sqlx::raw_sql("select from millrace.messages for update nowait; commit")
            .execute(&mut gate)
            .await?;
        anyhow::Ok(())
    };
    let (receipt, looked) = tokio::join!(receive(&world, 1, "delivered"), look);
    looked?;
    assert_eq!((receipt?, world.reserved().await?), (vec!["message.delivered".to_owned()], 1));
    assert_ne!(world.states(&[text(1)]).await?, [Deferred]);
    Ok(())
}
