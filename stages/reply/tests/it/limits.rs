//! How many answers a thread gets in an hour, however its texts come.

use wire::InboundText;

use super::world::{World, after, answer, json};

/// What a thread gets in an hour.
const PER_HOUR: usize = 3;

async fn questions(world: &World, person: u32, count: u32) -> anyhow::Result<Vec<InboundText>> {
    let mut texts = Vec::new();
    for n in 0..count {
        texts.push(world.text(person, &format!("Question {n}: when do you open?")).await?);
    }
    Ok(texts)
}

#[tokio::test]
async fn a_thread_gets_three_answers_an_hour_and_others_are_not_affected() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let texts = questions(&world, 1, 6).await?;

    let mut answers = Vec::new();
    for (text, minute) in texts[..4].iter().zip([0, 10, 20, 59]) {
        answers.push(answer(&stage, after(minute), std::slice::from_ref(text)).await?.len());
    }
    assert_eq!(answers, [1, 1, 1, 0]);
    assert_eq!(world.calls().await?, 3, "a text over the limit costs no call");

    let neighbour = questions(&world, 2, 1).await?;
    assert_eq!(answer(&stage, after(59), &neighbour).await?.len(), 1);

    assert_eq!(answer(&stage, after(61), &texts[4..5]).await?.len(), 1, "the first is an hour old");
    assert_eq!(answer(&stage, after(62), &texts[5..]).await?.len(), 0, "the second is not");
    assert!(answer(&stage, after(600), &texts[3..4]).await?.is_empty(), "silence stands");
    Ok(())
}

#[tokio::test]
async fn texts_of_one_thread_in_one_batch_get_no_more_than_the_hour_allows() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let mut texts = questions(&world, 1, 6).await?;
    texts.extend(questions(&world, 2, 1).await?);

    let said = answer(&stage, after(0), &texts).await?;
    let to = |n: usize| said.iter().filter(|one| contains(&one.json, &texts[n])).count();
    assert_eq!((to(0), to(6)), (PER_HOUR, 1));
    assert_eq!(world.calls().await?, 4, "a text over the limit costs no call");

    let again = answer(&stage, after(1), &texts).await?;
    assert_eq!(json(&again), json(&said));
    Ok(())
}

#[tokio::test]
async fn a_flood_in_one_thread_costs_a_batch_as_much_as_its_answers() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let mut texts = questions(&world, 1, 60).await?;
    texts.extend(questions(&world, 2, 1).await?);

    let recorded = async || {
        let writes = "select count(distinct xmin::text) from millrace.ai_replies";
        anyhow::Ok((world.reasons().await?.len(), world.number(writes).await?))
    };

    // Three answers and one, each recorded by itself, and the end of all others.
    assert_eq!(answer(&stage, after(0), &texts[30..]).await?.len(), PER_HOUR + 1);
    assert_eq!(recorded().await?, (31, 5));

    assert!(answer(&stage, after(1), &texts[..30]).await?.is_empty());
    assert_eq!(recorded().await?, (61, 6));
    assert_eq!(world.calls().await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_thread_that_the_model_refuses_costs_a_batch_no_more_calls_than_one_that_it_answers()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let no_model = world.stage_with(&world.url(), "sk-test", "").await?;
    let texts = questions(&world, 1, 10).await?;

    assert!(answer(&no_model, after(0), &texts).await?.is_empty());
    assert_eq!(world.calls().await?, PER_HOUR as u64);
    let expected = [["ai_refused"; PER_HOUR].as_slice(), &["answers_per_hour"; 7]].concat();
    assert_eq!(world.reasons().await?, expected);
    Ok(())
}

#[tokio::test]
async fn batches_of_one_thread_in_several_processes_get_no_more_than_the_hour_allows()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let (one, two) = (world.stage().await?, world.stage().await?);
    let texts = questions(&world, 1, 8).await?;

    let (first, second) =
        tokio::join!(answer(&one, after(0), &texts[..4]), answer(&two, after(0), &texts[4..]),);
    assert_eq!(first?.len() + second?.len(), PER_HOUR);

    let answered = world.reasons().await?.iter().filter(|reason| *reason == "answered").count();
    assert_eq!(answered, PER_HOUR);
    Ok(())
}

#[tokio::test]
async fn the_same_words_get_one_answer_a_day_in_one_batch_and_in_many() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (one, two) = (world.stage().await?, world.stage().await?);

    let first = world.text(1, "I'm driving right now. When do you open?").await?;
    let mut texts = vec![first.clone()];
    let mut other_signs = first.clone();
    other_signs.body = "I’m driving right now! WHEN do you open".to_owned();
    for n in 1..=5 {
        let again = if n % 2 == 0 { &first } else { &other_signs };
        texts.push(world.same_words(again, n).await?);
    }

    let (said, by_other) =
        tokio::join!(answer(&one, after(0), &texts[..2]), answer(&two, after(0), &texts[2..4]));
    let said = said?.len() + by_other?.len();
    assert_eq!(said, 1);
    assert!(answer(&one, after(120), &texts[4..5]).await?.is_empty(), "two hours later");
    assert_eq!(answer(&one, after(25 * 60), &texts[5..]).await?.len(), 1, "a day later");

    let other_words = world.text(1, "And on Sunday?").await?;
    assert_eq!(answer(&one, after(25 * 60), &[other_words]).await?.len(), 1);
    assert_eq!(world.reasons().await?.iter().filter(|reason| *reason == "repeated").count(), 4);
    Ok(())
}

#[tokio::test]
async fn a_person_gets_twenty_automatic_answers_a_day_whoever_gives_them() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let stage = world.stage().await?;
    let text = world.text(1, "When do you open?").await?;
    for n in 1..=20 {
        world.same_words(&text, n).await?;
    }
    let help = "update millrace.inbound_texts set answer = 'help' from t
                where inbound_id <= '00000000-0000-0000-0000-000000000013'";
    world.change(&text, help).await?;

    let next = world.text(1, "And on Sunday?").await?;
    let last = world.text(1, "And on Monday?").await?;
    assert_eq!(answer(&stage, after(0), &[next]).await?.len(), 1, "the twentieth");
    assert!(answer(&stage, after(1), &[last]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["answered", "answers_per_day"]);
    Ok(())
}

fn contains(json: &[u8], text: &InboundText) -> bool {
    String::from_utf8_lossy(json).contains(text.address.as_str())
}
