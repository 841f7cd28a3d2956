//! How many counts wait for rollup. While it is away, each statement that moves messages adds some:
//! beyond a limit no message is stored until it has folded some.

use stage::{Cx, Fault, Source, StageName, Tick};
use store::{Store, analytics::counts};

/// The source that keeps the limit. Any number of processes may run it.
#[derive(Debug)]
pub struct CountsLimit {
    store: Store,
    most: i64,
}

impl CountsLimit {
    /// Keeps so many groups at most in this store, `MILLRACE_COUNTS_LIMIT`. What is under way when
    /// they are reached still adds some.
    pub fn new(store: Store, most: i64) -> Self {
        Self { store, most }
    }
}

impl Source for CountsLimit {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, _: &Cx) -> Result<Tick, Fault> {
        let waiting = counts::limit(&self.store, self.most).await?;
        metrics::gauge!("millrace_counts_unfolded").set(waiting as f64);
        if waiting >= self.most {
            tracing::error!(waiting, "too many counts are not folded yet: no message is stored");
        }
        Ok(Tick::default())
    }
}
