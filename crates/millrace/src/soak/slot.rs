//! A minute of the load: how many texts the carrier got and how long they took to it, beside a raw
//! hop of the same minute.

use std::time::Duration;

use anyhow::Context;
use boot::embedded::Nats;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use crate::{bench::hop, flow, platform::Platform};

/// Messages of one raw hop measurement: a fraction of a second, beside the load.
const HOPS: usize = 10_000;

/// What was seen in a slot.
pub struct SoakSlot {
    /// Whether something was restarted in it.
    pub struck: bool,
    /// Texts of the load that the carrier got.
    pub texts: usize,
    /// How long it was.
    pub took: Duration,
    /// From the first submission to the carrier: 99 in 100 are faster. In milliseconds.
    pub p99: f64,
    /// Raw hops of the machine in a second.
    pub hops: f64,
}

/// Cuts time into slots.
pub struct SlotClock {
    begun: Instant,
    /// When the slot under way began, here and in business time.
    slot: Instant,
    from: Timestamp,
    since: String,
    /// When it is to end.
    end: Instant,
}

/// What is read of a line of the carrier's ledger.
#[derive(Deserialize)]
struct Line<'a> {
    body: std::borrow::Cow<'a, str>,
    received_at: Timestamp,
}

// === impl SoakSlot ===

impl SoakSlot {
    /// Texts per second.
    pub fn rate(&self) -> f64 {
        self.texts as f64 / self.took.as_secs_f64()
    }

    /// The raw hops that the machine makes while the 99th of 100 texts is under way.
    pub fn p99_in_hops(&self) -> f64 {
        self.p99 / 1000.0 * self.hops
    }

    /// Prints it as progress.
    pub fn print(&self, at: Duration) {
        eprintln!(
            "{:>7.1} s  {:.0} texts/s, p99 {:.0} ms, {:.0} hops/s{}",
            at.as_secs_f64(),
            self.rate(),
            self.p99,
            self.hops,
            if self.struck { ", restarts" } else { "" }
        );
    }
}

// === impl SlotClock ===

impl SlotClock {
    /// Begins the first slot.
    ///
    /// # Errors
    /// The sandbox does not answer.
    pub async fn start(platform: &Platform) -> anyhow::Result<Self> {
        let now = Instant::now();
        let since = business_time(platform).await?;
        let from = boot::clock::machine_now();
        Ok(Self { begun: now, slot: now, from, since, end: now })
    }

    /// How long the run has gone on.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// When the next slot of so long ends. Slots do not drift: what one took too long, the next is
    /// shorter.
    pub fn next(&mut self, time: Duration) -> Instant {
        self.end += time;
        self.end
    }

    /// Ends the slot under way and reads what the carrier got in it.
    ///
    /// # Errors
    /// The sandbox or the reference does not answer.
    pub async fn read(
        &mut self,
        platform: &Platform,
        reference: &Nats,
        struck: bool,
    ) -> anyhow::Result<SoakSlot> {
        let since = business_time(platform).await?;
        let (until, took) = (boot::clock::machine_now(), self.slot.elapsed());
        let mut millis = Vec::new();
        let mut take = |line: &str| {
            let line: Line = serde_json::from_str(line)?;
            let is_in = self.from <= line.received_at && line.received_at < until;
            if let Some(submitted) = flow::submitted_at(&line.body).filter(|_| is_in) {
                millis.push(line.received_at.as_millisecond() - submitted);
            }
            Ok(())
        };
        platform
            .sandbox
            .each_line(&format!("/sandbox/ledger?since={}", self.since), &mut take)
            .await?;

        let hops = hop::measure(reference, HOPS).await?.rate;
        millis.sort_unstable();
        let p99 = millis.get(millis.len() * 99 / 100).copied().unwrap_or_default() as f64;
        (self.slot, self.from, self.since) = (self.slot + took, until, since);
        Ok(SoakSlot { struck, texts: millis.len(), took, p99, hops })
    }
}

async fn business_time(platform: &Platform) -> anyhow::Result<String> {
    let clock = platform.sandbox.get("/sandbox/clock").await?;
    Ok(clock["now"].as_str().context("the sandbox's clock")?.to_owned())
}
