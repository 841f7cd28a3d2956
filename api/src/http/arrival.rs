//! Bodies on their way in. What arrives too slowly is given up, and what arrives under one API key
//! at once has a size: a caller with a bad line holds its own time and memory, nobody else's.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::problem::{Kind, Problem};
use crate::shares::Shares;

/// How many bytes of bodies may be arriving under one key at once.
pub(crate) const ARRIVING: usize = 32 * 1024 * 1024;

/// The fewest bytes per second that a body may come with.
const SLOWEST: u64 = 16 * 1024;

/// How long a body may take before its rate counts: a line that is slow to begin is no slow body.
const GRACE: Duration = Duration::from_secs(5);

/// Reads a whole body of at most `limit` bytes. Until it is there, it counts in the share of `key`.
///
/// # Errors
/// 413 when it is longer, 408 when it comes too slowly, 429 while too much else is arriving under
/// the key.
pub(crate) async fn read(
    shares: &Shares,
    key: &str,
    body: Body,
    limit: usize,
) -> Result<Bytes, Problem> {
    let share = shares.of(key);
    let mut held: Option<OwnedSemaphorePermit> = None;
    let mut arrival = Arrival::new(body);
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();

    while let Some(chunk) = arrival.next().await? {
        if arrival.received > limit as u64 {
            return Err(Problem::new(Kind::TooLarge, format!("at most {limit} bytes")));
        }

        let size = u32::try_from(chunk.len()).unwrap_or(u32::MAX);
        let more = share.clone().try_acquire_many_owned(size).map_err(|_| too_much())?;
        match &mut held {
            Some(held) => held.merge(more),
            None => held = Some(more),
        }

        // Most bodies are one chunk, which needs no copy.
        match first.take() {
            None if whole.is_empty() => first = Some(chunk),
            None => whole.extend_from_slice(&chunk),
            Some(before) => {
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&chunk);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

fn too_much() -> Problem {
    let detail = format!("bodies of more than {ARRIVING} bytes are arriving with this key");
    Problem::too_many(detail, 1)
}

/// A body that arrives, chunk by chunk, and fast enough.
pub(crate) struct Arrival {
    chunks: BodyDataStream,
    begun: Instant,
    /// The bytes that are there.
    pub(crate) received: u64,
}

impl Arrival {
    /// A body of which nothing is there.
    pub(crate) fn new(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), begun: Instant::now(), received: 0 }
    }

    /// The next chunk; none at the end.
    ///
    /// # Errors
    /// 408 when it comes too slowly, 400 when the connection ends in it.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let late_at = self.begun + GRACE + Duration::from_millis(self.received * 1000 / SLOWEST);
        let chunk = tokio::time::timeout_at(late_at, self.chunks.next()).await.map_err(|_| {
            let detail = format!("send the body with at least {SLOWEST} bytes per second");
            Problem::new(Kind::Timeout, detail)
        })?;

        let Some(chunk) = chunk else { return Ok(None) };
        let broken = |_| Problem::new(Kind::Malformed, "the connection ended in the body");
        let chunk = chunk.map_err(broken)?;
        self.received += chunk.len() as u64;
        Ok(Some(chunk))
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    /// A body of `count` chunks of `size` bytes, one every `every`.
    fn body(count: usize, size: usize, every: Duration) -> Body {
        let chunks = stream::unfold(count, move |left| async move {
            let left = left.checked_sub(1)?;
            tokio::time::sleep(every).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; size])), left))
        });
        Body::from_stream(chunks)
    }

    async fn kind(shares: &Shares, body: Body) -> Result<usize, String> {
        let read = read(shares, "key", body, 1024 * 1024).await;
        read.map(|bytes| bytes.len()).map_err(|problem| format!("{problem:?}"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_the_rate_may_take_long_and_a_slower_one_is_given_up() {
        let shares = Shares::new(ARRIVING);
        let second = Duration::from_secs(1);

        assert_eq!(kind(&shares, body(60, 17_000, second)).await, Ok(60 * 17_000));

        let slow = kind(&shares, body(60, 8_000, second)).await.expect_err("too slow");
        assert!(slow.contains("Timeout"), "{slow}");
        let stalled = kind(&shares, body(1, 10, Duration::from_secs(3600))).await;
        assert!(stalled.expect_err("stalled").contains("Timeout"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_arrives_under_one_key_has_a_size_and_another_key_has_its_own() {
        let shares = Shares::new(1_000);
        let _others = shares.of("key").try_acquire_many_owned(950).expect("free");

        let told = kind(&shares, body(2, 40, Duration::ZERO)).await.expect_err("too much");
        assert!(told.contains("TooMany"), "{told}");
        let other = read(&shares, "other", body(2, 40, Duration::ZERO), 100).await;
        assert_eq!(other.expect("its own share").len(), 80);
        assert_eq!(kind(&shares, body(1, 50, Duration::ZERO)).await, Ok(50), "given back");
    }

    #[tokio::test]
    async fn a_body_beyond_its_limit_is_refused_before_the_rest_arrives() {
        let read = read(&Shares::new(ARRIVING), "key", body(9, 40, Duration::ZERO), 100).await;
        assert!(format!("{:?}", read.expect_err("too long")).contains("TooLarge"));
    }
}
