//! What the benchmark says at its end, and the bars it holds itself to.

use std::{collections::BTreeMap, time::Duration};

use super::{baseline::Figures, latency::Latency};
use crate::platform::Truth;

/// The raw hop's rate divided by ours is at most this.
const MOST_HOPS: f64 = 40.0;

/// CPU seconds per 1,000 messages, without the sandbox and the generator, are at most this.
const MOST_CPU: f64 = 0.6;

/// What one run measured.
pub struct BenchReport {
    /// Messages recorded as sent.
    pub messages: usize,
    /// From the first submission to the last record.
    pub took: Duration,
    /// CPU seconds by group.
    pub cpu: BTreeMap<&'static str, f64>,
    /// Peak memory by group, in bytes.
    pub memory: BTreeMap<&'static str, u64>,
    /// The time from submission to the carrier.
    pub latency: Latency,
    /// Messages per second of the raw hop.
    pub hops: f64,
    /// What the carrier counted.
    pub truth: Truth,
}

impl BenchReport {
    fn rate(&self) -> f64 {
        self.messages as f64 / self.took.as_secs_f64()
    }

    /// CPU seconds per 1,000 messages of everything that is ours to run.
    fn cpu_per_thousand(&self) -> f64 {
        let ours = self.cpu.iter().filter(|(name, _)| **name != "sandbox");
        ours.map(|(_, seconds)| seconds).sum::<f64>() / self.messages as f64 * 1000.0
    }

    /// What is held against the baseline.
    pub fn figures(&self) -> Figures {
        Figures {
            hops_per_message: self.hops / self.rate(),
            cpu_seconds_per_1000: self.cpu_per_thousand(),
        }
    }

    /// Whether every bar is held and the carrier has each message exactly once.
    pub fn passes(&self) -> bool {
        self.hops / self.rate() <= MOST_HOPS
            && self.cpu_per_thousand() <= MOST_CPU
            && self.truth.duplicates == 0
            && self.truth.accepted == self.messages
    }

    /// Prints the report to standard output.
    pub fn print(&self) {
        let seconds = self.took.as_secs_f64();
        println!("messages             {} in {seconds:.1} s", self.messages);
        println!("rate                 {:.0} messages/s", self.rate());
        println!("raw hop              {:.0} messages/s (300 bytes, default sync)", self.hops);
        println!("hops per message     {:.1} (at most {MOST_HOPS})", self.hops / self.rate());

        println!();
        println!("{:<12} {:>22} {:>14}", "group", "CPU-ms per 1,000", "peak MiB");
        for (name, seconds) in &self.cpu {
            let cpu = seconds / self.messages as f64 * 1_000_000.0;
            let memory = self.memory.get(name).copied().unwrap_or_default() as f64 / 1_048_576.0;
            println!("{name:<12} {cpu:>22.0} {memory:>14.0}");
        }

        let total = self.cpu_per_thousand();
        println!("without sandbox      {total:.3} CPU-s per 1,000 (at most {MOST_CPU})");
        println!();

        let Latency { p50, p99, messages } = &self.latency;
        println!(
            "submit to carrier    p50 {p50:.1} ms, p99 {p99:.1} ms ({messages} at 200 per second)"
        );

        let Truth { accepted, duplicates } = &self.truth;
        println!("carrier              {accepted} accepted, {duplicates} duplicates");
        println!("{}", if self.passes() { "passes" } else { "FAILS" });
    }
}
