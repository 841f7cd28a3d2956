//! Who gets no answer: the model is not asked, and the reason is recorded.

use domain::ids::MessageId;

use super::world::{QUESTION, World, after, now};

const OPT_OUT: &str =
    "update millrace.standings s set opted_out_at = now() from t where s.number = t.number";

const DO_NOT_CONTACT: &str =
    "update millrace.standings s set do_not_contact_at = now() from t where s.number = t.number";

const OPT_IN: &str = "update millrace.standings s set opted_out_at = null from t \
                      where s.number = t.number";

const EPOCH_ENDS: &str = "update millrace.conversations c set epoch = epoch + 1 from t \
                          where c.conversation_id = t.thread";

#[tokio::test]
async fn who_has_opted_out_or_must_not_be_contacted_gets_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let texts = [world.text(1, QUESTION).await?, world.text(2, QUESTION).await?];
    world.change(&texts[0], OPT_OUT).await?;
    world.change(&texts[1], DO_NOT_CONTACT).await?;

    let asker = world.text(3, QUESTION).await?;
    let batch = [texts[0].clone(), asker.clone(), texts[1].clone()];

    let said = world.process().await?.answer(now(), &batch).await?;

    let ids: Vec<_> = said.iter().map(|one| MessageId(one.key.id)).collect();
    assert_eq!(ids, [MessageId::from_burst(asker.conversation, 1, asker.id)]);
    assert_eq!(world.calls().await?, 1, "only the one who may be answered costs a call");
    assert_eq!(world.reasons().await?, ["answered", "opted_out", "opted_out"]);
    Ok(())
}

#[tokio::test]
async fn a_text_met_with_silence_is_not_answered_after_a_later_start() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    world.change(&text, OPT_OUT).await?;

    let process = world.process().await?;
    assert!(process.answer(now(), std::slice::from_ref(&text)).await?.is_empty());

    world.change(&text, OPT_IN).await?;
    assert!(process.answer(after(1), &[text]).await?.is_empty());
    assert_eq!(world.calls().await?, 0);

    let next = world.text(1, "Are you open on Sunday?").await?;
    assert_eq!(process.answer(after(2), &[next]).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_text_of_an_epoch_that_has_ended_gets_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    world.change(&text, EPOCH_ENDS).await?;

    assert!(world.process().await?.answer(now(), &[text]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["epoch_over"]);
    assert_eq!(world.calls().await?, 0);
    Ok(())
}

#[tokio::test]
async fn without_facts_words_or_a_model_nothing_is_said() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let unknown = world.text_of_nobody(1, QUESTION);
    let blank = world.text(2, " \n ").await?;

    assert!(world.process().await?.answer(now(), &[unknown, blank]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["empty", "no_facts"]);

    let off = world.without_model().await?;
    let text = world.text(3, QUESTION).await?;
    assert!(off.answer(now(), &[text]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_off", "empty", "no_facts"]);

    assert_eq!(world.calls().await?, 0);
    Ok(())
}
