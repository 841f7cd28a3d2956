//! A started campaign's audience: who is in it, and that it never changes.

use std::collections::BTreeSet;

use domain::ids::{ContactId, MessageId};
use store::{Role, campaigns::audience, outbox};
use wire::{EventKind, event::CampaignData};

use super::world::{LEASE_OVER, NOTHING, World, now, publish};

/// More people than are frozen in one step.
const MANY: u32 = 5_003;

#[tokio::test]
async fn starting_freezes_everyone_with_all_tags_once_in_places_without_gaps() -> anyhow::Result<()>
{
    let world = World::begin(1).await?;
    let wanted = world.contacts(&world.tenant, 0..MANY, &["us", "new", "vip"]).await?;
    world.contacts(&world.tenant, MANY..MANY + 20, &["us"]).await?;
    world.contacts(&world.tenant, MANY + 20..MANY + 40, &[]).await?;

    let neighbour = world.database.tenant("globex").await?;
    world.contacts(&neighbour, 0..20, &["us", "vip"]).await?;

    let campaign = world.start(&["vip", "us"]).await?;

    let first = world.tick(0).await?;
    assert!(first.more, "a step is left");
    assert_eq!(publish(first).await?, NOTHING);
    let after_one = world.stored(campaign).await?;
    assert_eq!((after_one.state.as_str(), after_one.audience), ("starting", 5_000));

    assert_eq!(publish(world.tick(1).await?).await?, NOTHING);
    let frozen = world.stored(campaign).await?;
    assert_eq!((frozen.state.as_str(), frozen.audience), ("running", i64::from(MANY)));
    assert_eq!(frozen.version, after_one.version + 1);
    let told = outbox::pending(&world.pipeline().await?, &world.tenant, 10).await?;
    let [told] = told.as_slice() else { panic!("one event, at the end: {told:?}") };
    assert_eq!((told.kind, told.version), (EventKind::CampaignAudienceFixed, frozen.version));
    let data: CampaignData = serde_json::from_str(told.data.get())?;
    assert_eq!(data, CampaignData { campaign, audience: i64::from(MANY) });

    let recipients = world.recipients(campaign).await?;
    assert!(recipients.iter().map(|one| one.seq).eq(0..i64::from(MANY)));
    let contacts: BTreeSet<ContactId> = recipients.iter().map(|one| one.contact).collect();
    assert_eq!(contacts, wanted.into_iter().collect());

    let named = |contact| MessageId::from_campaign(campaign, contact, 0);
    assert!(recipients.iter().all(|one| one.message == named(one.contact)));
    Ok(())
}

#[tokio::test]
async fn who_comes_after_the_audience_is_frozen_is_not_in_it() -> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(3).await?;
    let frozen = world.recipients(campaign).await?;

    world.contacts(&world.tenant, 3..10, &[]).await?;
    assert_eq!(publish(world.tick(1).await?).await?.len(), 3);
    publish(world.tick(2).await?).await?;

    assert_eq!(world.recipients(campaign).await?, frozen);
    assert_eq!(world.stored(campaign).await?.audience, 3);
    Ok(())
}

#[tokio::test]
async fn a_step_is_frozen_once_when_its_mark_never_comes_and_when_a_slow_process_repeats_it()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    world.contacts(&world.tenant, 0..MANY, &[]).await?;
    let campaign = world.start(&[]).await?;

    let store = world.database.store(Role::Pipeline).await?;
    let slow = audience::lease(&store, world.at(0)?.machine).await?;
    assert_eq!(slow.len(), 1);

    drop(world.tick(LEASE_OVER).await?);
    assert_eq!(world.stored(campaign).await?.audience, 5_000);

    audience::freeze(&store, &slow[0], now()).await.expect_err("the step is another's");
    assert_eq!(world.stored(campaign).await?.audience, 5_000);
    assert_eq!(world.recipients(campaign).await?.len(), 5_000);

    publish(world.tick(2 * LEASE_OVER).await?).await?;
    assert_eq!(world.stored(campaign).await?.state, "running");

    audience::freeze(&store, &slow[0], now()).await.expect_err("the step is another's");
    assert!(world.recipients(campaign).await?.iter().map(|one| one.seq).eq(0..i64::from(MANY)));
    assert_eq!(world.stored(campaign).await?.audience, i64::from(MANY));
    Ok(())
}

#[tokio::test]
async fn a_campaign_that_is_stopped_while_it_starts_freezes_no_more() -> anyhow::Result<()> {
    let world = World::begin(1).await?;
    world.contacts(&world.tenant, 0..MANY, &[]).await?;
    let campaign = world.start(&[]).await?;

    let first = world.tick(0).await?;
    world.put(campaign, "stopped").await?;
    publish(first).await?;

    let after = world.tick(LEASE_OVER).await?;
    assert!(after.say.is_empty() && after.published.is_none());
    let stored = world.stored(campaign).await?;
    assert_eq!((stored.state.as_str(), stored.audience), ("stopped", 5_000));
    Ok(())
}
