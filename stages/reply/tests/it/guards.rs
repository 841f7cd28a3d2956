//! What ends a loop: how many answers a thread, a person and a day get, and what machines say.

use serde_json::json;
use uuid::Uuid;
use wire::InboundText;

use super::world::{QUESTION, World, after, body, now};

async fn questions(world: &World, person: u32, count: u32) -> anyhow::Result<Vec<InboundText>> {
    let mut texts = Vec::new();
    for n in 0..count {
        texts.push(world.text(person, &format!("Question {n}: when do you open?")).await?);
    }
    Ok(texts)
}

#[tokio::test]
async fn a_thread_gets_three_answers_an_hour_and_then_a_person() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let texts = questions(&world, 1, 4).await?;

    let mut answers = Vec::new();
    for (text, minute) in texts.iter().zip([0, 10, 20, 50]) {
        answers.push(process.answer(after(minute), std::slice::from_ref(text)).await?.len());
    }
    assert_eq!(answers, [1, 1, 1, 0]);
    assert_eq!(world.calls().await?, 3, "a text over the limit costs no call");
    assert_eq!(world.handed_off().await?, (1, 1));

    let neighbour = questions(&world, 2, 1).await?;
    assert_eq!(process.answer(after(50), &neighbour).await?.len(), 1);
    Ok(())
}

/// The other side answers each answer within seconds, always with other words.
#[tokio::test]
async fn two_assistants_that_text_each_other_end_within_the_budget_with_a_notice()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let budget = json!({ "budget": { "answers_per_hour": 5 } });
    world.settings("company", Uuid::nil(), budget).await?;

    let mut said = "When do you open?".to_owned();
    let mut answers = 0;
    for turn in 0..20 {
        let text = world.text(1, &format!("Thanks, and {turn}: {said} Is that so?")).await?;
        let answered = process.answer(now(), &[text]).await?;
        let Some(answer) = answered.first() else { break };
        answers += 1;
        said = body(answer)?;
    }
    assert_eq!(answers, 5);
    assert_eq!(world.handed_off().await?, (1, 1));
    Ok(())
}

#[tokio::test]
async fn our_own_words_that_come_back_are_not_answered() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let text = world.text(1, QUESTION).await?;
    let said = process.answer(now(), &[text]).await?;

    let echo = world.text(1, &body(&said[0])?).await?;
    assert!(process.answer(now(), &[echo]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered", "echo"]);
    assert_eq!(world.handed_off().await?, (0, 0), "nobody waits for an answer");
    Ok(())
}

#[tokio::test]
async fn the_same_words_get_one_answer_a_day() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let first = world.text(1, "I'm driving right now. When do you open?").await?;
    let mut other_signs = world.same_words(&first, 1).await?;
    other_signs.body = "I’m driving right now! WHEN do you open".to_owned();

    assert_eq!(process.answer(now(), &[first]).await?.len(), 1);
    assert!(process.answer(after(30), &[other_signs]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered", "repeated"]);
    assert_eq!(world.handed_off().await?, (1, 1), "a person may see who says so");
    Ok(())
}

#[tokio::test]
async fn a_person_gets_twenty_automatic_answers_a_day_whoever_gives_them() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let text = world.text(1, "When do you open?").await?;
    for n in 1..=20 {
        world.same_words(&text, n).await?;
    }
    let help = "update millrace.inbound_texts set answer = 'help' from t
                where inbound_id <= '00000000-0000-0000-0000-000000000013'";
    world.change(&text, help).await?;

    let next = world.text(1, "And on Sunday?").await?;
    let last = world.text(1, "And on Monday?").await?;
    assert_eq!(process.answer(after(0), &[next]).await?.len(), 1, "the twentieth");
    assert!(process.answer(after(1), &[last]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered", "answers_per_day"]);
    Ok(())
}

#[tokio::test]
async fn a_days_tokens_are_used_up_and_then_people_go_on() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.process().await?;
    let settings = json!({
        "budget": { "tokens_per_day": 1, "cost_micros_per_day": 1_000_000 },
        "price": { "input_micros": 1_000_000, "output_micros": 5_000_000 },
    });
    world.settings("company", Uuid::nil(), settings).await?;

    let texts = [world.text(1, QUESTION).await?, world.text(2, QUESTION).await?];
    assert_eq!(process.answer(now(), &texts[..1]).await?.len(), 1);
    assert!(process.answer(now(), &texts[1..]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered", "budget"]);
    assert_eq!(world.handed_off().await?, (1, 1));

    let priced = "select count(*) from millrace.ai_replies
                  where cost_micros = input_tokens + 5 * output_tokens and cost_micros > 0";
    assert_eq!(world.number(priced).await?, 1);
    let summed = "select count(*) from millrace.assistant_usage u
                  where u.cost_micros = (select sum(r.cost_micros) from millrace.ai_replies r)";
    assert_eq!(world.number(summed).await?, 1);

    let tomorrow = after(24 * 60);
    let mut next = world.text(3, QUESTION).await?;
    next.received_at = tomorrow;
    assert_eq!(process.answer(tomorrow, &[next]).await?.len(), 1, "a day has its own");
    Ok(())
}

#[tokio::test]
async fn a_text_that_is_too_old_goes_to_a_person() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let text = world.text(1, QUESTION).await?;
    assert!(world.process().await?.answer(after(61), &[text]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["too_old"]);
    assert_eq!((world.calls().await?, world.handed_off().await?), (0, (1, 1)));
    Ok(())
}
