//! What the assistant goes by: the most specific settings hold, and fixed answers need no model.

use serde_json::json;
use uuid::Uuid;

use super::world::{World, after, body, now};

const BRAND: Uuid = Uuid::from_u128(7);
const INBOX: Uuid = Uuid::from_u128(8);

#[tokio::test]
async fn the_inboxs_settings_hold_before_the_brands_and_these_before_the_companys()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.without_model().await?;
    for (scope, target) in [("company", Uuid::nil()), ("brand", BRAND), ("inbox", INBOX)] {
        let keyword = json!({ "words": ["hours"], "answer": format!("Says the {scope}.") });
        world.settings(scope, target, json!({ "keywords": [keyword] })).await?;
    }

    let place = [
        "select from t",
        "update millrace.conversations c set brand_id = '00000000-0000-0000-0000-000000000007' \
         from t where c.conversation_id = t.thread",
        "update millrace.conversations c set brand_id = '00000000-0000-0000-0000-000000000007', \
         inbox_id = '00000000-0000-0000-0000-000000000008' \
         from t where c.conversation_id = t.thread",
    ];
    let mut answers = Vec::new();
    for (person, place) in (1..).zip(place) {
        let text = world.text(person, "HOURS").await?;
        world.change(&text, place).await?;
        for said in process.answer(now(), &[text]).await? {
            answers.push(body(&said)?);
        }
    }
    assert_eq!(answers, ["Says the company.", "Says the brand.", "Says the inbox."]);
    assert_eq!(world.reasons().await?, ["keyword"; 3]);
    Ok(())
}

#[tokio::test]
async fn a_keyword_is_answered_once_for_each_text_however_often_it_is_delivered()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let keyword = json!({ "words": ["hours"], "answer": "Nine to five." });
    world.settings("company", Uuid::nil(), json!({ "keywords": [keyword] })).await?;

    let mut texts = Vec::new();
    for person in 0..100 {
        texts.push(world.text(person, "hours").await?);
    }
    assert_eq!(process.answer(now(), &texts).await?.len(), 100);
    let again = process.answer(after(1), &texts[..1]).await?;
    assert_eq!(body(&again[0])?, "Nine to five.");
    assert_eq!(world.decided().await?.len(), 100);

    let mut flood = Vec::new();
    for n in 1..=5 {
        flood.push(world.same_words(&texts[0], n).await?);
    }
    assert_eq!(
        process.answer(after(2), &flood).await?.len(),
        2,
        "three an hour, the first counted"
    );
    assert_eq!(world.calls().await?, 0, "no model is asked for it");
    assert_eq!(world.handed_off().await?, (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_word_of_escalation_and_the_hours_give_the_conversation_to_people() -> anyhow::Result<()>
{
    let world = World::begin().await?;
    let process = world.process().await?;
    world.settings("company", Uuid::nil(), json!({ "escalate_on": ["my lawyer"] })).await?;
    let text = world.text(1, "You will hear from my lawyer!").await?;
    assert!(process.answer(now(), &[text]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["escalated"]);
    assert_eq!(world.handed_off().await?, (1, 1));

    let closed = json!({ "holidays": ["2026-03-02"],
                         "closed_answer": "We are back on Friday." });
    world.settings("company", Uuid::nil(), closed).await?;
    let first = world.text(2, "When do you open?").await?;
    let said = process.answer(now(), &[first]).await?;
    assert_eq!(body(&said[0])?, "We are back on Friday.");
    let second = world.text(2, "And then?").await?;
    assert!(process.answer(now(), &[second]).await?.is_empty(), "it is said once an hour");
    assert_eq!(world.handed_off().await?, (2, 2));
    assert_eq!(world.calls().await?, 0);
    Ok(())
}

#[tokio::test]
async fn what_is_turned_off_or_cannot_be_read_says_nothing() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    world.settings("company", Uuid::nil(), json!({ "enabled": false })).await?;
    let text = world.text(1, "When?").await?;
    assert!(process.answer(now(), &[text]).await?.is_empty());

    world.settings("company", Uuid::nil(), json!({ "mood": "sunny" })).await?;
    let text = world.text(2, "When?").await?;
    assert!(process.answer(now(), &[text]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_off", "bad_settings"]);
    assert_eq!(world.calls().await?, 0);
    Ok(())
}
