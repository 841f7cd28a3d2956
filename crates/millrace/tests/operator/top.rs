//! `millrace top`: what it shows is what the broker and the database have.

use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use futures::StreamExt;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use pipeline::Publisher;
use testkit::world::submitted;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio_util::sync::CancellationToken;
use wire::{Subject, frame::Outgoing, stream::Stream};

use crate::world::{PATIENCE, World};

/// Frames that enrich has before it.
const FRAMES: u32 = 5;

/// A world with something to show.
async fn busy() -> anyhow::Result<World> {
    let world = World::begin().await?;
    let tenant = world.database.tenant("acme").await?;
    let publisher = Publisher::new(&world.nats, "test");
    for n in 0..FRAMES {
        let message = submitted(&tenant, n, "hello");
        let subject = Subject::Submitted(message.head.class.lane());
        let say = vec![Outgoing::new(subject, &message)];
        publisher.publish(say, &CancellationToken::new()).await?;
    }

    let mut connection = world.database.superuser().await?;
    sqlx::raw_sql(
        "insert into millrace.moved_counts (tenant_id, group_id, minute_start, as_of, new_state,
             messages, released, segments, cost_micros)
         values ('acme', '0198f1d2-7c00-7a00-8000-000000000001', now(), now(), 1, 1, 0, 0, 0);
         insert into millrace.waiting_totals (queue, rows)
         values ('parked.0', 3), ('parked.1', 4), ('doubts', 2)
         on conflict (queue) do update set rows = excluded.rows",
    )
    .execute(&mut connection)
    .await?;
    Ok(world)
}

/// Takes frames as enrich would, and acks all but the last.
#[expect(clippy::disallowed_methods, reason = "a reader of the test, which is no stage")]
async fn read(world: &World, name: &str) -> anyhow::Result<()> {
    let consumer: PullConsumer =
        world.nats.api.get_consumer_from_stream(name, Stream::Submitted.name()).await?;
    let mut frames = consumer.fetch().max_messages(FRAMES as usize - 1).messages().await?;
    let mut acked = 0;
    while let Some(Ok(frame)) = frames.next().await {
        acked += 1;
        if acked < FRAMES - 1 {
            frame.ack().await.map_err(anyhow::Error::from_boxed)?;
        }
    }
    Ok(world.nats.client.flush().await?)
}

fn cells(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

#[tokio::test]
async fn one_table_says_what_waits_and_how_fast_it_goes() -> anyhow::Result<()> {
    let world = busy().await?;
    let lane = submitted(&"acme".parse()?, 0, "hello").head.class.lane().as_str();
    let name = format!("enrich-{lane}");

    let ended = world.millrace(&["top", "--once", "--interval", "0.2"]).await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let line = ended.lines("enrich").into_iter().find(|line| line.contains(&name));
    let row = cells(line.unwrap_or_default());
    assert_eq!(row[..7], ["enrich", lane, &name, "0.0", "5", "0", "0"], "{}", ended.stdout);
    assert_eq!((row.len(), row[8]), (9, "s"), "an age: {row:?}");
    for (start, inside) in [
        ("parked: ", "3 due, 4 held"),
        ("in doubt: ", "2"),
        ("moved counts not folded: ", "1 groups"),
        ("dead letters: ", "0 frames"),
    ] {
        ended.says(start, inside);
    }
    assert!(!ended.stdout.contains('\x1b'), "no codes where there is no terminal");

    // Three are acked between the two looks, one is taken and not acked, one waits.
    let (ended, read) =
        tokio::join!(world.millrace(&["top", "--once", "--interval", "6"]), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            read(&world, &name).await
        });
    read?;
    let ended = ended?;
    let line = ended.lines("enrich").into_iter().find(|line| line.contains(&name));
    let row = cells(line.unwrap_or_default());
    assert_eq!(row[4..6], ["1", "1"], "{}", ended.stdout);
    let rate: f64 = row[3].parse()?;
    assert!((0.4..=0.5).contains(&rate), "3 in 6 s: {row:?}");
    Ok(())
}

#[tokio::test]
async fn a_login_that_is_refused_is_told_with_what_mends_it() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let ended = world.millrace_with(&["top", "--once"], &[("NATS_CREDS", "")]).await?;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("NATS_CREDS is not set"), "{}", ended.stderr);

    // A login for scripts, as `endpoints.json` names one: it may not work as the owner.
    let mut connection = world.database.superuser().await?;
    sqlx::raw_sql("create role script login password 'of-a-script'")
        .execute(&mut connection)
        .await?;
    let url = world.database.url();
    let (_, server) = url.rsplit_once('@').expect("a login");
    for (login, fix) in [
        ("script:of-a-script", "name the login of the processes"),
        ("script:another", "correct the login and its password in DATABASE_URL"),
    ] {
        let url = format!("postgres://{login}@{server}");
        let ended = world.millrace_with(&["top", "--once"], &[("DATABASE_URL", &url)]).await?;
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        let words = ["DATABASE_URL: as millrace_owner", fix];
        assert!(words.iter().all(|word| ended.stderr.contains(word)), "{}", ended.stderr);
        assert!(!ended.stderr.contains(login), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn tables_follow_each_other_until_the_command_is_told_to_end() -> anyhow::Result<()> {
    let mut world = busy().await?;
    let mut command = world.command(&["top", "--interval", "0.2"]);
    let mut top = command.stdout(std::process::Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(top.stdout.take().expect("piped")).lines();

    let look = async {
        let mut tables = 0;
        let mut away = false;
        while let Some(line) = lines.next_line().await? {
            tables += usize::from(line.starts_with("stage "));
            // It goes on, and says what is away.
            if tables == 3 && !away {
                away = true;
                world.broker.server().signal(Signal::SIGKILL);
            }
            if away && line.contains("no answer") {
                return anyhow::Ok(tables);
            }
        }
        Ok(0)
    };
    let tables = tokio::time::timeout(PATIENCE, look).await??;
    assert!(tables >= 3, "{tables} tables");

    let pid = top.id().expect("it runs");
    kill(Pid::from_raw(pid.try_into()?), Signal::SIGINT)?;
    let status = tokio::time::timeout(PATIENCE, top.wait()).await??;
    assert_eq!(status.code(), Some(0));
    Ok(())
}
