//! Chunks of recipients that are not looked at again.

use domain::{ids::CampaignId, message::state::MessageState};

use super::world::{NOTHING, World, publish};

/// A campaign to 2,100 people, all fed: the first chunk is final, the second at the carrier, and of
/// the rest one message is in doubt.
async fn fed() -> anyhow::Result<(World, CampaignId)> {
    let world = World::begin(1_000).await?;
    let campaign = world.run_to(2_100).await?;
    for second in 1..=3 {
        publish(world.tick(second).await?).await?;
    }
    assert_eq!(world.stored(campaign).await?.cursor, 2_100);

    world.messages(campaign, 0..1_000, MessageState::Delivered).await?;
    world.messages(campaign, 1_000..2_000, MessageState::Sent).await?;
    world.messages(campaign, 2_000..2_099, MessageState::Blocked).await?;
    world.messages(campaign, 2_099..2_100, MessageState::InDoubt).await?;
    Ok((world, campaign))
}

/// The chunks that are ended and those that are handed over.
async fn settled(world: &World) -> anyhow::Result<String> {
    world.one("select ended || ' ' || handed_over from millrace.campaigns").await
}

#[tokio::test]
async fn a_chunk_is_settled_once_nothing_of_it_is_in_the_pipe_or_parked() -> anyhow::Result<()> {
    let (world, campaign) = fed().await?;

    world.messages(campaign, 1_500..1_501, MessageState::Deferred).await?;
    publish(world.tick(10).await?).await?;
    assert_eq!(settled(&world).await?, "{[0,1000)} {}", "a parked message comes back");

    world.messages(campaign, 1_500..1_501, MessageState::Sent).await?;
    publish(world.tick(20).await?).await?;
    assert_eq!(settled(&world).await?, "{[0,1000)} {[1000,2000)}");
    assert_eq!(world.stored(campaign).await?.settled_below, 1_000);
    Ok(())
}

#[tokio::test]
async fn a_campaign_whose_chunks_wait_for_receipts_ends_with_the_last() -> anyhow::Result<()> {
    let (world, campaign) = fed().await?;
    publish(world.tick(10).await?).await?;

    world.messages(campaign, 2_099..2_100, MessageState::Failed).await?;
    assert_eq!(publish(world.tick(20).await?).await?, NOTHING, "receipts are expected");
    world.messages(campaign, 1_000..1_999, MessageState::Delivered).await?;
    assert_eq!(publish(world.tick(30).await?).await?, NOTHING, "one more is");

    world.messages(campaign, 1_999..2_000, MessageState::Delivered).await?;
    assert_eq!(publish(world.tick(40).await?).await?.len(), 1);
    assert_eq!(world.stored(campaign).await?.state, "completed");
    Ok(())
}

#[tokio::test]
async fn what_is_reopened_during_a_look_is_not_settled_by_it() -> anyhow::Result<()> {
    let (world, campaign) = fed().await?;

    let look = world.tick(10).await?;
    world.messages(campaign, 7..8, MessageState::Accepted).await?;
    world.run("update millrace.campaigns set reopened = reopened + 1").await?;
    publish(look).await?;
    assert_eq!(settled(&world).await?, "{} {}");
    assert_eq!(world.stored(campaign).await?.settled_below, 0);

    publish(world.tick(20).await?).await?;
    assert_eq!(settled(&world).await?, "{} {[1000,2000)}");
    assert_eq!(world.stored(campaign).await?.settled_below, 7);
    Ok(())
}
