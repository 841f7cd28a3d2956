//! Single posts: one message in each request, over connections that stay open. Each connection
//! waits for an answer before it asks again.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::try_join_all;

use super::{
    load::{self, BenchWork, OUTSTANDING},
    watch::Sent,
};
use crate::{demo::client::HttpCaller, platform::Platform};

/// Connections that are open at once.
const CONNECTIONS: usize = 64;

/// What single posts came to.
pub struct Posted {
    /// Messages that were accepted.
    accepted: usize,
    /// For how long there were posts.
    took: Duration,
    /// How long each answer took, in rising order.
    answers: Vec<Duration>,
}

/// How single posts are made.
#[derive(Debug, Clone, Copy)]
pub struct PostSpan {
    /// For how long.
    pub time: Duration,
    /// Whether each has an `Idempotency-Key`.
    pub keyed: bool,
}

impl Posted {
    /// Messages that were accepted in a second.
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.took.as_secs_f64()
    }

    /// Milliseconds that half of the answers took at most.
    pub fn p50(&self) -> f64 {
        self.percentile(0.5)
    }

    /// Milliseconds that 99 of 100 answers took at most.
    pub fn p99(&self) -> f64 {
        self.percentile(0.99)
    }

    fn percentile(&self, share: f64) -> f64 {
        let index = (self.answers.len().saturating_sub(1) as f64 * share) as usize;
        self.answers.get(index).map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }
}

/// Posts until the time is over.
///
/// # Errors
/// The api refuses a message, or the contacts do not last.
pub async fn submit(
    platform: &Platform,
    work: &BenchWork,
    span: PostSpan,
    sent: &Sent,
) -> anyhow::Result<Posted> {
    let begun = Instant::now();
    let mut connections = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        let tenant = number % platform.tenants();
        let poster = Poster { client: platform.client(tenant)?, tenant, work, sent, begun };
        connections.push(poster.post(span));
    }
    let answers = try_join_all(connections).await?;
    let took = begun.elapsed();

    let mut answers: Vec<Duration> = answers.into_iter().flatten().collect();
    answers.sort_unstable();
    Ok(Posted { accepted: answers.len(), took, answers })
}

/// One connection, of one tenant.
struct Poster<'a> {
    client: HttpCaller,
    tenant: usize,
    work: &'a BenchWork,
    sent: &'a Sent,
    begun: Instant,
}

impl Poster<'_> {
    /// One post after another; gives how long each answer took.
    async fn post(self, span: PostSpan) -> anyhow::Result<Vec<Duration>> {
        let mut answers = Vec::new();
        while self.begun.elapsed() < span.time {
            if self.work.accepted() > self.sent.count() + OUTSTANDING {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
            let person = self.work.take(self.tenant, 1).context("the contacts did not last")?;

            let body = load::message(self.work.pool(self.tenant), person.start);
            let asked = Instant::now();
            if span.keyed {
                let key = format!("bench-{}-{}", self.tenant, person.start);
                self.client.post_keyed("/v1/messages", &key, &body).await?;
            } else {
                self.client.post("/v1/messages", &body).await?;
            }
            answers.push(asked.elapsed());
            self.work.accept(1);
        }
        Ok(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_answers_are_faster_than_the_median() {
        let answers = (1..=100).map(Duration::from_millis).collect();
        let posted = Posted { accepted: 100, took: Duration::from_secs(2), answers };
        assert!((posted.p50() - 50.0).abs() < 1e-9 && (posted.p99() - 99.0).abs() < 1e-9);
        assert!((posted.rate() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn no_answer_has_no_median() {
        let posted = Posted { accepted: 0, took: Duration::from_secs(1), answers: Vec::new() };
        assert!(posted.p50().is_nan());
    }
}
