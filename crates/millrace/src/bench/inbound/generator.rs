//! Writes texts as a carrier delivers them: each in a signed request of its own, at a steady rate.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use boot::clock::machine_now;
use jiff::Timestamp;
use reqwest::StatusCode;
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};

use crate::{bench::load::number, demo::setup::TOKEN};

/// The word that is answered.
pub(super) const KEYWORD: &str = "hours";

/// What everybody else writes.
const OTHER: &str = "Thanks, see you on Friday";

/// How often texts are written: so many at once as the rate asks for.
const BEAT: Duration = Duration::from_millis(5);

/// Requests under way at once: a carrier waits for answers too.
const AT_ONCE: usize = 256;

/// How long the ingress may take to know the accounts.
const PATIENCE: Duration = Duration::from_secs(30);

/// A carrier that delivers texts.
pub(super) struct Generator {
    http: reqwest::Client,
    /// The webhook and the number of each tenant.
    hooks: Arc<[(String, String)]>,
}

/// What was written in a while.
pub(super) struct Written {
    /// Texts that were delivered, or refused.
    pub(super) texts: usize,
    /// Those that the ingress did not take.
    pub(super) refused: usize,
    /// From the first text to the answer to the last one.
    pub(super) took: Duration,
    /// How long each webhook took, in milliseconds.
    pub(super) webhooks: Vec<f64>,
    /// When the webhook of each keyword began, by who wrote it.
    pub(super) keywords: HashMap<String, Timestamp>,
}

impl Generator {
    /// One that delivers to these webhooks texts to these numbers.
    pub(super) fn new(hooks: Vec<(String, String)>) -> anyhow::Result<Self> {
        Ok(Self { http: carriers::http::client()?, hooks: hooks.into() })
    }

    /// Waits until the ingress knows every account: it then wants a signature, and finds none.
    pub(super) async fn wait_until_known(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        for (hook, _) in self.hooks.iter() {
            loop {
                let answer = self.http.post(hook).form(&[("Body", "")]).send().await?;
                match answer.status() {
                    StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE => {}
                    _ => break,
                }
                if begun.elapsed() > PATIENCE {
                    bail!("{hook} does not become known");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Writes so many texts a second for so long, each of somebody else, from the person `first`
    /// on; one in `every` is the keyword.
    pub(super) async fn run(
        &self,
        rate: u64,
        every: u64,
        time: Duration,
        first: usize,
    ) -> anyhow::Result<Written> {
        let all = usize::try_from(rate * time.as_secs())?;
        let mut beat = tokio::time::interval(BEAT);
        // A tick that was missed is caught up: the rate is what is asked for.
        beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let mut writing: JoinSet<anyhow::Result<Delivery>> = JoinSet::new();
        let mut deliveries = Vec::with_capacity(all);

        let begun = Instant::now();
        let mut written = 0;
        while written < all {
            beat.tick().await;
            let due = (begun.elapsed() + BEAT).as_secs_f64() * rate as f64;
            while written < all.min(due as usize) {
                let permit = Arc::clone(&room).acquire_owned().await?;
                let text = self.text(first + written, written, every);
                let http = self.http.clone();
                writing.spawn(async move {
                    let _permit = permit;
                    text.deliver(&http).await
                });
                written += 1;
            }
            while let Some(done) = writing.try_join_next() {
                deliveries.push(done??);
            }
        }
        while let Some(done) = writing.join_next().await {
            deliveries.push(done??);
        }
        Ok(sum(deliveries, begun.elapsed()))
    }

    /// What a person writes to their tenant, `written` texts after the first. One of `every` is the
    /// keyword; tenants take turns by as many, so that each has its part of the keywords.
    fn text(&self, person: usize, written: usize, every: u64) -> Text {
        let is_keyword = (written as u64).is_multiple_of(every);
        let (hook, to) = &self.hooks[written / every as usize % self.hooks.len()];
        Text {
            hook: hook.clone(),
            sid: format!("SM{person:032x}"),
            from: number(person),
            to: to.clone(),
            is_keyword,
        }
    }
}

/// One text on its way.
struct Text {
    hook: String,
    sid: String,
    from: String,
    to: String,
    is_keyword: bool,
}

/// What became of a text.
struct Delivery {
    from: String,
    is_keyword: bool,
    begun_at: Timestamp,
    millis: f64,
    is_taken: bool,
}

impl Text {
    async fn deliver(self, http: &reqwest::Client) -> anyhow::Result<Delivery> {
        let body = if self.is_keyword { KEYWORD } else { OTHER };
        let form = [
            ("Body", body),
            ("From", self.from.as_str()),
            ("MessageSid", self.sid.as_str()),
            ("NumMedia", "0"),
            ("To", self.to.as_str()),
        ];
        let signature = sandbox::twilio_signature(TOKEN, &self.hook, &form);
        let (begun_at, begun) = (machine_now(), Instant::now());
        let request = http.post(&self.hook).header("X-Twilio-Signature", signature).form(&form);
        let answer = request.send().await.context("a webhook")?;
        let is_taken = answer.status().is_success();
        answer.bytes().await?;
        let millis = begun.elapsed().as_secs_f64() * 1_000.0;
        Ok(Delivery { from: self.from, is_keyword: self.is_keyword, begun_at, millis, is_taken })
    }
}

fn sum(deliveries: Vec<Delivery>, took: Duration) -> Written {
    let refused = deliveries.iter().filter(|one| !one.is_taken).count();
    let webhooks = deliveries.iter().map(|one| one.millis).collect();
    let texts = deliveries.len();
    let keywords = deliveries.into_iter().filter(|one| one.is_keyword);
    let keywords = keywords.map(|one| (one.from, one.begun_at)).collect();
    Written { texts, refused, took, webhooks, keywords }
}
