//! The ledger as NDJSON, written chunk by chunk while it is read: no copy of it is made, and the
//! lock is held for one chunk at a time.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::{Carrier, Index, Text};
use crate::app::{App, State};

/// Lines per chunk: about 64 KiB.
const CHUNK: Index = 256;

/// Which entries are wanted.
#[derive(Default)]
pub(crate) struct Filter {
    pub(crate) carrier: Option<Carrier>,
    /// Entries of this business instant and later.
    pub(crate) since: Option<Timestamp>,
}

/// A reader of the ledger, as it was when the reader was made.
pub(crate) struct Lines {
    app: Arc<App>,
    filter: Filter,
    generation: u32,
    next: Index,
    end: Index,
}

#[derive(Serialize)]
struct Line<'a> {
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

impl Lines {
    pub(crate) fn new(app: Arc<App>, filter: Filter) -> Self {
        let (generation, end) = {
            let state = app.state();
            (state.ledger.generation(), state.ledger.len())
        };
        Self { app, filter, generation, next: 0, end }
    }

    /// The next lines; `None` at the end, or when a reset has emptied the ledger.
    pub(crate) fn next_chunk(&mut self) -> Option<Bytes> {
        let mut out = Vec::new();
        while out.is_empty() && self.next < self.end {
            let state = self.app.state();
            if state.ledger.generation() != self.generation {
                return None;
            }
            let stop = (self.next + CHUNK).min(self.end);
            for index in self.next..stop {
                let Some(text) = state.ledger.get(index) else { continue };
                if self.filter.admits(text) {
                    write_line(&state, text, &mut out);
                }
            }
            self.next = stop;
        }
        (!out.is_empty()).then(|| Bytes::from(out))
    }
}

impl Filter {
    fn admits(&self, text: &Text) -> bool {
        self.carrier.is_none_or(|carrier| carrier == text.carrier)
            && self.since.is_none_or(|since| text.at >= since)
    }
}

fn write_line(state: &State, text: &Text, out: &mut Vec<u8>) {
    let line = Line {
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
    };
    serde_json::to_writer(&mut *out, &line).expect("plain data becomes JSON");
    out.push(b'\n');
}
