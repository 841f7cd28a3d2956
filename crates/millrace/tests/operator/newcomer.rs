//! Commands of an operator who has just begun: nothing is there yet, and that is said.

use std::time::Duration;

use anyhow::Context;
use boot::ports;
use wire::Stream;

use crate::world::{PATIENCE, World};

#[tokio::test]
async fn on_an_empty_broker_diff_lists_everything_that_apply_would_make() -> anyhow::Result<()> {
    let world = World::begin().await?;
    for stream in Stream::ALL {
        world.nats.api.delete_stream(stream.name()).await?;
    }

    let ended = world.millrace(&["streams", "diff"]).await?;

    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for stream in Stream::ALL {
        assert!(ended.stderr.contains(stream.name()), "{}: {}", stream.name(), ended.stderr);
    }
    let count = ended.stderr.lines().last().unwrap_or_default();
    assert!(count.ends_with(" changes") && count != "0 changes", "{count}");
    Ok(())
}

#[tokio::test]
async fn a_key_of_a_tenant_that_there_is_not_is_not_made() -> anyhow::Result<()> {
    let world = World::begin().await?;

    let ended = world.millrace(&["token", "create", "--tenant", "nope"]).await?;

    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert!(ended.stderr.contains("millrace tenant create nope"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn a_sandbox_answers_for_its_health_where_it_is_told_to() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let (listen, health) = (ports::free_loopback()?, ports::free_loopback()?);
    let mut command = world.command(&["sandbox"]);
    command.env_remove("NATS_URL").env_remove("NATS_CREDS");
    command.env("MILLRACE_LISTEN", listen.to_string());
    command.args(["--health-listen", &health.to_string()]);
    let mut sandbox = command.spawn()?;

    let client = carriers::http::client()?;
    let answers = async {
        loop {
            match client.get(format!("http://{health}/healthz")).send().await {
                Ok(answer) => return answer.status(),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, answers).await;
    assert!(status.context("nobody answers")?.is_success());
    sandbox.kill().await?;
    Ok(())
}
