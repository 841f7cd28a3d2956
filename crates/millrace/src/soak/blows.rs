//! Restarts: every kind of process once, by SIGTERM, and Postgres.

use std::time::Duration;

use tokio::time::Instant;

use crate::platform::Platform;

/// Which of the restarts fall into a slot.
#[derive(Debug, Clone, Copy)]
pub struct RestartShare {
    /// The slot's number among those with restarts, from 0.
    pub part: u32,
    /// How many there are.
    pub of: u32,
}

/// Restarts this share of everything, spread over the time until `end`.
///
/// # Errors
/// A process does not end within its bound, or does not start again.
pub async fn restart(
    platform: &mut Platform,
    share: RestartShare,
    end: Instant,
) -> anyhow::Result<()> {
    // One more than there are processes but the sandbox, which is the world: Postgres.
    let all = platform.parts.len();
    let mine = |number: usize| number as u32 % share.of == share.part;
    let numbers: Vec<usize> = (0..all).filter(|number| mine(*number)).collect();
    let pause = end.saturating_duration_since(Instant::now()) / (numbers.len() as u32 + 1);

    for number in numbers {
        match platform.parts.get_mut(number).filter(|part| part.name != "sandbox") {
            Some(part) => {
                eprintln!("          restart of {}", part.name);
                part.drain().await?;
                part.start()?;
            }
            None => {
                eprintln!("          restart of postgres");
                platform.postgres.restart().await?;
            }
        }
        platform.wait().await?;
        tokio::time::sleep(pause.min(until(end))).await;
    }
    Ok(())
}

fn until(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}
