//! The asynchronous half of an import: steps of lines against the database.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    time::Duration,
};

use serde::Serialize;
use stage::{
    Fault,
    machine::{backoff, chance},
};
use store::{
    Store,
    contacts::imports::{self, Counts},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    mapping::Column,
    reader::{Line, Lines},
    upload::Upload,
};
use crate::{
    contacts::{self, Input, OVER_PLAN, Outcome, Recorder, Reference, Writing},
    document::words::ContactOutcome,
    http::Problem,
};

/// How many lines a preview shows one by one.
const SHOWN: usize = 200;

/// How often a step is tried again while the database is away or two imports met.
const ATTEMPTS: u32 = 6;

/// The waits between these tries.
const RETRY_BASE: Duration = Duration::from_millis(400);
const RETRY_CAP: Duration = Duration::from_secs(10);

/// What a run does with its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing: it says what an import would do.
    Preview,
    /// Writes them, and its progress under this id.
    Import(Uuid),
}

/// One file on its way in.
pub(crate) struct Run {
    lines: Lines,
    store: Store,
    by: Recorder,
    reference: Reference,
    target: Target,
    /// Numbers seen, with the line that had them first. Digits fit a u64, so a million of them take
    /// about 40 MB, while the lines themselves are never held.
    seen: HashMap<u64, u64>,
    report: Report,
}

/// What became of a file, or would.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = ImportReport)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) counts: CountsView,
    /// The first 200 lines one by one.
    pub(crate) rows: Vec<LineOutcome>,
    /// Why the file was not read to its end.
    #[schema(required)]
    pub(crate) error: Option<String>,
}

/// How many lines became what. `total` is all others together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportCounts)]
pub(crate) struct CountsView {
    /// Lines read, the header apart.
    total: i64,
    /// Lines that became a new contact.
    created: i64,
    /// Known contacts that changed.
    updated: i64,
    /// Known contacts that were so already.
    unchanged: i64,
    /// Lines whose number an earlier line of the file has.
    duplicate: i64,
    /// Lines that cannot become a contact, or for which the company's plan has no room.
    invalid: i64,
}

/// What became of one line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportLine)]
pub(crate) struct LineOutcome {
    /// The line of the file that it begins in, from 1, as an editor shows it.
    #[schema(minimum = 1)]
    pub(crate) line: i64,
    #[schema(value_type = ContactOutcome)]
    pub(crate) outcome: &'static str,
    /// Why it is a duplicate, or invalid.
    #[schema(required)]
    pub(crate) reason: Option<String>,
}

/// A line of a step: its number, and the index of its person among the step's inputs, or the
/// outcome and reason that it has none.
type SortedLine = (u64, Result<usize, (&'static str, String)>);

/// A step, sorted.
struct Sorted {
    inputs: Vec<Input>,
    /// In the order of the file.
    lines: Vec<SortedLine>,
}

impl Run {
    /// Reads the header of a file. The problem is the caller's: no column for the phone, say.
    pub(crate) fn open(
        upload: Upload,
        wanted: &BTreeMap<String, String>,
        store: &Store,
        by: Recorder,
        reference: Reference,
        target: Target,
    ) -> Result<Self, Problem> {
        let lines = Lines::open(upload, wanted)?;
        let (store, seen, report) = (store.clone(), HashMap::new(), Report::default());
        Ok(Self { lines, store, by, reference, target, seen, report })
    }

    /// The columns and what they are taken for.
    pub(crate) fn columns(&self) -> Vec<Column> {
        self.lines.mapping.columns().to_vec()
    }

    /// The alphabet that the file is in, by its usual name, and what stands between two cells.
    pub(crate) fn written(&self) -> (String, char) {
        self.lines.written()
    }

    /// Works the file to its end, or until `stop`.
    pub(crate) async fn go(self, stop: &CancellationToken) -> Result<Report, Fault> {
        let Self { lines, store, by, reference, target, mut seen, mut report } = self;
        let import = match target {
            Target::Import(id) => Some(id.to_string()),
            Target::Preview => None,
        };
        let (sender, mut steps) = mpsc::channel(2);
        let hand_on = move || lines.hand_on(&reference, import, &sender);
        let reader = tokio::task::spawn_blocking(hand_on);

        while let Some(step) = steps.recv().await {
            if stop.is_cancelled() {
                report.error = Some("the process was stopped; import the file again".into());
                break;
            }
            match step {
                Ok(lines) => {
                    let sorted = sort(lines, &mut seen);
                    record(&store, &by, target, &sorted, &mut report).await?;
                }
                Err(why) => report.error = Some(why),
            }
        }

        // A reader that still hands lines on ends with the channel.
        drop(steps);
        if reader.await.is_err() {
            report.error = Some("the file could not be read".into());
        }
        Ok(report)
    }
}

/// Sets numbers apart that an earlier line had, and lines that are no person.
fn sort(lines: Vec<Line>, seen: &mut HashMap<u64, u64>) -> Sorted {
    let mut sorted = Sorted { inputs: Vec::new(), lines: Vec::with_capacity(lines.len()) };
    for (line, read) in lines {
        let person = match read {
            Err(why) => Err(("invalid", why)),
            Ok(input) => {
                let digits = input.number.digits().parse().unwrap_or(0);
                match seen.entry(digits) {
                    Entry::Occupied(first) => {
                        Err(("duplicate", format!("line {} has the same number", first.get())))
                    }
                    Entry::Vacant(unseen) => {
                        unseen.insert(line);
                        sorted.inputs.push(input);
                        Ok(sorted.inputs.len() - 1)
                    }
                }
            }
        };
        sorted.lines.push((line, person));
    }
    sorted
}

/// One step in one transaction, again if the database was away: it is written whole or not at all.
async fn record(
    store: &Store,
    by: &Recorder,
    target: Target,
    sorted: &Sorted,
    report: &mut Report,
) -> Result<(), Fault> {
    let mut attempt = 1;
    let (counts, told) = loop {
        match try_record(store, by, target, sorted, report.counts).await {
            Ok(done) => break done,
            Err(fault @ (Fault::Refused { .. } | Fault::Newer { .. } | Fault::Panicked(_))) => {
                return Err(fault);
            }
            Err(fault @ Fault::Unavailable { .. }) if attempt >= ATTEMPTS => return Err(fault),
            Err(Fault::Unavailable { .. }) => {
                tokio::time::sleep(backoff(attempt, RETRY_BASE, RETRY_CAP, chance())).await;
                attempt += 1;
            }
        }
    };

    report.counts = counts;
    let room = SHOWN.saturating_sub(report.rows.len());
    report.rows.extend(told.into_iter().take(room));
    Ok(())
}

/// One attempt at a step: the counts with it, and what became of each line.
async fn try_record(
    store: &Store,
    by: &Recorder,
    target: Target,
    sorted: &Sorted,
    mut counts: CountsView,
) -> Result<(CountsView, Vec<LineOutcome>), Fault> {
    let mut tx = store.scoped([&by.tenant]).await?;
    let writing = match target {
        Target::Preview => Writing::No { new_before: counts.created.unsigned_abs() },
        Target::Import(_) => Writing::Yes,
    };
    let outcomes = contacts::apply(&mut tx, by, &sorted.inputs, writing).await?;

    let mut told = Vec::with_capacity(sorted.lines.len());
    for (line, person) in &sorted.lines {
        let (outcome, reason) = match person {
            Ok(index) => match outcomes[*index] {
                Outcome::Created => ("created", None),
                Outcome::Updated => ("updated", None),
                Outcome::Unchanged => ("unchanged", None),
                Outcome::OverPlan => ("invalid", Some(OVER_PLAN.to_owned())),
            },
            Err((outcome, why)) => (*outcome, Some(why.clone())),
        };
        counts.count(outcome);
        told.push(LineOutcome { line: *line as i64, outcome, reason });
    }

    if let Target::Import(id) = target {
        let lines = told.iter().filter_map(|line| {
            let outcome = imports::RowOutcome::from_name(line.outcome)?;
            let reason = line.reason.clone()?;
            Some(imports::ImportRow { line: line.line, outcome, reason })
        });
        let lines: Vec<_> = lines.collect();
        let machine = stage::machine::now();
        imports::progress(&mut tx, &by.tenant, id, &counts.into(), &lines, machine).await?;
        tx.commit().await.map_err(store::fault)?;
    }
    Ok((counts, told))
}

impl CountsView {
    fn count(&mut self, outcome: &str) {
        self.total += 1;
        match outcome {
            "created" => self.created += 1,
            "updated" => self.updated += 1,
            "unchanged" => self.unchanged += 1,
            "duplicate" => self.duplicate += 1,
            _ => self.invalid += 1,
        }
    }
}

impl From<CountsView> for Counts {
    fn from(view: CountsView) -> Self {
        let CountsView { total, created, updated, unchanged, duplicate, invalid } = view;
        Self { total, created, updated, unchanged, duplicate, invalid }
    }
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        let Counts { total, created, updated, unchanged, duplicate, invalid } = counts;
        Self { total, created, updated, unchanged, duplicate, invalid }
    }
}
