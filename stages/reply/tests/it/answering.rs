//! A question and its answer: once, under an id that the text gives.

use domain::{ids::MessageId, message::class::MessageClass};
use stage::{Source, machine};
use wire::{Submitted, message::From};

use super::world::{QUESTION, World, after, body, json, now, seconds_after};

#[tokio::test]
async fn a_question_is_answered_by_one_call_and_one_conversational_message() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;

    let said = world.process().await?.answer(after(5), std::slice::from_ref(&text)).await?;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].subject.to_string(), "msg.submitted.urgent");

    let message: Submitted = serde_json::from_slice(&said[0].json)?;
    let id = MessageId::from_burst(text.conversation, 1, text.id);
    assert_eq!((message.head.id, message.head.turn), (id, 1));
    assert_eq!(message.head.class, MessageClass::Conversational);
    assert_eq!((message.head.tenant, message.head.to), (text.tenant, text.address));
    assert_eq!((message.head.submitted_at, message.head.trace), (text.received_at, text.trace));
    assert_eq!(message.from, From::Sender(text.sender));

    let body = body(&said[0])?;
    assert!(body.contains("9 am"), "{body}");
    assert_eq!(world.calls().await?, 1);
    let decided = world.decided().await?;
    assert_eq!(decided.len(), 1);
    assert_eq!((decided[0].text, decided[0].message), (text.id, id));
    assert_eq!((decided[0].reason.as_str(), &decided[0].body), ("answered", &Some(body)));
    assert!(decided[0].tokens.0 > 0 && decided[0].tokens.1 > 0);

    let made = "select count(*) from millrace.ai_replies
                where model = 'claude-test' and latency_ms is not null and confidence = 'high'
                  and not handed_off";
    assert_eq!(world.number(made).await?, 1, "how the answer was made is recorded with it");
    let left = "select count(*) from millrace.reply_bursts";
    assert_eq!(world.number(left).await?, 0, "what was said waits no longer");
    Ok(())
}

#[tokio::test]
async fn a_text_that_comes_again_is_not_answered_again() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let texts = [world.text(1, "Hello").await?, world.text(1, QUESTION).await?];
    let process = world.process().await?;

    assert_eq!(process.answer(now(), &texts).await?.len(), 1);
    let decided = world.decided().await?;

    let other = world.process().await?;
    assert!(other.answer(after(30), &texts[..1]).await?.is_empty(), "it was answered with another");
    let again = other.answer(after(30), &texts[1..]).await?;
    assert_eq!(again.len(), 1, "the last of a burst says its answer again");
    assert_eq!(again[0].key.id, decided[0].message.0);
    assert_eq!(world.calls().await?, 1);
    assert_eq!(world.decided().await?, decided);
    Ok(())
}

#[tokio::test]
async fn who_dies_before_the_broker_leaves_the_same_answer_to_another() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    let (dying, other) = (world.process().await?, world.process().await?);
    let begun = machine::now();

    assert!(dying.take(&seconds_after(now(), begun, 0.0), &[text]).await?.is_empty());
    let mut lost = Vec::new();
    while lost.is_empty() {
        lost = dying.source.tick(&seconds_after(now(), begun, 9.0)).await?.say;
    }

    let leased = seconds_after(now(), begun, 20.0);
    assert!(other.answer_due(&leased).await?.is_empty(), "the lease is the other's");
    let said = other.answer_due(&seconds_after(now(), begun, 90.0)).await?;
    assert_eq!(json(&said), json(&lost));
    assert_eq!(world.calls().await?, 1, "no second call is paid for");
    Ok(())
}
