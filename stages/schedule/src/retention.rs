//! The source that removes what need not be kept any more: one small step of each rule in a tick.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    analytics::timed,
    people::notices,
    retention::{
        Keep, Removed, Step,
        aged::{self, AgedTable},
        counters::{self, CounterPlace},
        messages,
        recipients::{self, CampaignPlace},
        texts,
    },
};

/// How many rows a step looks at, at most. A full step of messages takes some 20 ms of Postgres'
/// time, one of texts 15. Ticks come 750 ms apart, so a process removes up to 660 messages a second
/// and leaves nine tenths of a core to others.
pub const ROWS: i64 = 500;

/// How long a rule rests once nothing of it is due; machine time.
const REST: SignedDuration = SignedDuration::from_secs(60);

/// What is due by one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Due {
    MessageTexts,
    InboundTexts,
    Answers,
    Messages,
    Recipients,
    ImportRows,
    Counters,
    /// Minutes and hours of totals, which are downsampled.
    TimedTotals,
    /// Codes that people sign in with, and how often they were asked for.
    Codes,
    /// By the index in [`AgedTable::ALL`].
    Aged(usize),
}

/// The rules but those of age, the texts first.
const DUE: [Due; 9] = [
    Due::MessageTexts,
    Due::InboundTexts,
    Due::Answers,
    Due::Messages,
    Due::Recipients,
    Due::ImportRows,
    Due::Counters,
    Due::TimedTotals,
    Due::Codes,
];

/// The source that removes what is due. Any number of processes may run it: they leave each other
/// what one of them is at.
#[derive(Debug)]
pub struct RetentionSource {
    store: Store,
    keep: Keep,
    progress: Mutex<Progress>,
}

/// Where this process is. Another one begins anew, and finds what is due all the same.
#[derive(Debug, Default)]
struct Progress {
    /// Rules of which nothing was due, until when they rest.
    rests: HashMap<Due, Timestamp>,
    counters: CounterPlace,
    campaigns: CampaignPlace,
}

impl RetentionSource {
    /// Removes from this store what is kept long enough.
    pub fn new(store: Store, keep: Keep) -> Self {
        Self { store, keep, progress: Mutex::default() }
    }

    /// One step of each rule that does not rest. Says whether more may be due of any.
    ///
    /// # Errors
    /// An outage; the next tick goes on.
    pub async fn step(&self, cx: &Cx) -> Result<bool, Fault> {
        let step = Step { now: cx.now, machine: cx.machine, keep: self.keep, rows: ROWS };
        let aged = (0..AgedTable::ALL.len()).map(Due::Aged);

        let mut more = false;
        for due in DUE.into_iter().chain(aged) {
            if self.rests(due, cx.machine) {
                continue;
            }
            let removed = self.remove(due, &step).await?;
            tell(due, removed);
            if !removed.more {
                self.rest(due, cx).await?;
            }
            more |= removed.more;
        }
        Ok(more)
    }

    async fn remove(&self, due: Due, step: &Step) -> Result<Removed, Fault> {
        let store = &self.store;
        match due {
            Due::MessageTexts => messages::expire_texts(store, step).await,
            Due::InboundTexts => texts::expire_inbound(store, step).await,
            Due::Answers => texts::expire_answers(store, step).await,
            Due::Messages => messages::remove(store, step).await,
            Due::ImportRows => aged::remove_import_rows(store, step).await,
            Due::TimedTotals => timed::downsample(store, step).await,

            Due::Codes => {
                let rows = notices::end_codes(store, step.machine, step.rows).await?;
                Ok(Removed { rows, more: rows >= step.rows.unsigned_abs() })
            }
            Due::Aged(table) => aged::remove(store, AgedTable::ALL[table], step).await,
            Due::Recipients => {
                let after = self.with(|progress| progress.campaigns.clone());
                let (removed, next) = recipients::remove(store, &after, step).await?;
                self.with(|progress| progress.campaigns = next.unwrap_or_default());
                Ok(removed)
            }
            Due::Counters => {
                let after = self.with(|progress| progress.counters.clone());
                let (removed, next) = counters::remove(store, &after, step).await?;
                self.with(|progress| progress.counters = next.unwrap_or_default());
                Ok(removed)
            }
        }
    }

    fn rests(&self, due: Due, machine: Timestamp) -> bool {
        self.with(|progress| progress.rests.get(&due).is_some_and(|until| machine < *until))
    }

    /// Lets a rule rest of which nothing is due.
    async fn rest(&self, due: Due, cx: &Cx) -> Result<(), Fault> {
        self.with(|progress| progress.rests.insert(due, cx.machine + REST));
        if due == Due::Messages {
            let oldest = messages::oldest(&self.store).await?.unwrap_or(cx.now);
            metrics::gauge!("millrace_retention_oldest_timestamp_seconds", "table" => "messages")
                .set(oldest.as_second() as f64);
        }
        Ok(())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Progress) -> T) -> T {
        look(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Source for RetentionSource {
    const NAME: StageName = StageName::Schedule;

    /// A step, and never a second one at once, however much is due: the time to the next tick is
    /// the pace.
    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        self.step(cx).await?;
        Ok(Tick::default())
    }
}

/// Counts what was removed, by table.
fn tell(due: Due, removed: Removed) {
    let (name, table) = match due {
        Due::MessageTexts => ("millrace_retention_texts_total", "messages"),
        Due::InboundTexts => ("millrace_retention_texts_total", "inbound_texts"),
        Due::Answers => ("millrace_retention_texts_total", "ai_replies"),
        Due::Messages => ("millrace_retention_rows_total", "messages"),
        Due::Recipients => ("millrace_retention_rows_total", "campaign_recipients"),
        Due::ImportRows => ("millrace_retention_rows_total", "import_rows"),
        Due::Counters => ("millrace_retention_rows_total", "counters"),
        Due::TimedTotals => ("millrace_retention_rows_total", "timed_totals"),
        Due::Codes => ("millrace_retention_rows_total", "codes"),
        Due::Aged(table) => ("millrace_retention_rows_total", AgedTable::ALL[table].as_str()),
    };
    metrics::counter!(name, "table" => table).increment(removed.rows);
}
