//! What the benchmark says at its end, and the bars it holds itself to.

use std::{collections::BTreeMap, time::Duration};

use super::{baseline::Figures, hop::RawHop, latency::Latency};
use crate::platform::Truth;

/// The raw hop's rate divided by ours is at most this.
const MOST_HOPS: f64 = 40.0;

/// The CPU time of a message in that of raw hops, without sandbox and generator, is at most this.
const MOST_CPU_HOPS: f64 = 27.0;

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
    /// The raw hop, beside the load.
    pub hop: RawHop,
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
            hops_per_message: self.hop.rate / self.rate(),
            hops_of_cpu: self.cpu_per_thousand() / (self.hop.cpu * 1000.0),
        }
    }

    /// Whether every bar is held and the carrier has each message exactly once.
    pub fn passes(&self) -> bool {
        let Figures { hops_per_message, hops_of_cpu } = self.figures();
        hops_per_message <= MOST_HOPS
            && hops_of_cpu <= MOST_CPU_HOPS
            && self.truth.duplicates == 0
            && self.truth.accepted == self.messages
    }

    /// Prints the report to standard output.
    pub fn print(&self) {
        let seconds = self.took.as_secs_f64();
        let Figures { hops_per_message, hops_of_cpu } = self.figures();
        println!("messages             {} in {seconds:.1} s", self.messages);
        println!("rate                 {:.0} messages/s", self.rate());
        let RawHop { rate, cpu } = self.hop;
        println!("raw hop              {rate:.0} messages/s (300 bytes, default sync)");
        println!("                     {:.3} CPU-s per 1,000", cpu * 1000.0);
        println!("hops per message     {hops_per_message:.1} (at most {MOST_HOPS})");

        println!();
        println!("{:<12} {:>22} {:>14}", "group", "CPU-ms per 1,000", "peak MiB");
        for (name, seconds) in &self.cpu {
            let cpu = seconds / self.messages as f64 * 1_000_000.0;
            let memory = self.memory.get(name).copied().unwrap_or_default() as f64 / 1_048_576.0;
            println!("{name:<12} {cpu:>22.0} {memory:>14.0}");
        }

        println!("without sandbox      {:.3} CPU-s per 1,000", self.cpu_per_thousand());
        println!("hops of CPU          {hops_of_cpu:.1} (at most {MOST_CPU_HOPS})");
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
