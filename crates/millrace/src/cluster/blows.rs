//! `kill -9` of one server after another, each back and current before the next.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::Signal;
use wire::stream::Stream;

use super::load::ClusterLoad;
use crate::platform::Platform;

/// The stream whose leader is killed first: every text goes through it.
const BUSY: Stream = Stream::Admitted;

/// How long a killed server stays away: what an orchestrator takes to start it again.
const AWAY: Duration = Duration::from_millis(1_500);

/// How long streams may be without a leader before that is a fault.
const ELECTION: Duration = Duration::from_secs(60);

/// How often it is looked whether they have one.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Kills every server once. A part of the texts goes out before each, and the next part while it is
/// away.
///
/// # Errors
/// A server does not start again, or the api refuses a text.
pub async fn kill_each(
    platform: &mut Platform,
    load: &mut ClusterLoad,
    texts: usize,
    begun: Instant,
) -> anyhow::Result<()> {
    let servers = platform.nats.len();
    let part = |number: usize| texts * number / (servers + 1) / 100 * 100;
    load.allow(part(1));

    let first = leader(platform).await?;
    for number in 0..servers {
        load.accepted(part(number + 1)).await?;
        let index = (first + number) % servers;
        let leads = leader(platform).await? == index;
        let server = &mut platform.nats[index];
        let name = server.peer_name().unwrap_or_default().to_owned();
        let leads = if leads { format!(", leader of {}", BUSY.name()) } else { String::new() };
        println!("{:>6.1} s  kill -9 {name}{leads}", begun.elapsed().as_secs_f64());

        server.signal(Signal::SIGKILL);
        server.exited().await;
        load.allow(if number + 1 == servers { texts } else { part(number + 2) });
        tokio::time::sleep(AWAY).await;
        server.restart().await?;
        server.current().await?;
        println!("{:>6.1} s  {name} is back and current", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

/// The index of the server that leads the busy stream, once every stream has a leader: an election
/// takes seconds, and without its leader a stream does not answer.
async fn leader(platform: &Platform) -> anyhow::Result<usize> {
    let broker = platform.broker("cluster").await?;
    let begun = Instant::now();
    let mut busy = None;
    for stream in Stream::ALL {
        let leader = loop {
            // Answered within two seconds, or asked again.
            let found = broker.jetstream.get_stream(stream.name()).await;
            let leader = found.ok().and_then(|it| it.cached_info().cluster.clone()?.leader);
            match leader {
                Some(leader) => break leader,
                None if begun.elapsed() > ELECTION => bail!("{} has no leader", stream.name()),
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        };
        if stream == BUSY {
            busy = Some(leader);
        }
    }

    let leader = busy.context("the busy stream")?;
    let of = |name: &str| platform.nats.iter().position(|it| it.peer_name() == Some(name));
    of(&leader).with_context(|| format!("{leader} is none of the servers"))
}
