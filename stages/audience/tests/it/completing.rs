//! The end of a campaign: when it is said, and that it is said once.

use domain::{ids::event_id, message::state::MessageState};
use serde_json::Value;
use wire::{Event, EventKind, event::CampaignData};

use super::world::{LEASE_OVER, NOTHING, World, ids, publish};

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
        assert_eq!(world.tick(second).await?.say.len(), 1, "{state:?} is final");
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
    assert_eq!(publish(world.tick(3).await?).await?.len(), 1);
    assert_eq!(world.stored(campaign).await?.state, "completed");

    let delivered = "update millrace.messages set state = 22, code = null where state = 20";
    world.run(delivered).await?;
    assert_eq!(publish(world.tick(3 + LEASE_OVER).await?).await?, NOTHING);
    Ok(())
}

#[tokio::test]
async fn the_completion_is_said_under_one_id_until_it_is_stored_and_never_after()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(2).await?;
    publish(world.tick(1).await?).await?;
    world.messages(campaign, 0..2, MessageState::Delivered).await?;
    let version = world.stored(campaign).await?.version;

    let lost = world.tick(2).await?;
    assert!(!lost.more);
    assert_eq!(lost.say.len(), 1);
    assert_eq!(lost.say[0].subject.to_string(), "events.acme.campaign.completed");

    let event: Event = serde_json::from_slice(&lost.say[0].json)?;
    assert_eq!((event.kind, event.version), (EventKind::CampaignCompleted, version + 1));
    assert_eq!(event.id, event_id(campaign.0, "campaign.completed", version + 1));
    let data: CampaignData = serde_json::from_str(event.data.get())?;
    assert_eq!(data, CampaignData { campaign, audience: 2 });
    assert_eq!(world.stored(campaign).await?.state, "running");

    let again = world.tick(2 + LEASE_OVER).await?;
    assert_eq!(ids(&again.say), [event.id]);

    publish(again).await?;
    let stored = world.stored(campaign).await?;
    assert_eq!((stored.state.as_str(), stored.version), ("completed", version + 1));
    assert_eq!(stored.completed_at, Some(world.at(2 + LEASE_OVER)?.now));

    publish(lost).await?;
    assert_eq!(world.stored(campaign).await?, stored, "a late mark completes nothing again");

    let after = world.tick(3 + 2 * LEASE_OVER).await?;
    assert!(after.say.is_empty() && after.published.is_none());
    Ok(())
}

#[tokio::test]
async fn a_campaign_that_reaches_nobody_completes_at_once() -> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(0).await?;

    let tick = world.tick(1).await?;
    let event: Value = serde_json::from_slice(&tick.say[0].json)?;
    assert_eq!(
        (&event["type"], &event["data"]["audience"]),
        (&"campaign.completed".into(), &0.into())
    );

    publish(tick).await?;
    assert_eq!(world.stored(campaign).await?.state, "completed");
    Ok(())
}

#[tokio::test]
async fn a_campaign_that_is_paused_between_its_completion_and_the_mark_is_not_completed_twice()
-> anyhow::Result<()> {
    for meanwhile in [&["paused"][..], &["paused", "running"]] {
        let world = World::begin(1).await?;
        let campaign = world.run_to(1).await?;
        publish(world.tick(1).await?).await?;
        world.messages(campaign, 0..1, MessageState::Delivered).await?;

        let told = world.tick(2).await?;
        for state in meanwhile {
            world.put(campaign, state).await?;
        }

        assert_eq!(publish(told).await?.len(), 1);
        assert_eq!(world.stored(campaign).await?.state, "completed");

        let after = world.tick(3 + LEASE_OVER).await?;
        assert!(after.say.is_empty() && after.published.is_none());
    }
    Ok(())
}

#[tokio::test]
async fn a_campaign_that_is_stopped_between_its_completion_and_the_mark_stays_stopped()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(0).await?;

    let told = world.tick(1).await?;
    world.put(campaign, "stopped").await?;
    publish(told).await?;

    assert_eq!(world.stored(campaign).await?.state, "stopped");
    Ok(())
}
