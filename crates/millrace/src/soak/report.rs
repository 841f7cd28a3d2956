//! What a soak says by windows of some minutes, and what counts as drift.

use std::{collections::BTreeMap, time::Duration};

use super::{sample::Sample, slot::SoakSlot};
use crate::bench::baseline;

/// The time to the carrier in the last window, in that of the first, is at most this.
const MOST_DRIFT: f64 = 1.5;

/// A process still grows where it has this much more memory at the end than when everything had
/// been restarted, and so many bytes more at least: less is a buffer that was made.
const MOST_GROWTH: f64 = 1.2;
const MANY_BYTES: u64 = 24 * 1024 * 1024;

/// The share of the load that reaches the carrier in a window, at least: the others are of people
/// who want no more.
const LEAST_RATE: f64 = 0.9;

/// So many tables are shown, the largest.
const SHOWN: usize = 6;

/// Some minutes of a run.
pub struct SoakWindow {
    /// When it ended, since the run began.
    pub ended: Duration,
    /// What was seen minute by minute.
    pub slots: Vec<SoakSlot>,
    /// What everything took at its beginning.
    pub before: Sample,
    /// Likewise at its end.
    pub after: Sample,
}

/// A whole run.
pub struct SoakReport {
    /// Texts a second that were submitted.
    rate: u64,
    /// The window in which everything was restarted.
    struck: usize,
    /// The windows so far.
    pub windows: Vec<SoakWindow>,
}

// === impl SoakWindow ===

impl SoakWindow {
    /// Texts that the carrier got in it.
    fn texts(&self) -> usize {
        self.slots.iter().map(|slot| slot.texts).sum()
    }

    /// Texts per second, and time to the carrier in milliseconds and in raw hops: the medians of
    /// the minutes with or without restarts; none where there are none.
    fn speed(&self, struck: bool) -> Option<(f64, f64, f64)> {
        let slots: Vec<&SoakSlot> =
            self.slots.iter().filter(|slot| slot.struck == struck).collect();
        let of = |figure: fn(&SoakSlot) -> f64| {
            baseline::median(slots.iter().map(|slot| figure(slot)).collect())
        };
        let found = (of(SoakSlot::rate), of(|slot| slot.p99), of(SoakSlot::p99_in_hops));
        (!slots.is_empty()).then_some(found)
    }

    /// Prints what was seen in it.
    pub fn print(&self) {
        let minutes = self.ended.as_secs_f64() / 60.0;
        println!("\nuntil {minutes:.1} min: {} texts at the carrier", self.texts());
        for (struck, name) in [(false, "quiet minutes"), (true, "with restarts")] {
            if let Some((rate, p99, hops)) = self.speed(struck) {
                println!(
                    "  {name}   {rate:.0} texts/s, p99 to the carrier {p99:.0} ms: {hops:.0} raw hops"
                );
            }
        }

        let texts = self.texts().max(1) as f64;
        let (before, after) = (self.before.server, self.after.server);
        println!(
            "  postgres        {:.0} bytes of WAL a text, {:.0} commits per 1,000, {} dead rows",
            (after.wal_bytes - before.wal_bytes) as f64 / texts,
            (after.commits - before.commits) as f64 / texts * 1000.0,
            self.after.dead(),
        );
        let mut tables: Vec<(&str, u64)> = self
            .after
            .tables
            .iter()
            .map(|it| (it.table.as_str(), it.bytes.max(0) as u64))
            .collect();
        tables.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        tables.truncate(SHOWN);
        println!("  tables, MiB     {}", in_mebibytes(tables));
        println!("  streams, MiB    {}", in_mebibytes(names(&self.after.streams)));
        println!("  memory, MiB     {}", in_mebibytes(names(&self.after.memory)));
    }
}

fn names<'a>(bytes: &'a BTreeMap<&'static str, u64>) -> Vec<(&'a str, u64)> {
    bytes.iter().map(|(name, bytes)| (*name, *bytes)).collect()
}

fn in_mebibytes(of: Vec<(&str, u64)>) -> String {
    let one = |(name, bytes): (&str, u64)| format!("{name} {:.0}", bytes as f64 / 1_048_576.0);
    of.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

// === impl SoakReport ===

impl SoakReport {
    /// A run of so many texts a second, with restarts in one window.
    pub fn new(rate: u64, struck: usize) -> Self {
        Self { rate, struck, windows: Vec::new() }
    }

    /// What has changed for the worse from the first window to the last, as sentences.
    pub fn drift(&self) -> Vec<String> {
        let mut found = Vec::new();
        for window in &self.windows {
            let minutes = window.ended.as_secs_f64() / 60.0;
            let slow = window.speed(false).map(|(rate, ..)| rate);
            if let Some(rate) = slow.filter(|rate| *rate < self.rate as f64 * LEAST_RATE) {
                let wanted = self.rate;
                found.push(format!("{rate:.0} of {wanted} texts/s until {minutes:.1} min"));
            }
        }

        let quiet = |window: &SoakWindow| window.speed(false).map(|(.., hops)| hops);
        let (first, last) = (self.windows.first(), self.windows.last());
        if let (Some(first), Some(last)) = (first.and_then(quiet), last.and_then(quiet)) {
            found.extend(slower(first, last));
        }
        if let (Some(calm), Some(last)) = (self.windows.get(self.struck + 1), last) {
            found.extend(growing(&calm.after.memory, &last.after.memory));
        }
        found
    }
}

/// Whether the time to the carrier has grown, in raw hops.
fn slower(first: f64, last: f64) -> Option<String> {
    (last > first * MOST_DRIFT).then(|| {
        format!("p99 to the carrier was {first:.0} raw hops at first, and is {last:.0} at last")
    })
}

/// The processes that still grow. The sandbox does while texts come: it is the carrier, and keeps a
/// line of each, ten million at most.
fn growing(calm: &BTreeMap<&'static str, u64>, last: &BTreeMap<&'static str, u64>) -> Vec<String> {
    let grows = |name: &str, bytes: u64| {
        let before = calm.get(name).copied().unwrap_or_default();
        let much = bytes as f64 > before as f64 * MOST_GROWTH;
        (much && bytes > before + MANY_BYTES).then(|| {
            let mebibytes = |bytes: u64| bytes / 1_048_576;
            format!("{name} grows: {} MiB, then {} MiB", mebibytes(before), mebibytes(bytes))
        })
    };
    let platform = last.iter().filter(|(name, _)| **name != "sandbox");
    platform.filter_map(|(name, bytes)| grows(name, *bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_as_much_again_to_the_carrier_is_no_drift_and_more_is() {
        assert_eq!(slower(1_000.0, 1_500.0), None);
        assert!(slower(1_000.0, 1_501.0).is_some());
    }

    #[test]
    fn a_process_grows_by_a_share_and_by_many_bytes() {
        const MIB: u64 = 1_048_576;
        let grown = |from: u64, to: u64| {
            let sample = |mib: u64| BTreeMap::from([("api", mib * MIB)]);
            growing(&sample(from), &sample(to))
        };
        assert!(grown(10, 30).is_empty(), "few bytes");
        assert!(grown(400, 470).is_empty(), "a small share");
        assert_eq!(grown(100, 130), ["api grows: 100 MiB, then 130 MiB"]);

        let sandbox = |mib: u64| BTreeMap::from([("sandbox", mib * MIB)]);
        assert!(growing(&sandbox(100), &sandbox(300)).is_empty(), "it keeps each text");
    }
}
