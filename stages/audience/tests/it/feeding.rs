//! How a running campaign's recipients become messages, and how many at a time.

use domain::{
    ids::{ContactId, SenderId},
    message::{class::MessageClass, state::MessageState},
};
use jiff::SignedDuration;
use serde_json::json;
use wire::{
    Submitted,
    message::{Content, From},
};

use super::world::{LEASE_OVER, NOTHING, POOL, World, ids, now, publish};

/// The window of a pool that is slower than 7 segments a second.
const SMALLEST: usize = 64;

#[tokio::test]
async fn the_cursor_moves_once_the_messages_are_stored_and_till_then_they_are_said_again()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(100).await?;
    let first = world.ids(campaign, 0..SMALLEST).await?;

    let lost = world.tick(10).await?;
    assert_eq!(ids(&lost.say), first);
    assert_eq!(world.stored(campaign).await?.cursor, 0);

    let again = world.tick(10 + LEASE_OVER).await?;
    assert_eq!(world.stored(campaign).await?.cursor, 0);
    let keys = |say: &[wire::frame::Outgoing]| say.iter().map(|out| out.key).collect::<Vec<_>>();
    assert_eq!(keys(&again.say), keys(&lost.say), "a later tick says the same messages");

    publish(again).await?;
    assert_eq!(world.stored(campaign).await?.cursor, 64);

    publish(lost).await?;
    assert_eq!(world.stored(campaign).await?.cursor, 64, "a late mark moves nothing");

    world.messages(campaign, 0..64, MessageState::Sent).await?;
    let next = publish(world.tick(20 + LEASE_OVER).await?).await?;
    assert_eq!(next, world.ids(campaign, 64..100).await?);
    assert_eq!(world.stored(campaign).await?.cursor, 100);
    Ok(())
}

#[tokio::test]
async fn a_message_says_what_the_campaign_says_to_whom_by_which_pool_and_until_when()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(1).await?;

    let said = world.tick(10).await?.say;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].subject.to_string(), "msg.submitted.bulk");
    let message: Submitted = serde_json::from_slice(&said[0].json)?;

    let head = &message.head;
    assert_eq!(head.id.0, world.ids(campaign, 0..1).await?[0]);
    assert_eq!((head.tenant.as_str(), head.turn), ("acme", 1));
    assert_eq!((head.class, head.campaign), (MessageClass::Promo, Some(campaign)));
    assert_eq!(head.to.as_str(), "+13125550000");
    assert_eq!(head.submitted_at, now() + SignedDuration::from_secs(10));
    assert_eq!(head.expires_at, Some(now() + SignedDuration::from_secs(3_610)));
    assert_eq!((&message.content, &message.from), (&Content::Campaign, &From::Pool(POOL)));
    Ok(())
}

#[tokio::test]
async fn messages_in_flight_take_up_the_window_and_parked_sent_and_final_ones_leave_it()
-> anyhow::Result<()> {
    let world = World::begin(1).await?;
    let campaign = world.run_to(200).await?;

    assert_eq!(publish(world.tick(1).await?).await?.len(), SMALLEST);
    assert_eq!(publish(world.tick(2).await?).await?, NOTHING, "none has come to enrich yet");

    for (seq, state) in [
        (0..10, MessageState::Accepted),
        (10..20, MessageState::Queued),
        (20..30, MessageState::InDoubt),
    ] {
        world.messages(campaign, seq, state).await?;
    }
    assert_eq!(publish(world.tick(3).await?).await?, NOTHING, "these are in the pipe");

    for (seq, state) in [
        (0..5, MessageState::Deferred),
        (5..10, MessageState::Held),
        (10..15, MessageState::Sent),
        (15..18, MessageState::Delivered),
        (20..22, MessageState::Blocked),
    ] {
        world.messages(campaign, seq, state).await?;
    }

    let fed = publish(world.tick(4).await?).await?;
    assert_eq!(fed, world.ids(campaign, 64..84).await?, "20 have made room");
    assert_eq!(publish(world.tick(5).await?).await?, NOTHING);

    assert_eq!(world.stored(campaign).await?.cursor, 84);
    Ok(())
}

#[tokio::test]
async fn the_window_is_ten_seconds_of_the_pool_s_usable_senders() -> anyhow::Result<()> {
    let world = World::begin(9).await?;
    world.add_sender(SenderId::of(&world.tenant, "second"), 3, true).await?;
    world.add_sender(SenderId::of(&world.tenant, "quarantined"), 500, false).await?;

    let campaign = world.run_to(200).await?;

    let fed = publish(world.tick(1).await?).await?;
    assert_eq!(fed, world.ids(campaign, 0..120).await?);
    Ok(())
}

#[tokio::test]
async fn paused_and_stopped_campaigns_say_nothing_and_a_resumed_one_goes_on() -> anyhow::Result<()>
{
    let world = World::begin(1).await?;
    let campaign = world.run_to(100).await?;

    let fed = world.tick(1).await?;
    world.put(campaign, "paused").await?;
    assert_eq!(publish(fed).await?.len(), SMALLEST, "what was said before the pause is marked");
    world.messages(campaign, 0..64, MessageState::Sent).await?;

    for state in ["paused", "stopped", "draft", "completed"] {
        world.put(campaign, state).await?;
        let tick = world.tick(2).await?;
        assert!(tick.say.is_empty() && tick.published.is_none() && !tick.more, "{state}");
        assert_eq!(world.stored(campaign).await?.cursor, 64);
    }

    world.put(campaign, "running").await?;
    let rest = publish(world.tick(3).await?).await?;
    assert_eq!(rest, world.ids(campaign, 64..100).await?);
    Ok(())
}

#[tokio::test]
async fn a_campaign_under_lease_is_left_to_its_process() -> anyhow::Result<()> {
    let world = World::begin(1).await?;
    world.run_to(10).await?;

    let mine = world.tick(1).await?;
    assert_eq!(mine.say.len(), 10);

    let other = world.tick(15).await?;
    assert!(other.say.is_empty() && other.published.is_none());

    assert_eq!(ids(&world.tick(1 + LEASE_OVER).await?.say), ids(&mine.say));
    Ok(())
}

/// Somebody who keeps their number to themselves.
const HIDDEN: &str = "US.13491208655302741918";

#[tokio::test]
async fn an_audience_is_whom_the_campaigns_channel_reaches_and_is_told_by_that_channel()
-> anyhow::Result<()> {
    for (channel, size) in [("sms", 2), ("whatsapp", 3)] {
        let world = World::begin(1).await?;
        world.contacts(&world.tenant, 0..2, &[]).await?;
        let hidden = json!({
            "tenant_id": world.tenant, "contact_id": ContactId::of(&world.tenant, HIDDEN),
            "number": HIDDEN, "country": "US", "tags": [], "created_at": now(),
            "updated_at": now(),
        });
        world.insert("contacts", &[hidden]).await?;
        let campaign = world.start(&[]).await?;
        world.run(&format!("update millrace.campaigns set channel = '{channel}'")).await?;

        assert_eq!(publish(world.tick(0).await?).await?, NOTHING);
        assert_eq!(world.stored(campaign).await?.audience, size);
        let said = world.tick(10).await?.say;
        let mut told = Vec::new();
        for one in &said {
            let message: Submitted = serde_json::from_slice(&one.json)?;
            assert_eq!(
                (message.head.channel.as_str(), &message.content),
                (channel, &Content::Campaign)
            );
            told.push(message.head.to.as_str().to_owned());
        }
        told.sort_unstable();
        let everybody = ["+13125550000", "+13125550001", HIDDEN];
        assert_eq!(told, everybody[..said.len()]);
        assert_eq!(said.len() as i64, size);
    }
    Ok(())
}

#[tokio::test]
async fn the_window_of_a_campaign_is_that_of_the_senders_on_its_channel() -> anyhow::Result<()> {
    for (channel, fed) in [("sms", 100), ("whatsapp", SMALLEST)] {
        let world = World::begin(50).await?;
        world.contacts(&world.tenant, 0..100, &[]).await?;
        world.start(&[]).await?;
        world.run(&format!("update millrace.campaigns set channel = '{channel}'")).await?;
        assert_eq!(publish(world.tick(0).await?).await?, NOTHING);
        assert_eq!(world.tick(10).await?.say.len(), fed, "{channel}: its senders are of SMS");
    }
    Ok(())
}
