//! Half a million parked rows: what is due comes back at once, in order, and at the tenant's pace.

use std::time::{Duration, Instant};

use domain::message::class::MessageClass;
use store::parked::wake::{Way, What};

use super::world::{CAUSE, World, after, message, now, publish, tick, tick_to_the_end, told};

/// Rows of a backlog.
const MANY: i32 = 500_000;

#[tokio::test]
async fn among_half_a_million_parked_rows_the_due_one_is_found_within_a_second()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.backlog(MANY, after(86_400)).await?;
    let one = message(&world.tenant, MessageClass::Promo, 1);
    let urgent = message(&world.tenant, MessageClass::Conversational, 2);
    world.park_all(&[(one.clone(), Some(now())), (urgent.clone(), Some(now()))]).await?;

    let source = world.source().await?;
    let begun = Instant::now();
    let said = told(&publish(tick(&source, now()).await?).await?);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());

    let said: Vec<_> = said.iter().map(|said| said.1).collect();
    assert_eq!(said, [urgent.head.id, one.head.id]);

    // Half of them at once: a slice is woken, and what somebody waits for is not behind it.
    world.wake(What::Cause(CAUSE), Way::On).await?;
    let begun = Instant::now();
    let urgent = message(&world.tenant, MessageClass::Conversational, 3);
    world.park(&urgent, Some(now())).await?;

    let next = tick(&source, now()).await?;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(next.more);

    let said = told(&publish(next).await?);
    assert_eq!(said.first().map(|said| said.1), Some(urgent.head.id));
    Ok(())
}

#[tokio::test]
async fn a_backlog_that_is_due_at_once_comes_back_at_the_tenants_pace() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.pace(30).await?;

    let rows: Vec<_> = (0..700)
        .map(|n| (message(&world.tenant, MessageClass::Promo, n), Some(after(-i64::from(n)))))
        .collect();
    world.park_all(&rows).await?;

    let source = world.source().await?;
    let begun = Instant::now();
    let released = tick_to_the_end(&source).await?.len();

    let allowed = 10 * 30 + 31 * (begun.elapsed().as_secs() as usize + 1);
    assert!((300..allowed).contains(&released), "{released} of at most {allowed}");
    Ok(())
}
