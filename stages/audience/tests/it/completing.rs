//! The end of a campaign: when it is said, and that it is said once.

use std::collections::BTreeSet;

use domain::{
    ids::{MessageId, event_id},
    message::{passport::Stamp, state::MessageState},
};
use store::{
    messages::dead_letter::{self, Revival},
    outbox,
};
use wire::{Event, EventKind, event::CampaignData};

use super::world::{LEASE_OVER, NOTHING, World, now, publish};

#[tokio::test]
async fn a_campaign_completes_when_the_last_message_is_final_and_not_before() -> anyhow::Result<()>
{
    let world = World::begin(1).await?;
    let campaign = world.run_to(4).await?;
    assert_eq!(publish(world.tick(1).await?).await?.len(), 4);

    let open = MessageState::ALL.into_iter().filter(|state| !state.is_final());
    let finals = MessageState::ALL.into_iter().filter(|state| state.is_final());

    for (seq, state) in (0..).zip([MessageState::Blocked, MessageState::Failed]) {
        world.messages(campaign, seq..seq + 1, state).await?;
    }
    world.messages(campaign, 3..4, MessageState::Delivered).await?;
    assert_eq!(publish(world.tick(2).await?).await?, NOTHING, "one has no row yet");

    for state in open {
        world.messages(campaign, 2..3, state).await?;
        assert_eq!(publish(world.tick(3).await?).await?, NOTHING, "{state:?} is open");
    }

    for (second, state) in (0..).map(|n| 10 + n * LEASE_OVER).zip(finals) {
        world.messages(campaign, 2..3, state).await?;
        world.tick(second).await?;
        assert_eq!(world.stored(campaign).await?.state, "completed", "{state:?} is final");
        world.put(campaign, "running").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_campaign_completes_when_nothing_is_expected_any_more_and_not_again_after_a_late_receipt()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(2).await?;
    publish(world.tick(1).await?).await?;

    world.messages(campaign, 0..1, MessageState::Delivered).await?;
    world.messages(campaign, 1..2, MessageState::Sent).await?;
    assert_eq!(publish(world.tick(2).await?).await?, NOTHING, "its receipt may come");

    world.run("update millrace.messages set code = 'no_receipt' where state = 20").await?;
    world.tick(3).await?;
    assert_eq!(world.stored(campaign).await?.state, "completed");

    let delivered = "update millrace.messages set state = 22, code = null where state = 20";
    world.run(delivered).await?;
    assert_eq!(publish(world.tick(3 + LEASE_OVER).await?).await?, NOTHING);
    assert_eq!(told(&world).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_campaign_is_completed_and_said_to_be_in_one_transaction_once() -> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(2).await?;
    publish(world.tick(1).await?).await?;
    world.messages(campaign, 0..2, MessageState::Delivered).await?;
    let version = world.stored(campaign).await?.version;

    let tick = world.tick(2).await?;
    assert!(tick.say.is_empty() && tick.published.is_none() && !tick.more);
    let stored = world.stored(campaign).await?;
    assert_eq!((stored.state.as_str(), stored.version), ("completed", version + 1));
    assert_eq!(stored.completed_at, Some(world.at(2)?.now));

    let [event] = &told(&world).await?[..] else { panic!("one event") };
    assert_eq!((event.kind, event.version), (EventKind::CampaignCompleted, version + 1));
    assert_eq!(event.id, event_id(campaign.0, "campaign.completed", version + 1));
    let data: CampaignData = serde_json::from_str(event.data.get())?;
    assert_eq!(data, CampaignData { campaign, audience: 2 });

    world.tick(3 + LEASE_OVER).await?;
    assert_eq!(world.stored(campaign).await?, stored);
    assert_eq!(told(&world).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_campaign_that_reaches_nobody_completes_at_once() -> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(0).await?;

    world.tick(1).await?;
    assert_eq!(world.stored(campaign).await?.state, "completed");
    let data: CampaignData = serde_json::from_str(told(&world).await?[0].data.get())?;
    assert_eq!(data.audience, 0);
    Ok(())
}

#[tokio::test]
async fn whoever_reopens_a_message_and_whoever_completes_its_campaign_take_turns()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(1).await?;
    publish(world.tick(1).await?).await?;
    world.messages(campaign, 0..1, MessageState::Failed).await?;

    // A redrive has reopened it, and is not through.
    world.run("update millrace.messages set code = 'internal', number = '+12125550100'").await?;
    let mut redrive = world.scoped().await?;
    let id = sqlx::query_scalar("select message_id from messages").fetch_one(&mut *redrive).await?;
    let key = (world.tenant.clone(), MessageId(id));
    let found = dead_letter::find(&mut redrive, &BTreeSet::from([key.clone()])).await?;
    let revival = Revival {
        found: &found[&key],
        body_hash: None,
        text: None,
        stamp: Stamp::plain("redrive", now(), "accept"),
    };
    let reopened = dead_letter::reopen(&mut redrive, now(), &[revival]).await?;
    assert!(reopened[0].is_some());

    let completing = async { world.tick(2).await };
    let through = async {
        world.waiting(1).await?;
        redrive.commit().await?;
        anyhow::Ok(())
    };
    let (tick, ended) = tokio::join!(completing, through);
    ended?;
    assert!(tick?.say.is_empty());
    assert_eq!(world.stored(campaign).await?.state, "running");
    assert_eq!(told(&world).await?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_campaign_that_is_paused_or_stopped_is_not_completed() -> anyhow::Result<()> {
    for state in ["paused", "stopped"] {
        let world = World::begin(1).await?;
        let campaign = world.run_to(0).await?;
        world.put(campaign, state).await?;

        world.tick(1).await?;
        assert_eq!(world.stored(campaign).await?.state, state);
        assert_eq!(told(&world).await?.len(), 0);
    }
    Ok(())
}

/// The events that are in the outbox.
async fn told(world: &World) -> anyhow::Result<Vec<Event>> {
    let mut events = outbox::pending(&world.pipeline().await?, &world.tenant, 10).await?;
    // That its audience is fixed was told when it began to run.
    events.retain(|event| event.kind != EventKind::CampaignAudienceFixed);
    Ok(events)
}
