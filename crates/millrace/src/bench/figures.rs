//! The figures of the benchmark, each with the bar that it is to hold and what it is to reach for.
//! One that was not measured is named too, with what would measure it or why it failed.

use std::collections::BTreeMap;

use BenchPart::{Campaign, Main, Sends, Shapes};

use super::baseline;

/// A part of the benchmark that measures some of the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BenchPart {
    /// The load that is held against the baseline, and what follows on the same platform.
    Main,
    /// Other shapes of the load.
    Shapes,
    /// More processes of one stage.
    Sends,
    /// One large campaign.
    Campaign,
}

/// What is measured, and what it should be.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// What it is called, with its unit.
    pub name: &'static str,
    part: BenchPart,
    /// Digits behind the point.
    digits: usize,
    bar: Bar,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
enum Bar {
    /// Nothing in particular: it explains the others.
    None,
    /// As much as can be had.
    Reach(f64),
    AtMost {
        bar: f64,
        reach: f64,
    },
    AtLeast {
        bar: f64,
        reach: f64,
    },
}

// What a platform that does its work takes, by one run of the load. Megabytes are a million bytes.
pub const HOPS: Measure = Measure::of(Main, "raw hops per message", 1).at_most(11.0, 8.0);
pub const CPU: Measure = Measure::of(Main, "CPU-s per 1,000", 3).at_most(0.20, 0.13);
pub const RATE: Measure = Measure::of(Main, "messages per second, batches", 0);
pub const P50: Measure = Measure::of(Main, "submit to carrier, p50 ms", 1).at_most(15.0, 6.0);
pub const P99: Measure = Measure::of(Main, "submit to carrier, p99 ms", 1).at_most(60.0, 25.0);
pub const STAGE_LOADED: Measure =
    Measure::of(Main, "resident MB of a stage, full load", 1).at_most(60.0, 40.0);
pub const STAGE_BEFORE: Measure =
    Measure::of(Main, "resident MB of a stage, before it", 1).at_most(25.0, 15.0);
pub const STAGE_AFTER: Measure =
    Measure::of(Main, "resident MB of a stage, behind it", 1).at_most(25.0, 15.0);
pub const ALL_LOADED: Measure =
    Measure::of(Main, "proportional MB of all, full load", 0).at_most(500.0, 300.0);
pub const WAL: Measure = Measure::of(Main, "WAL bytes per message", 0).at_most(3_500.0, 2_000.0);
pub const COMMITS: Measure = Measure::of(Main, "commits per 1,000", 1).at_most(40.0, 20.0);
pub const DEAD: Measure = Measure::of(Main, "dead rows at the end", 0);
pub const BROKER_IN: Measure = Measure::of(Main, "bytes into the broker per message", 0);
pub const BROKER_OUT: Measure = Measure::of(Main, "bytes out of it per message", 0);

// The same load in other shapes, as shares of its rate in batches.
pub const SLOW_CARRIER: Measure =
    Measure::of(Shapes, "rate with a carrier of 20 ms, share", 2).at_least(0.9, 0.9);
pub const POSTS: Measure =
    Measure::of(Shapes, "rate of keyed single posts, share", 2).at_least(0.5, 0.5);
pub const POSTS_ACCEPTED: Measure =
    Measure::of(Shapes, "keyed single posts accepted per second", 0);
pub const POSTS_SENT: Measure =
    Measure::of(Shapes, "keyed single posts sent per second", 0).reach(8_000.0);
pub const POSTS_P50: Measure = Measure::of(Shapes, "answer to a keyed single post, p50 ms", 1);
pub const PEER_RATE: Measure = Measure::of(Shapes, "single posts without a key, per second", 0);
pub const PEER_CPU: Measure = Measure::of(Shapes, "CPU-s per 1,000 of them", 3);

// With a carrier of 200 ms and 16 calls for each process.
pub const EIGHT_SENDS: Measure =
    Measure::of(Sends, "8 sends beside one, times", 1).at_least(6.0, 7.5);

// The last tenth beside the first, and the end beside the second tenth's.
pub const LAST_TENTH: Measure =
    Measure::of(Campaign, "campaign: last tenth's rate, share", 2).at_least(0.9, 0.95);
pub const GROWTH: Measure =
    Measure::of(Campaign, "campaign: memory at its end, times", 2).at_most(1.1, 1.05);

/// Every figure, in the order of the table.
const ALL: [Measure; 24] = [
    HOPS,
    CPU,
    RATE,
    P50,
    P99,
    STAGE_LOADED,
    STAGE_BEFORE,
    STAGE_AFTER,
    ALL_LOADED,
    WAL,
    COMMITS,
    DEAD,
    BROKER_IN,
    BROKER_OUT,
    SLOW_CARRIER,
    POSTS,
    POSTS_ACCEPTED,
    POSTS_SENT,
    POSTS_P50,
    PEER_RATE,
    PEER_CPU,
    EIGHT_SENDS,
    LAST_TENTH,
    GROWTH,
];

/// What was measured: of several runs the median is shown.
#[derive(Debug, Default)]
pub struct FigureTable {
    found: BTreeMap<&'static str, Vec<f64>>,
    failed: Vec<BenchPart>,
}

// === impl BenchPart ===

impl BenchPart {
    /// What has `make bench` measure it.
    fn wanted_by(self) -> &'static str {
        match self {
            Self::Main => "RUNS=1 or more",
            Self::Shapes | Self::Sends => "FULL=1",
            Self::Campaign => "CAMPAIGN=1000000",
        }
    }
}

// === impl Measure ===

impl Measure {
    const fn of(part: BenchPart, name: &'static str, digits: usize) -> Self {
        Self { name, part, digits, bar: Bar::None }
    }

    const fn at_most(self, bar: f64, reach: f64) -> Self {
        Self { bar: Bar::AtMost { bar, reach }, ..self }
    }

    const fn at_least(self, bar: f64, reach: f64) -> Self {
        Self { bar: Bar::AtLeast { bar, reach }, ..self }
    }

    const fn reach(self, reach: f64) -> Self {
        Self { bar: Bar::Reach(reach), ..self }
    }

    /// Whether a figure holds the bar; none where it has none.
    fn holds(&self, found: f64) -> Option<bool> {
        match self.bar {
            Bar::None | Bar::Reach(_) => None,
            Bar::AtMost { bar, .. } => Some(found <= bar),
            Bar::AtLeast { bar, .. } => Some(found >= bar),
        }
    }

    /// The bar, and what to reach for, as they are shown.
    fn wanted(&self) -> [String; 2] {
        let nothing = || "-".to_owned();
        match self.bar {
            Bar::None => [nothing(), nothing()],
            Bar::Reach(reach) => [nothing(), reach.to_string()],
            Bar::AtMost { bar, reach } => [format!("at most {bar}"), reach.to_string()],
            Bar::AtLeast { bar, reach } => [format!("at least {bar}"), reach.to_string()],
        }
    }
}

// === impl FigureTable ===

impl FigureTable {
    /// Notes a figure of a run.
    pub fn add(&mut self, measure: &Measure, found: f64) {
        self.found.entry(measure.name).or_default().push(found);
    }

    /// Notes that a part ended without its figures, and says why at once.
    pub fn failed(&mut self, part: BenchPart, why: &anyhow::Error) {
        println!("FAILS: {part:?} was not measured: {why:#}");
        self.failed.push(part);
    }

    /// Whether every figure that was asked for is a number.
    pub fn is_whole(&self) -> bool {
        let is_number = |found: &Vec<f64>| found.iter().all(|found| found.is_finite());
        self.failed.is_empty() && self.found.values().all(is_number)
    }

    /// Prints each figure beside its bar, and how many bars are held.
    pub fn print(&self) {
        println!();
        println!("{:<40} {:>10}   {:<14} {:>9}", "figure", "found", "bar", "reach for");
        for measure in &ALL {
            println!("{}", self.line(measure).trim_end());
        }

        let judged = || ALL.iter().filter_map(|it| Some((it.name, self.judged(it)?)));
        let short: Vec<&str> = judged().filter(|(_, holds)| !holds).map(|(name, _)| name).collect();
        let measured = judged().count();
        match short.as_slice() {
            [] => println!("{measured} of {measured} bars are held"),
            short => {
                let held = measured - short.len();
                println!("{held} of {measured} bars are held; short: {}", short.join(", "));
            }
        }
    }

    /// One figure as a line of the table.
    fn line(&self, measure: &Measure) -> String {
        let found = self.median_of(measure);
        let shown = match found {
            Some(found) => format!("{found:.*}", measure.digits),
            None => "-".to_owned(),
        };
        let verdict = match (found, self.judged(measure)) {
            (Some(_), Some(true)) => "ok".to_owned(),
            (Some(_), Some(false)) => "short".to_owned(),
            (Some(_), None) => String::new(),
            (None, _) if self.found.contains_key(measure.name) => "FAILS: no number".to_owned(),
            (None, _) if self.failed.contains(&measure.part) => "FAILS: not measured".to_owned(),
            (None, _) => format!("not measured: {}", measure.part.wanted_by()),
        };
        let [bar, reach] = measure.wanted();
        format!("{:<40} {shown:>10}   {bar:<14} {reach:>9}   {verdict}", measure.name)
    }

    /// The median of the runs; none where one of them is no number.
    fn median_of(&self, measure: &Measure) -> Option<f64> {
        let found = self.found.get(measure.name)?;
        let is_number = found.iter().all(|found| found.is_finite());
        is_number.then(|| baseline::median(found.clone()))
    }

    /// Whether a figure holds its bar; none where it has none, or was not measured.
    fn judged(&self, measure: &Measure) -> Option<bool> {
        self.median_of(measure).and_then(|found| measure.holds(found))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use anyhow::anyhow;

    use super::*;

    fn table(found: &[(&Measure, f64)]) -> FigureTable {
        let mut table = FigureTable::default();
        for (measure, found) in found {
            table.add(measure, *found);
        }
        table
    }

    #[test]
    fn a_figure_at_its_bar_is_ok_and_one_beyond_it_is_short() {
        let at = table(&[(&WAL, 3_500.0), (&EIGHT_SENDS, 6.0)]);
        assert!(at.line(&WAL).ends_with("at most 3500        2000   ok"), "{}", at.line(&WAL));
        assert!(at.line(&EIGHT_SENDS).ends_with("ok"), "{}", at.line(&EIGHT_SENDS));

        let beyond = table(&[(&WAL, 3_501.0), (&EIGHT_SENDS, 5.9)]);
        assert!(beyond.line(&WAL).ends_with("short"), "{}", beyond.line(&WAL));
        assert!(beyond.judged(&EIGHT_SENDS) == Some(false) && beyond.is_whole());
    }

    #[test]
    fn of_several_runs_the_median_is_shown() {
        let runs = table(&[(&COMMITS, 30.0), (&COMMITS, 90.0), (&COMMITS, 31.0)]);
        assert_eq!(runs.median_of(&COMMITS), Some(31.0));
    }

    #[test]
    fn what_was_not_measured_is_said_and_why() {
        let mut table = FigureTable::default();
        let line = table.line(&POSTS);
        assert!(line.ends_with("not measured: FULL=1") && table.is_whole(), "{line}");

        table.failed(BenchPart::Shapes, &anyhow!("503"));
        let line = table.line(&POSTS);
        assert!(line.ends_with("FAILS: not measured") && !table.is_whole(), "{line}");
    }

    #[test]
    fn what_is_no_number_is_not_whole() {
        let table = table(&[(&LAST_TENTH, f64::NAN)]);
        assert!(!table.is_whole() && table.judged(&LAST_TENTH).is_none());
        assert!(table.line(&LAST_TENTH).ends_with("FAILS: no number"));
    }

    #[test]
    fn the_page_about_performance_says_what_each_figure_is() {
        let page = include_str!("../../../../docs/performance.md");
        let unsaid = ALL.iter().filter(|it| !page.contains(&format!("`{}`", it.name)));
        let unsaid: Vec<&str> = unsaid.map(|measure| measure.name).collect();
        assert!(unsaid.is_empty(), "docs/performance.md does not name {unsaid:?}");
    }

    #[test]
    fn every_figure_has_a_name_of_its_own_that_fits_its_column() {
        let names: BTreeSet<&str> = ALL.iter().map(|measure| measure.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(names.iter().all(|name| name.len() <= 40), "{names:?}");
    }
}
