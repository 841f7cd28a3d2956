//! Who answers: what the assistant has begun is thrown away once a person has the conversation.

use super::world::{QUESTION, World, now};

const TAKEN: &str = "update millrace.conversations c set owner = 'person', epoch = epoch + 1 from t
                     where c.conversation_id = t.thread";

const OWNER: &str = "select owner from millrace.conversations";

#[tokio::test]
async fn where_a_person_answers_the_model_is_not_asked() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    world.change(&text, TAKEN).await?;
    let of_now = wire::InboundText { epoch: 2, ..text };

    assert!(world.process().await?.answer(now(), &[of_now]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["person_answers"]);
    assert_eq!(world.calls().await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_answer_that_was_begun_before_a_person_took_over_is_thrown_away() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    let process = world.process().await?;

    // The model has answered, and the record of it waits: meanwhile somebody takes over.
    let mut holder = world.database.superuser().await?;
    sqlx::raw_sql("begin; select from millrace.standings for update").execute(&mut holder).await?;
    let texts = [text.clone()];
    let answering = process.answer(now(), &texts);
    let taking_over = async {
        world.waiting(1).await?;
        world.change(&text, TAKEN).await?;
        sqlx::raw_sql("commit").execute(&mut holder).await?;
        anyhow::Ok(())
    };
    let (said, taken) = tokio::join!(answering, taking_over);
    taken?;

    assert!(said?.is_empty(), "nothing is sent");
    assert_eq!(world.reasons().await?, ["epoch_over"]);
    assert_eq!(world.calls().await?, 1, "the call was made, and paid for");
    Ok(())
}

#[tokio::test]
async fn without_a_model_a_conversation_is_nobodys_and_an_answer_is_its_last_text()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    world.process().await?.answer(now(), std::slice::from_ref(&text)).await?;
    assert_eq!(world.one(OWNER).await?, "assistant");
    let last = "select (last_text_id = message_id)::text
                from millrace.conversations v join millrace.ai_replies using (conversation_id)";
    assert_eq!(world.one(last).await?, "true");

    let off = world.without_model().await?;
    let next = world.same_words(&text, 7).await?;
    let next = wire::InboundText { body: "And on Sunday?".into(), ..next };
    off.answer(now(), &[next]).await?;
    assert_eq!(world.one(OWNER).await?, "nobody");
    Ok(())
}
