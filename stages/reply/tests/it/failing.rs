//! The model fails: what may pass is tried again, and then a person goes on. Nobody who waits for
//! an answer meets silence.

use std::time::Duration;

use serde_json::json;
use stage::machine;

use super::world::{QUESTION, World, now, seconds_after};

#[tokio::test]
async fn a_model_that_fails_once_is_asked_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let text = world.text(1, QUESTION).await?;
    process.take(&seconds_after(now(), begun, 0.0), &[text]).await?;

    world.faults(json!({ "anthropic": { "http_5xx": 1.0 } })).await?;
    assert!(process.answer_due(&seconds_after(now(), begun, 4.0)).await?.is_empty());
    assert_eq!(world.decided().await?, [], "nothing is decided by an outage");

    world.faults(json!({})).await?;
    assert_eq!(process.answer_due(&seconds_after(now(), begun, 60.0)).await?.len(), 1);
    assert_eq!(world.calls_and_failures().await?, (2, 1));
    Ok(())
}

#[tokio::test]
async fn a_model_that_takes_too_long_gives_the_conversation_to_people() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.impatient(Duration::from_millis(100)).await?;
    let begun = machine::now();
    let text = world.text(1, QUESTION).await?;
    process.take(&seconds_after(now(), begun, 0.0), std::slice::from_ref(&text)).await?;

    world.faults(json!({ "anthropic": { "latency_ms": [1500, 1500] } })).await?;
    for second in [4.0, 100.0, 200.0] {
        assert!(process.answer_due(&seconds_after(now(), begun, second)).await?.is_empty());
    }
    assert_eq!(world.reasons().await?, ["ai_unavailable"]);
    assert_eq!(world.handed_off().await?, (1, 1), "people are told, once");
    assert_eq!(world.calls().await?, 3);

    let entry = "select author || ' ' || what || ' ' || body from millrace.conversation_entries";
    assert_eq!(world.one(entry).await?, "stage:reply handed_off ai_unavailable");
    Ok(())
}

#[tokio::test]
async fn a_model_that_asks_for_a_longer_wait_than_people_have_hands_off_at_once()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let text = world.text(1, QUESTION).await?;
    process.take(&seconds_after(now(), begun, 0.0), &[text]).await?;

    world
        .faults(json!({ "anthropic": { "http_429": { "rate": 1.0, "retry_after": 600 } } }))
        .await?;
    process.answer_due(&seconds_after(now(), begun, 4.0)).await?;
    assert_eq!(world.reasons().await?, ["ai_unavailable"]);
    assert_eq!(world.handed_off().await?, (1, 1));

    let other = world.text(2, QUESTION).await?;
    process.take(&seconds_after(now(), begun, 5.0), &[other]).await?;
    process.answer_due(&seconds_after(now(), begun, 9.0)).await?;
    assert_eq!(world.calls().await?, 1, "until then nobody else is asked about either");
    assert_eq!(world.handed_off().await?, (2, 2));
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_refused_for_good_gives_the_conversation_to_people() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let texts = [world.text(1, QUESTION).await?, world.text(2, QUESTION).await?];

    let no_model = world.process_with(&world.url(), "sk-test", "").await?;
    assert!(no_model.answer(now(), &texts[..1]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_refused"]);

    let no_account = world.process_with(&world.url(), " ", "claude-test").await?;
    assert!(no_account.answer(now(), &texts[1..]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_account", "ai_refused"]);
    assert_eq!(world.calls().await?, 2);
    assert_eq!(world.handed_off().await?, (2, 2));

    assert!(world.process().await?.answer(now(), &texts).await?.is_empty(), "that stands");
    assert_eq!(world.calls().await?, 2);
    Ok(())
}
