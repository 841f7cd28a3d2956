//! Fragments that a person writes one after the other get one answer.

use domain::ids::MessageId;
use jiff::SignedDuration;
use serde_json::json;
use stage::{Source, machine};
use store::conversations::bursts;
use wire::InboundText;

use super::world::{QUESTION, World, body, now, seconds_after};

#[tokio::test]
async fn six_fragments_in_four_seconds_get_one_answer_to_all_of_them() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();

    let fragments = ["Hi", "what are", "your opening", "hours", "please", "thanks"];
    for (n, fragment) in fragments.iter().enumerate() {
        let text = world.text(1, fragment).await?;
        let cx = seconds_after(now(), begun, n as f64 * 0.8);
        assert!(process.take(&cx, &[text]).await?.is_empty());
        assert!(process.answer_due(&cx).await?.is_empty(), "they still write");
    }
    assert!(process.answer_due(&seconds_after(now(), begun, 6.5)).await?.is_empty());

    let said = process.answer_due(&seconds_after(now(), begun, 7.5)).await?;
    assert_eq!(said.len(), 1, "three quiet seconds after the last fragment");
    let body = body(&said[0])?;
    assert!(body.contains("open Monday"), "the whole burst was read: {body}");
    assert_eq!((world.calls().await?, world.decided().await?.len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn who_never_stops_writing_is_answered_after_half_a_minute() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();

    let mut first = None;
    for second in (0..36).step_by(2) {
        let cx = seconds_after(now(), begun, f64::from(second));
        let text = world.text(1, &format!("Fragment {second}")).await?;
        process.take(&cx, &[text]).await?;
        if !process.answer_due(&cx).await?.is_empty() {
            first.get_or_insert(second);
        }
    }
    assert_eq!(first, Some(30));

    let said = process.answer_due(&seconds_after(now(), begun, 60.0)).await?;
    assert_eq!(said.len(), 1, "what came after it is a burst of its own");
    assert_eq!(world.calls().await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_is_written_while_the_model_thinks_is_answered_with_what_came_before()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let texts = [world.text(1, "Hello").await?, world.text(1, QUESTION).await?];
    process.take(&seconds_after(now(), begun, 0.0), &texts[..1]).await?;

    world.faults(json!({ "anthropic": { "latency_ms": [400, 400] } })).await?;
    let due = seconds_after(now(), begun, 4.0);
    assert!(process.source.tick(&due).await?.say.is_empty(), "the model thinks");
    while world.calls().await? == 0 {
        tokio::task::yield_now().await;
    }
    process.take(&due, &texts[1..]).await?;
    assert!(process.answer_due(&due).await?.is_empty(), "that answer is overtaken");
    assert!(world.decided().await?.is_empty());

    let said = process.answer_due(&seconds_after(now(), begun, 8.0)).await?;
    assert_eq!(said.len(), 1);
    assert!(body(&said[0])?.contains("open Monday"));
    assert_eq!(world.calls().await?, 2);
    let paid = "select count(*) from millrace.assistant_usage
                where tokens > (select sum(input_tokens + output_tokens) from millrace.ai_replies)";
    assert_eq!(world.number(paid).await?, 1, "what was thrown away is paid for");
    Ok(())
}

#[tokio::test]
async fn texts_that_are_delivered_again_make_no_burst_longer() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let texts = [world.text(1, QUESTION).await?];

    for second in [0.0, 1.0, 2.0, 2.9] {
        process.take(&seconds_after(now(), begun, second), &texts).await?;
    }
    assert_eq!(process.answer_due(&seconds_after(now(), begun, 3.1)).await?.len(), 1);
    Ok(())
}

/// Two processes take texts of one person, and the one with the first text is slower.
#[tokio::test]
async fn a_text_that_is_late_joins_those_after_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let late = world.text(1, "Hello").await?;
    let next = InboundText {
        body: QUESTION.to_owned(),
        received_at: late.received_at + SignedDuration::from_secs(1),
        ..late.clone()
    };
    let last = world.same_words(&next, 2).await?;

    process.take(&seconds_after(now(), begun, 0.0), std::slice::from_ref(&last)).await?;
    process.take(&seconds_after(now(), begun, 1.0), &[late]).await?;
    let said = process.answer_due(&seconds_after(now(), begun, 7.0)).await?;

    assert_eq!(said.len(), 1);
    assert_eq!(said[0].key.id, MessageId::from_burst(last.conversation, 1, last.id).0);
    let body = body(&said[0])?;
    assert!(body.contains("open Monday"), "what came last was read: {body}");
    Ok(())
}

#[tokio::test]
async fn who_comes_back_after_its_lease_answers_nothing_that_was_answered_since()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let (slow, other) = (world.process().await?, world.process().await?);
    let begun = machine::now();
    let texts = [world.text(1, "Hello").await?, world.text(1, QUESTION).await?];
    slow.take(&seconds_after(now(), begun, 0.0), &texts[..1]).await?;

    world.faults(json!({ "anthropic": { "latency_ms": [2000, 2000] } })).await?;
    let tick = slow.source.tick(&seconds_after(now(), begun, 4.0)).await?;
    assert!(tick.say.is_empty(), "the model thinks");
    while world.calls().await? == 0 {
        tokio::task::yield_now().await;
    }
    world.faults(json!({})).await?;
    other.take(&seconds_after(now(), begun, 5.0), &texts[1..]).await?;

    let late = seconds_after(now(), begun, 60.0);
    assert_eq!(other.answer_due(&late).await?.len(), 1, "the lease has ended");
    assert!(slow.answer_due(&late).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered"]);
    assert_eq!(world.calls().await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_waits_for_a_place_is_counted_as_far_as_its_tenant_has_any() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (process, store) = (world.process().await?, world.pipeline().await?);
    let begun = machine::now();
    let texts = [world.text(1, "Hello").await?, world.text(2, QUESTION).await?];
    process.take(&seconds_after(now(), begun, 0.0), &texts).await?;

    let at = |seconds: f64| seconds_after(now(), begun, seconds).machine;
    assert_eq!(bursts::waiting(&store, at(1.0), 64).await?, 0, "they may write on");
    assert_eq!(bursts::waiting(&store, at(4.0), 64).await?, 2);
    assert_eq!(bursts::waiting(&store, at(4.0), 1).await?, 1, "a tenant has so many places");

    process.answer_due(&seconds_after(now(), begun, 4.0)).await?;
    assert_eq!(bursts::waiting(&store, at(5.0), 64).await?, 0);
    Ok(())
}
