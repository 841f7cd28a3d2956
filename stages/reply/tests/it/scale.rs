//! Many conversations at once, with a model that takes its time.

use std::time::{Duration, Instant};

use serde_json::json;
use stage::machine;
use store::conversations::bursts;

use super::world::{QUESTION, World, now, seconds_after};

#[tokio::test]
async fn two_hundred_conversations_are_answered_side_by_side() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let mut texts = Vec::new();
    for person in 0..200 {
        texts.push(world.text(person, QUESTION).await?);
    }

    // The stage gives every text back at once, however slow the model is.
    world.faults(json!({ "anthropic": { "latency_ms": [2000, 2000] } })).await?;
    let taken = Instant::now();
    assert!(process.take(&seconds_after(now(), begun, 0.0), &texts).await?.is_empty());
    assert_eq!(world.calls().await?, 0);
    let taking = taken.elapsed();

    let answering = Instant::now();
    let mut said = Vec::new();
    while said.len() < texts.len() {
        said.extend(process.answer_due(&seconds_after(now(), begun, 9.0)).await?);
    }
    assert!(taking < Duration::from_secs(10), "{taking:?}");
    let one_by_one = Duration::from_secs(400);
    let took = answering.elapsed();
    assert!(took < one_by_one / 8, "200 answers of two seconds each took {took:?}");
    assert_eq!((said.len(), world.calls().await?), (200, 200));
    Ok(())
}

#[tokio::test]
async fn a_flood_in_one_conversation_is_one_question_to_the_model() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let mut texts = Vec::new();
    for n in 0..50 {
        texts.push(world.text(1, &format!("Question {n}: when do you open?")).await?);
    }
    texts.push(world.text(2, QUESTION).await?);

    assert_eq!(world.process().await?.answer(now(), &texts).await?.len(), 2);
    assert_eq!((world.calls().await?, world.decided().await?.len()), (2, 2));
    Ok(())
}

#[tokio::test]
async fn a_tenant_with_many_conversations_leaves_places_to_others() -> anyhow::Result<()> {
    const SHARE: i64 = 8;

    let world = World::begin().await?;
    world.database.tenant("zeta").await?;
    let insert = |tenant: &str, count: u32, began_at: &str| {
        format!(
            "insert into millrace.reply_bursts (tenant_id, burst_id, conversation_id, epoch,
                 inbound_id, contact_id, sender_id, number, channel, received_at, began_at, due)
             select '{tenant}', gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(),
                    gen_random_uuid(), gen_random_uuid(), '+12125550123', 'sms', '{began_at}',
                    '{began_at}', '{began_at}'
             from generate_series(1, {count})"
        )
    };
    world.run(&insert("acme", 20, "2026-01-01T00:00:00Z")).await?;
    world.run(&insert("zeta", 2, "2026-01-01T00:01:00Z")).await?;

    let store = world.pipeline().await?;
    let (taken, _) = bursts::take(&store, machine::now(), SHARE, 64).await?;
    let of = |tenant: &str| taken.iter().filter(|one| one.ask.tenant.as_str() == tenant).count();
    assert_eq!((of("acme"), of("zeta")), (8, 2), "whoever came later has a place");

    let (taken, _) = bursts::take(&store, machine::now(), SHARE, 64).await?;
    assert!(taken.is_empty(), "a share is of all processes together");
    Ok(())
}
