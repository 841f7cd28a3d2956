//! Receipts about messages that are not here.

use std::ops::RangeInclusive;

use domain::{ids::MessageId, message::state::MessageState};
use reconcile::{ReceiptPoller, ReceiptPollerConfig};
use stage::Tick;
use testkit::world::sealer;
use uuid::Uuid;

use crate::{
    ticks::{ids, tick, tick_without_mark, types},
    world::{World, said},
};

const KEPT: &str = "select count(*) from millrace.unmatched_receipts";

async fn poller(world: &World) -> anyhow::Result<ReceiptPoller> {
    let (store, http) = (world.pipeline().await?, carriers::http::client()?);
    Ok(ReceiptPoller::new(store, sealer(), http, ReceiptPollerConfig::default()))
}

/// Lets the time of the next look come.
async fn look_now(world: &World) -> anyhow::Result<()> {
    world.run("update millrace.unmatched_receipts set next_look = clock_timestamp()").await
}

#[tokio::test]
async fn a_receipt_before_its_message_is_kept_once_and_applied_when_the_message_is_there()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let message = MessageId(Uuid::from_u128(1));

    let early = |second| world.receipt(message, "undelivered&ErrorCode=30003", second);
    let outcomes = world.receive(vec![early(1), early(1), early(2)]).await?;
    assert_eq!(said(&outcomes), [""; 0]);
    world.receive(vec![early(3), world.receipt(message, "sent", 0)]).await?;
    assert_eq!(world.number(KEPT).await?, 2, "what was said, each once");

    let source = poller(&world).await?;
    look_now(&world).await?;
    assert_eq!(tick(&source).await?, [""; 0]);
    assert_eq!(world.number(KEPT).await?, 2, "there is no message yet");
    world.message(1, MessageState::Queued).await?;
    assert_eq!(tick(&source).await?, [""; 0], "it is not looked at all the time");
    look_now(&world).await?;

    let first = tick_without_mark(&source).await?;
    assert_eq!(types(&first.say), ["message.failed"]);
    let stored = world.stored(message).await?;
    assert_eq!((stored.state, stored.version), (MessageState::Failed, 4));
    assert_eq!((stored.code.as_deref(), stored.sid.as_deref()), (Some("30003"), Some("SM1")));

    // Whoever applied them died before it could say so.
    look_now(&world).await?;
    let Tick { say, published, .. } = tick_without_mark(&source).await?;
    assert_eq!(ids(&first.say), ids(&say));
    published.expect("there is something to mark").await?;
    assert_eq!(world.number(KEPT).await?, 0);
    Ok(())
}

#[tokio::test]
async fn of_a_tenants_receipts_without_a_message_the_newest_thousand_of_a_month_are_kept()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    keep(&world, -1_100..=40).await?;

    // Handed over at the epoch; it came eleven days later.
    world.receive(vec![world.receipt(MessageId(Uuid::from_u128(7)), "delivered", 1)]).await?;
    assert_eq!(world.number(KEPT).await?, 1_000);

    world.run("delete from millrace.unmatched_receipts where at > 'epoch'").await?;
    keep(&world, 29..=32).await?;
    world.receive(vec![world.receipt(MessageId(Uuid::from_u128(8)), "delivered", 1)]).await?;
    assert_eq!(world.number(KEPT).await?, 3, "29 and 30 days ago, and now");
    Ok(())
}

/// Keeps a receipt of each day, counted back from the epoch.
async fn keep(world: &World, days: RangeInclusive<i32>) -> anyhow::Result<()> {
    let (first, last) = days.into_inner();
    let keep = format!(
        "insert into millrace.unmatched_receipts
             (tenant_id, receipt_id, message_id, account, sid, state, at, next_look)
         select 'acme', gen_random_uuid(), gen_random_uuid(), 'main', 'SM' || n, 22,
                timestamptz 'epoch' - n * interval '1 day', clock_timestamp() + interval '1 h'
         from generate_series({first}, {last}) n"
    );
    world.run(&keep).await
}
