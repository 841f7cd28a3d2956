//! Many conversations at once, with a model that takes its time.

use std::time::{Duration, Instant};

use serde_json::json;
use stage::machine;

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
