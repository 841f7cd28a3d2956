//! The lines for senders' paces, looked through in turn: each lets out what its sender has room
//! for.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    parked::line::{self, Left, PaceLine},
};

/// How many lines one tick looks at, and how many rows leave all of them at most.
const LINES: i64 = 64;
const AT_MOST: i64 = 1_024;

/// Where the next tick goes on.
#[derive(Debug, Default)]
pub(crate) struct PaceLines {
    last: Mutex<Option<PaceLine>>,
}

impl PaceLines {
    /// Lets out of the next lines what their senders have room for. Every line has the same part of
    /// a tick: a long one takes nothing from the others.
    pub(crate) async fn let_out(&self, store: &Store, now: Timestamp) -> Result<Left, Fault> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lines = line::behind(store, last.as_ref(), LINES).await?;
        let are_more = lines.len() as i64 == LINES;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) =
            lines.last().filter(|_| are_more).cloned();

        let per_line = AT_MOST / (lines.len() as i64).max(1);
        let left = line::release(store, &lines, now, per_line).await?;
        Ok(Left { more: left.more || are_more, ..left })
    }
}
