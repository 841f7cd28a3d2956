//! Tools: what the assistant looks up before it answers, and what happens where it finds nothing.

use super::world::{World, body, now};

const SECRET: &str = "Bearer sandbox";

#[tokio::test]
async fn an_answer_says_what_a_tool_has_told_and_the_calls_are_counted() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.tool("order_status", &world.shop(), SECRET).await?;
    let process = world.with_tools(&[&world.host()]).await?;

    let text = world.text(1, "Where is my order 1042?").await?;
    let said = process.answer(now(), &[text]).await?;
    let said = body(&said[0])?;
    assert!(said.contains("state: shipped") && said.contains("$42.50"), "{said}");
    assert_eq!(world.reasons().await?, ["answered"]);
    assert_eq!(world.calls().await?, 2, "the question, and once more with what was found");

    let made = "select count(*) from millrace.ai_replies
                where tool_calls = 1 and tool_failures = 0 and input_tokens > 0";
    assert_eq!(world.number(made).await?, 1);
    let used = "select count(*) from millrace.assistant_usage u
                where u.tool_calls = 1 and u.answers = 1
                  and u.tokens = (select input_tokens + output_tokens from millrace.ai_replies)";
    assert_eq!(world.number(used).await?, 1, "tokens of both rounds");
    Ok(())
}

#[tokio::test]
async fn a_question_that_no_tool_is_for_is_answered_by_one_call() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.tool("order_status", &world.shop(), SECRET).await?;
    let process = world.with_tools(&[&world.host()]).await?;
    let text = world.text(1, "What are your opening hours?").await?;
    assert_eq!(process.answer(now(), &[text]).await?.len(), 1);
    assert_eq!(world.calls().await?, 1);
    let looked = "select sum(tool_calls)::bigint from millrace.ai_replies";
    assert_eq!(world.number(looked).await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_tool_that_fails_gives_the_conversation_to_people() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let process = world.with_tools(&[&world.host()]).await?;
    world.tool("order_status", &world.shop(), SECRET).await?;
    for (person, order) in [(1, "9000, which there is not"), (2, "8000, which is too long")] {
        let text = world.text(person, &format!("Where is my order {order}?")).await?;
        assert!(process.answer(now(), &[text]).await?.is_empty(), "{order}");
    }

    world.tool("order_status", &world.shop(), "Bearer wrong").await?;
    let text = world.text(3, "Where is my order 1042?").await?;
    assert!(process.answer(now(), &[text]).await?.is_empty(), "the secret is not right");

    assert_eq!(world.reasons().await?, ["ai_hands_off"; 3]);
    assert_eq!(world.handed_off().await?, (3, 3));
    let failed = "select count(*) from millrace.ai_replies
                  where tool_calls = 1 and tool_failures = 1";
    assert_eq!(world.number(failed).await?, 3);
    Ok(())
}

#[tokio::test]
async fn a_number_that_a_tool_only_repeats_is_not_said() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.tool("order_status", &world.shop(), SECRET).await?;
    let process = world.with_tools(&[&world.host()]).await?;

    let text = world.text(1, "Where is my order 1900555019900?").await?;
    assert!(process.answer(now(), &[text]).await?.is_empty());
    assert_eq!(world.reasons().await?, ["ai_not_allowed"]);
    Ok(())
}

#[tokio::test]
async fn a_tool_whose_host_the_operator_does_not_list_is_none() -> anyhow::Result<()> {
    let world = World::begin().await?;
    world.tool("order_status", &world.shop(), SECRET).await?;
    let process = world.with_tools(&["orders.example.com"]).await?;
    let text = world.text(1, "Where is my order 1042?").await?;
    process.answer(now(), &[text]).await?;
    assert_eq!(world.calls().await?, 1, "the model does not hear of it");
    let looked = "select sum(tool_calls)::bigint from millrace.ai_replies";
    assert_eq!(world.number(looked).await?, 0);
    Ok(())
}
