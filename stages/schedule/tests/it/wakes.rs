//! Parked messages that come back before their time, and held ones whose time ends.

use std::collections::BTreeSet;

use domain::{ids::CampaignId, message::class::MessageClass};
use stage::{Cx, Source};
use store::parked::wake::{LAST_PASS, Way, What};
use uuid::Uuid;

use super::world::{CAUSE, World, after, message, now, publish, tick, tick_to_the_end, told};

#[tokio::test]
async fn a_held_message_comes_back_when_its_validity_ends() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut held = message(&world.tenant, MessageClass::Promo, 1);
    held.head.expires_at = Some(after(60));
    world.park(&held, None).await?;

    let source = world.source().await?;
    assert!(tick(&source, after(59)).await?.say.is_empty());

    let said = told(&publish(tick(&source, after(60)).await?).await?);
    assert_eq!(said.iter().map(|said| said.1).collect::<Vec<_>>(), [held.head.id]);
    Ok(())
}

#[tokio::test]
async fn a_cause_that_is_there_again_takes_its_wake_back() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.park(&message(&world.tenant, MessageClass::Promo, 1), None).await?;

    world.wake(What::Cause(CAUSE), Way::On).await?;
    world.cancel_wake(What::Cause(CAUSE)).await?;

    let source = world.source().await?;
    assert!(tick(&source, now()).await?.say.is_empty());

    world.wake(What::Cause("switch:sender:1"), Way::On).await?;
    assert!(tick(&source, now()).await?.say.is_empty(), "another cause");

    world.wake(What::Cause(CAUSE), Way::On).await?;
    assert_eq!(tick(&source, now()).await?.say.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_being_held_while_its_cause_went_is_woken_by_the_last_pass()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.wake(What::Cause(CAUSE), Way::On).await?;

    let source = world.source().await?;
    assert!(tick(&source, now()).await?.say.is_empty());

    world.park(&message(&world.tenant, MessageClass::Promo, 1), None).await?;
    assert!(tick(&source, now()).await?.say.is_empty());

    let later = Cx::at(now(), stage::machine::now() + LAST_PASS);
    assert_eq!(source.tick(&later).await?.say.len(), 1);
    assert_eq!(world.wakes().await?, 0, "and then it is forgotten");
    Ok(())
}

#[tokio::test]
async fn a_stopped_campaign_brings_back_its_own_messages_alone_whatever_they_wait_for()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    world.pace(1).await?;
    let campaign = CampaignId(Uuid::from_u128(7));

    let of_campaign: Vec<_> =
        (0..300).map(|n| message(&world.tenant, MessageClass::Promo, n)).collect();
    let other = message(&world.tenant, MessageClass::Promo, 999);

    let due = |n: usize| (!n.is_multiple_of(3)).then(|| after(3_600 * 24));
    let mut rows: Vec<_> =
        of_campaign.iter().cloned().enumerate().map(|(n, one)| (one, due(n))).collect();
    rows.push((other.clone(), Some(after(60))));
    world.park_all(&rows).await?;

    world.campaign(campaign, &of_campaign).await?;
    world.wake(What::Campaign(campaign), Way::Ending).await?;

    let source = world.source().await?;
    let back: BTreeSet<_> = tick_to_the_end(&source).await?.into_iter().collect();
    assert_eq!(back, of_campaign.iter().map(|one| one.head.id).collect(), "at no pace");
    assert_eq!(world.parked().await?, [(other.head.id, 1)]);
    Ok(())
}

#[tokio::test]
async fn what_is_due_and_waits_for_the_pace_is_ended_at_once() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.pace(1).await?;

    let overdue: Vec<_> =
        (0..900).map(|n| message(&world.tenant, MessageClass::Promo, n)).collect();
    let rows: Vec<_> = overdue.iter().map(|one| (one.clone(), Some(now()))).collect();
    world.park_all(&rows).await?;

    let campaign = CampaignId(Uuid::from_u128(7));
    world.campaign(campaign, &overdue[..300]).await?;
    let address = overdue[300].head.to.clone();

    let source = world.source().await?;
    let back = async || {
        let before = world.parked().await?.len();
        tick_to_the_end(&source).await?;
        anyhow::Ok(before - world.parked().await?.len())
    };

    back().await?;

    let left = world.parked().await?.len();
    assert!(left > 600, "the pace lets {left} of 900 wait");

    world.wake(What::Campaign(campaign), Way::Ending).await?;
    assert!(back().await? > 0);

    let of_campaign: BTreeSet<_> = overdue[..300].iter().map(|one| one.head.id).collect();
    let parked = world.parked().await?;
    assert!(parked.iter().all(|(id, _)| !of_campaign.contains(id)), "all of the campaign");

    let mut tx = world.database.store(store::Role::Pipeline).await?.scoped([&world.tenant]).await?;
    let key = (&world.tenant, &address, domain::message::class::Channel::Sms);
    store::parked::park::wake_addresses(&mut tx, now(), &[key]).await?;
    tx.commit().await?;
    back().await?;

    let theirs = overdue[300].head.id;
    assert!(world.parked().await?.iter().all(|(id, _)| *id != theirs));

    world.wake(What::Everything, Way::Ending).await?;
    back().await?;
    assert_eq!(world.parked().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_stopped_tenant_brings_back_everything() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let rows = [
        (message(&world.tenant, MessageClass::Promo, 1), None),
        (message(&world.tenant, MessageClass::Promo, 2), Some(after(600))),
        (message(&world.tenant, MessageClass::Conversational, 3), Some(after(600))),
    ];
    world.park_all(&rows).await?;

    world.wake(What::Everything, Way::Ending).await?;
    publish(tick(&world.source().await?, now()).await?).await?;
    assert_eq!(world.parked().await?, []);
    Ok(())
}
