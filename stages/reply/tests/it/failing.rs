//! The model fails: nothing is sent. What may pass is tried again, what will not ends in silence.

use serde_json::json;
use stage::{Dependency, Fault, fault::Fate};
use wire::InboundText;

use super::world::{QUESTION, World, after, answer, now};

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

/// How many calls one batch has under way.
const AT_ONCE: u64 = 16;

fn is_ai_outage(fault: &Fault) -> bool {
    fault.fate() == Fate::Retry && matches!(fault, Fault::Unavailable { what: Dependency::Ai, .. })
}

#[tokio::test]
async fn a_model_that_is_busy_or_broken_is_an_outage_and_the_text_is_answered_after_it()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let text = [world.text(1, QUESTION).await?];

    for (minute, fault) in (0..).zip(["http_429", "http_529", "http_5xx"]) {
        world.faults(json!({ "anthropic": { fault: 1.0 } })).await?;
        let failed = answer(&stage, after(minute), &text).await.expect_err(fault);
        assert!(is_ai_outage(&failed), "{fault}: {failed}");
        assert_eq!(world.decided().await?, [], "{fault}: nothing is decided by an outage");
    }

    assert_eq!(world.calls().await?, 3, "one call for each hand-over");

    world.faults(json!({})).await?;
    assert_eq!(answer(&stage, after(9), &text).await?.len(), 1);
    assert_eq!(world.calls().await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_model_that_cannot_be_reached_is_an_outage() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = [world.text(1, QUESTION).await?];

    let cut_off = world.stage_with(NOWHERE, "sk-test", "claude-test").await?;
    let failed = answer(&cut_off, now(), &text).await.expect_err("nobody listens");
    assert!(is_ai_outage(&failed), "{failed}");
    assert_eq!(world.decided().await?, []);

    assert_eq!(answer(&world.stage().await?, after(1), &text).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_refused_for_good_ends_in_silence_and_is_not_made_again()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let texts = [world.text(1, QUESTION).await?, world.text(2, QUESTION).await?];

    let no_model = world.stage_with(&world.url(), "sk-test", "").await?;
    assert!(answer(&no_model, now(), &texts[..1]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_refused"]);

    let no_account = world.stage_with(&world.url(), " ", "claude-test").await?;
    assert!(answer(&no_account, now(), &texts[1..]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_account", "ai_refused"]);
    assert_eq!(world.calls().await?, 2);

    assert!(answer(&world.stage().await?, after(1), &texts).await?.is_empty());
    assert_eq!(world.calls().await?, 2);
    Ok(())
}

#[tokio::test]
async fn after_a_failed_call_no_other_person_is_asked_about() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let texts = two_texts_of_each(&world, 40).await?;
    world.faults(json!({ "anthropic": { "http_529": 1.0 } })).await?;

    answer(&world.stage().await?, now(), &texts).await.expect_err("all calls fail");
    assert_eq!(world.calls_and_failures().await?, (AT_ONCE, AT_ONCE));
    Ok(())
}

#[tokio::test]
async fn a_failed_call_throws_no_answer_to_others_away() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let texts = two_texts_of_each(&world, 40).await?;

    world.faults(json!({ "anthropic": { "http_5xx": 0.3, "latency": [0, 100] } })).await?;
    answer(&stage, now(), &texts).await.expect_err("some calls fail");

    let (calls, failed) = world.calls_and_failures().await?;
    assert!(failed > 0 && calls > failed, "{failed} of {calls} have failed");
    assert_eq!(u64::try_from(world.decided().await?.len())?, calls - failed);

    world.faults(json!({})).await?;
    assert_eq!(answer(&stage, after(1), &texts).await?.len(), texts.len());
    assert_eq!(world.calls().await?, u64::try_from(texts.len())? + failed);
    Ok(())
}

async fn two_texts_of_each(world: &World, people: u32) -> anyhow::Result<Vec<InboundText>> {
    let mut texts = Vec::new();
    for person in 0..people {
        texts.push(world.text(person, &format!("Are you open today? {person}")).await?);
        texts.push(world.text(person, &format!("And where are you? {person}")).await?);
    }
    Ok(texts)
}
