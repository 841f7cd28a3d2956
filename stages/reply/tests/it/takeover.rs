//! A person takes a conversation over: whatever the assistant has begun is thrown away.

use serde_json::json;
use stage::{Source, machine};

use super::world::{QUESTION, World, after, now, seconds_after};

const TAKE_OVER: &str = "update millrace.conversations c set epoch = epoch + 1, owner = 'person' \
                         from t where c.conversation_id = t.thread";

const HAND_BACK: &str = "update millrace.conversations c set epoch = epoch + 1, \
                         owner = 'assistant' from t where c.conversation_id = t.thread";

#[tokio::test]
async fn an_answer_that_is_made_while_a_person_takes_over_is_thrown_away() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let begun = machine::now();
    let text = world.text(1, QUESTION).await?;
    process.take(&seconds_after(now(), begun, 0.0), std::slice::from_ref(&text)).await?;

    world.faults(json!({ "anthropic": { "latency_ms": [400, 400] } })).await?;
    let due = seconds_after(now(), begun, 4.0);
    assert!(process.source.tick(&due).await?.say.is_empty(), "the model thinks");
    while world.calls().await? == 0 {
        tokio::task::yield_now().await;
    }
    world.change(&text, TAKE_OVER).await?;

    assert!(process.answer_due(&due).await?.is_empty());
    assert_eq!(world.reasons().await?, ["epoch_over"]);
    assert_eq!(world.handed_off().await?, (0, 0), "a person has it already");
    Ok(())
}

#[tokio::test]
async fn where_a_person_answers_the_assistant_is_quiet_until_it_is_handed_back()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let first = world.text(1, QUESTION).await?;
    world.change(&first, TAKE_OVER).await?;

    let mut during = world.text(1, "And on Sunday?").await?;
    during.epoch = 2;
    assert!(process.answer(now(), &[during]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["person_answers"]);

    world.change(&first, HAND_BACK).await?;
    let mut since = world.text(1, "Where are you?").await?;
    since.epoch = 3;
    world.of_epoch(&since).await?;
    assert_eq!(process.answer(after(1), &[since]).await?.len(), 1);
    assert_eq!(world.calls().await?, 1);
    Ok(())
}

#[tokio::test]
async fn an_answer_is_not_said_again_once_a_person_has_taken_over() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (process, other) = (world.process().await?, world.process().await?);
    let text = world.text(1, QUESTION).await?;
    let texts = std::slice::from_ref(&text);
    assert_eq!(process.answer(now(), texts).await?.len(), 1);
    assert_eq!(other.answer(now(), texts).await?.len(), 1, "it may not have gone out");

    world.change(&text, TAKE_OVER).await?;
    assert!(other.answer(now(), texts).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered"]);
    Ok(())
}

#[tokio::test]
async fn of_a_long_conversation_the_model_reads_what_came_since_people_gave_it_back()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let (before, other) = (world.text(1, "Hello").await?, world.text(2, "Hello").await?);
    let long_ago = format!(
        "insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id,
             sender_id, body, meaning, epoch, received_at)
         select 'acme', gen_random_uuid(), '{}', '{}', '{}', 'Long ago', 'text', 1,
                '{}'::timestamptz - n * interval '2 hours'
         from generate_series(1, 300) n",
        before.conversation,
        before.contact,
        before.sender,
        now()
    );
    world.run(&long_ago).await?;

    let mut texts = Vec::new();
    for (person, thread) in [(1, &before), (2, &other)] {
        world.change(thread, TAKE_OVER).await?;
        world.change(thread, HAND_BACK).await?;
        let mut since = world.text(person, QUESTION).await?;
        since.epoch = 3;
        world.of_epoch(&since).await?;
        texts.push(since);
    }
    assert_eq!(process.answer(after(1), &texts).await?.len(), 2);
    let decided = world.decided().await?;
    assert_eq!(decided.len(), 2);
    assert_eq!(decided[0].tokens, decided[1].tokens, "what is long past is not read");
    Ok(())
}
