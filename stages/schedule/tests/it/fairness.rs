//! One tenant's backlog beside another's single message.

use std::collections::BTreeSet;

use domain::{ids::MessageId, message::class::MessageClass};
use wire::Enriched;

use super::world::{
    World, after, in_next_turn, message, now, publish, tick, tick_to_the_end, told,
};

/// More rows of one tenant than a tick takes of it.
const BACKLOG: u32 = 300;

/// How many a tick takes of one tenant.
const PER_TENANT: usize = 128;

#[tokio::test]
async fn a_backlog_does_not_keep_a_neighbour_s_newer_row_out_of_the_first_tick()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let neighbour = world.database.tenant("globex").await?;
    let backlog: Vec<Enriched> =
        (0..BACKLOG).map(|n| message(&world.tenant, MessageClass::Promo, n)).collect();

    let due = |n: u32| Some(after(-3_600 + i64::from(n)));
    let rows: Vec<_> = backlog.iter().cloned().zip((0..).map(due)).collect();
    world.park_all(&rows).await?;

    let single = message(&neighbour, MessageClass::Promo, 0);
    world.park(&single, Some(now())).await?;

    let source = world.source().await?;
    let first = tick(&source, now()).await?;
    assert!(first.more, "the rest is due now");
    let first = told(&publish(first).await?);

    let ids: BTreeSet<MessageId> = first.iter().map(|said| said.1).collect();
    let oldest = backlog[..PER_TENANT].iter().chain([&single]).map(|one| one.head.id);
    assert_eq!(ids, oldest.collect());

    let of_neighbour = first.iter().find(|said| said.1 == single.head.id);
    assert_eq!(of_neighbour.map(|said| &said.3), Some(&in_next_turn(&single)));

    let mut all: Vec<MessageId> = first.iter().map(|said| said.1).collect();
    all.extend(tick_to_the_end(&source).await?);
    assert_eq!(all.len(), backlog.len() + 1, "each once");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert_eq!(world.parked().await?, []);
    Ok(())
}

#[tokio::test]
async fn however_many_tenants_have_a_backlog_each_has_its_turn_in_every_tick() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    for n in 0..6 {
        let tenant = world.database.tenant(&format!("flood-{n}")).await?;
        let rows =
            (0..BACKLOG).map(|n| (message(&tenant, MessageClass::Promo, n), Some(after(-60))));
        world.park_all(&rows.collect::<Vec<_>>()).await?;
    }
    let single = message(&world.tenant, MessageClass::Promo, 0);
    world.park(&single, Some(now())).await?;

    let first = told(&publish(tick(&world.source().await?, now()).await?).await?);
    assert!(
        first.iter().any(|said| said.1 == single.head.id),
        "its tenant's first is in the first"
    );
    Ok(())
}

#[tokio::test]
async fn the_causes_of_a_tenant_take_turns() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let backlog =
        (0..BACKLOG).map(|n| (message(&world.tenant, MessageClass::Promo, n), Some(after(-60))));
    world.park_all(&backlog.collect::<Vec<_>>()).await?;
    world.run("update millrace.parked set cause = 'budget:spent'").await?;

    let few: Vec<_> = (BACKLOG..BACKLOG + 20)
        .map(|n| (message(&world.tenant, MessageClass::Promo, n), Some(now())))
        .collect();
    world.park_all(&few).await?;

    let first = told(&publish(tick(&world.source().await?, now()).await?).await?);
    let first: BTreeSet<MessageId> = first.iter().map(|said| said.1).collect();
    assert!(few.iter().all(|(message, _)| first.contains(&message.head.id)));
    assert_eq!(first.len(), PER_TENANT);
    Ok(())
}
