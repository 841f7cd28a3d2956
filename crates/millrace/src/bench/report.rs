//! What one run of the load has measured, and the limits that it holds itself to.

use std::{collections::BTreeMap, time::Duration};

use super::{
    baseline::Figures,
    counters::ServerWork,
    figures::{self, FigureTable},
    hop::RawHop,
    latency::Latency,
    usage,
    watch::PeakMemory,
};
use crate::platform::Truth;

/// The raw hop's rate divided by ours is at most this.
const MOST_HOPS: f64 = 40.0;

/// The CPU time of a message in that of raw hops, without sandbox and generator, is at most this.
const MOST_CPU_HOPS: f64 = 27.0;

/// A million bytes.
pub const MEGABYTE: f64 = 1_000_000.0;

/// What one run measured.
pub struct BenchReport {
    /// Messages recorded as sent.
    pub messages: usize,
    /// From the first submission to the last record.
    pub took: Duration,
    /// From the first submission until the last receipt is in the totals.
    pub took_in_all: Duration,
    /// CPU seconds by kind of process until the last record.
    pub cpu: BTreeMap<&'static str, f64>,
    /// Likewise until the last receipt is in the totals.
    pub cpu_in_all: BTreeMap<&'static str, f64>,
    /// Memory before the load, at its peak, and once nothing was left to do.
    pub memory: [PeakMemory; 3],
    /// What both servers did until then.
    pub servers: ServerWork,
    /// Dead rows of all tables then.
    pub dead_rows: i64,
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

    /// CPU seconds per 1,000 messages of everything that is ours to run, receipts and totals
    /// included.
    fn cpu_per_thousand(&self) -> f64 {
        usage::per_thousand(&self.cpu_in_all, self.messages)
    }

    /// What is held against the baseline.
    pub fn figures(&self) -> Figures {
        let until_sent = usage::per_thousand(&self.cpu, self.messages);
        Figures {
            hops_per_message: self.hop.rate / self.rate(),
            hops_of_cpu: until_sent / (self.hop.cpu * 1000.0),
        }
    }

    /// Whether every limit is held and the carrier has each message exactly once.
    pub fn passes(&self) -> bool {
        let Figures { hops_per_message, hops_of_cpu } = self.figures();
        hops_per_message <= MOST_HOPS
            && hops_of_cpu <= MOST_CPU_HOPS
            && self.truth.duplicates == 0
            && self.truth.accepted == self.messages
    }

    /// Notes what was found.
    pub fn add_to(&self, table: &mut FigureTable) {
        let messages = self.messages as f64;
        let [before, peak, after] = &self.memory;
        let megabytes = |bytes: u64| bytes as f64 / MEGABYTE;

        for (measure, found) in [
            (figures::HOPS, self.figures().hops_per_message),
            (figures::CPU, self.cpu_per_thousand()),
            (figures::RATE, self.rate()),
            (figures::P50, self.latency.p50),
            (figures::P99, self.latency.p99),
            (figures::STAGE_LOADED, megabytes(peak.of_a_stage)),
            (figures::STAGE_BEFORE, megabytes(before.of_a_stage)),
            (figures::STAGE_AFTER, megabytes(after.of_a_stage)),
            (figures::ALL_LOADED, megabytes(peak.of_all)),
            (figures::WAL, self.servers.wal_bytes / messages),
            (figures::COMMITS, self.servers.commits / messages * 1000.0),
            (figures::DEAD, self.dead_rows as f64),
            (figures::BROKER_IN, self.servers.broker_in / messages),
            (figures::BROKER_OUT, self.servers.broker_out / messages),
        ] {
            table.add(&measure, found);
        }
    }

    /// Prints the report to standard output.
    pub fn print(&self) {
        let seconds = self.took.as_secs_f64();
        let Figures { hops_per_message, hops_of_cpu } = self.figures();
        println!("messages             {} in {seconds:.1} s", self.messages);
        println!("rate                 {:.0} messages/s", self.rate());
        let until_all = self.took_in_all.as_secs_f64();
        println!("receipts, totals     until {until_all:.1} s");
        let RawHop { rate, cpu } = self.hop;
        println!("raw hop              {rate:.0} messages/s (300 bytes, default sync)");
        println!("                     {:.3} CPU-s per 1,000", cpu * 1000.0);
        println!("hops per message     {hops_per_message:.1} (at most {MOST_HOPS})");

        self.print_processes();
        println!("without sandbox      {:.3} CPU-s per 1,000", self.cpu_per_thousand());
        println!(
            "hops of CPU          {hops_of_cpu:.1} until all are sent (at most {MOST_CPU_HOPS})"
        );
        println!();

        let Latency { p50, p99, messages } = &self.latency;
        println!(
            "submit to carrier    p50 {p50:.1} ms, p99 {p99:.1} ms ({messages} at 200 per second)"
        );

        let Truth { accepted, duplicates } = &self.truth;
        println!("carrier              {accepted} accepted, {duplicates} duplicates");
        println!("{}", if self.passes() { "passes" } else { "FAILS" });
    }

    /// CPU and memory of each kind of process.
    fn print_processes(&self) {
        println!();
        println!(
            "{:<12} {:>18} {:>12} {:>12} {:>12}",
            "process", "CPU-ms per 1,000", "MB before", "MB at peak", "MB behind"
        );
        for (name, seconds) in &self.cpu_in_all {
            let cpu = seconds / self.messages as f64 * 1_000_000.0;
            let megabytes = self.memory.each_ref().map(|memory| {
                memory.groups.get(name).copied().unwrap_or_default() as f64 / MEGABYTE
            });
            let [before, peak, after] = megabytes;
            println!("{name:<12} {cpu:>18.1} {before:>12.1} {peak:>12.1} {after:>12.1}");
        }
        let stages = self.cpu_in_all.iter().filter(|(name, _)| usage::is_stage(name));
        let cpu: f64 = stages.map(|(_, seconds)| seconds).sum();
        println!("{:<12} {:>18.1}", "all stages", cpu / self.messages as f64 * 1_000_000.0);
    }
}
