//! A question and its answer: once, under an id that the text gives.

use domain::{ids::MessageId, message::class::MessageClass};
use wire::{
    Submitted,
    message::{Content, From},
};

use super::world::{QUESTION, World, after, answer, json, now};

#[tokio::test]
async fn a_question_is_answered_by_one_call_and_one_conversational_message() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;

    let said = answer(&world.stage().await?, after(5), std::slice::from_ref(&text)).await?;
    assert_eq!(said.len(), 1);
    assert_eq!(said[0].subject.to_string(), "msg.submitted.urgent");

    let message: Submitted = serde_json::from_slice(&said[0].json)?;

    let id = MessageId::from_burst(text.conversation, 1, text.id);
    assert_eq!((message.head.id, message.head.turn), (id, 1));
    assert_eq!(message.head.class, MessageClass::Conversational);
    assert_eq!((message.head.tenant, message.head.to), (text.tenant, text.address));
    assert_eq!((message.head.submitted_at, message.head.trace), (text.received_at, text.trace));
    assert_eq!(message.from, From::Sender(text.sender));

    let Content::Body(body) = message.content else { panic!("a text of its own") };
    assert!(body.len() > 10);

    assert_eq!(world.calls().await?, 1);
    let decided = world.decided().await?;
    assert_eq!(decided.len(), 1);
    assert_eq!((decided[0].text, decided[0].message), (text.id, id));
    assert_eq!((decided[0].reason.as_str(), &decided[0].body), ("answered", &Some(body)));
    assert!(decided[0].tokens.0 > 0 && decided[0].tokens.1 > 0);
    Ok(())
}

#[tokio::test]
async fn a_text_that_comes_again_is_answered_the_same_without_another_call() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let texts = [world.text(1, QUESTION).await?, world.text(2, "Where are you?").await?];

    let first = answer(&world.stage().await?, now(), &texts).await?;
    assert_eq!(first.len(), 2);
    assert_eq!(world.calls().await?, 2);

    let decided = world.decided().await?;
    let again = answer(&world.stage().await?, after(90), &texts).await?;
    assert_eq!(json(&again), json(&first));
    assert_eq!(again[0].key, first[0].key);
    assert_eq!(world.calls().await?, 2);
    assert_eq!(world.decided().await?, decided);
    Ok(())
}

/// The row of another process is written while this one asks: it is not seen before the call, and
/// committed before the answer can be recorded.
#[tokio::test]
async fn of_two_processes_that_ask_at_once_the_first_to_record_is_what_both_say()
-> anyhow::Result<()> {
    use sqlx::Connection;

    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;

    let mut connection = world.database.superuser().await?;
    let mut other = connection.begin().await?;
    sqlx::query(
        "insert into millrace.ai_replies (tenant_id, message_id, conversation_id, inbound_id, body,
                                          reason, at)
         values ('acme', $1, $2, $3, 'Said by another', 'answered', now())",
    )
    .bind(MessageId::from_burst(text.conversation, 1, text.id).0)
    .bind(text.conversation.0)
    .bind(text.id)
    .execute(&mut *other)
    .await?;

    let stage = world.stage().await?;
    let texts = [text];
    let other_commits = async {
        while world.calls().await? == 0 {
            tokio::task::yield_now().await;
        }
        anyhow::Ok(other.commit().await?)
    };

    let (said, committed) = tokio::join!(answer(&stage, now(), &texts), other_commits);
    committed?;

    let message: Submitted = serde_json::from_slice(&said?[0].json)?;
    assert_eq!(message.content, Content::Body("Said by another".into()));
    assert_eq!(world.decided().await?.len(), 1);
    Ok(())
}
