//! The ledger as NDJSON, written chunk by chunk while it is read: no copy of it is made, and the
//! lock is held for one chunk at a time.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    app::{App, State},
    encode::write_line,
    ledger::{Carrier, Index, Text},
};

/// Lines per chunk: about 64 KiB.
const CHUNK: Index = 256;

/// Which entries are wanted.
#[derive(Default)]
pub(super) struct Filter {
    pub(super) carrier: Option<Carrier>,
    /// Entries of this business instant and later.
    pub(super) since: Option<Timestamp>,
}

/// A reader of the ledger, as it was when the reader was made.
pub(super) struct LedgerLines {
    app: Arc<App>,
    filter: Filter,
    generation: u32,
    next: Index,
    end: Index,
}

/// An entry of the ledger, as outsiders read it.
#[derive(Serialize)]
struct Entry<'a> {
    reference: Option<&'a str>,
    carrier: &'static str,
    sid: String,
    account: &'a str,
    from: &'a str,
    to: String,
    body: &'a str,
    segments: u8,
    at: Timestamp,
    received_at: Timestamp,
    status: &'static str,
    error_code: Option<u32>,
    traceparent: Option<&'a str>,
}

impl LedgerLines {
    pub(super) fn new(app: Arc<App>, filter: Filter) -> Self {
        let (generation, end) = {
            let state = app.state();
            (state.ledger.generation(), state.ledger.len())
        };
        Self { app, filter, generation, next: 0, end }
    }
}

/// The lines in chunks. They end early when a reset has emptied the ledger.
impl Iterator for LedgerLines {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut lines = Vec::new();
        while lines.is_empty() && self.next < self.end {
            let state = self.app.state();
            if state.ledger.generation() != self.generation {
                return None;
            }

            let stop = (self.next + CHUNK).min(self.end);
            let texts = (self.next..stop).filter_map(|index| state.ledger.get(index));
            for text in texts.filter(|text| self.filter.admits(text)) {
                write_line(&mut lines, &entry(&state, text));
            }
            self.next = stop;
        }
        (!lines.is_empty()).then(|| Bytes::from(lines))
    }
}

impl Filter {
    fn admits(&self, text: &Text) -> bool {
        self.carrier.is_none_or(|carrier| carrier == text.carrier)
            && self.since.is_none_or(|since| text.at >= since)
    }
}

fn entry<'a>(state: &'a State, text: &'a Text) -> Entry<'a> {
    Entry {
        reference: text.reference.as_deref(),
        carrier: text.carrier.name(),
        sid: text.sid_text(),
        account: state.accounts.sid(text.account),
        from: &text.from,
        to: text.to.to_string(),
        body: &text.body,
        segments: text.segments,
        at: text.at,
        received_at: text.received_at,
        status: text.status.name(),
        error_code: (text.error > 0).then_some(text.error),
        traceparent: text.trace.as_deref(),
    }
}
