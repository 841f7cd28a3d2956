//! Those counters of `GET /sandbox/stats` that cannot be derived from the ledger.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use serde::Serialize;

use crate::kind::Kind;

/// Counters kept under the state's lock.
#[derive(Default)]
pub(crate) struct Stats {
    /// Refused calls by Twilio's code.
    pub(crate) refused: BTreeMap<u32, u64>,
    /// Faults that struck, by name.
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Inbound texts by kind, in the order of [`Kind::ALL`].
    pub(crate) inbound: [u64; Kind::ALL.len()],
    /// Inbound texts to a number without a webhook.
    pub(crate) inbound_without_webhook: u64,
    pub(crate) auto_replies: u64,
    pub(crate) ai_calls: u64,
    /// AI calls that got an error, by HTTP status.
    pub(crate) ai_errors: BTreeMap<u16, u64>,
}

/// Counters of callbacks. The courier keeps them without a lock.
#[derive(Default)]
pub(crate) struct CallbackCounters {
    /// Calls answered with 2xx.
    pub(crate) sent: AtomicU64,
    /// Given up, or never begun.
    pub(crate) failed: AtomicU64,
    /// Attempts beyond the first.
    pub(crate) retried: AtomicU64,
    /// Left out by the fault `receipts.drop`.
    pub(crate) dropped: AtomicU64,
}

/// The `callbacks` object of the answer.
#[derive(Serialize)]
pub(crate) struct Callbacks {
    sent: u64,
    failed: u64,
    /// Work that is due later or under way: receipts, replies, retries. 0 means at rest.
    pending: u64,
    retried: u64,
    dropped: u64,
}

impl Stats {
    pub(crate) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }

    pub(crate) fn refused(&mut self, code: u32) {
        *self.refused.entry(code).or_default() += 1;
    }

    pub(crate) fn inbound(&mut self, kind: Kind) {
        self.inbound[kind as usize] += 1;
    }
}

impl CallbackCounters {
    pub(crate) fn read(&self, pending: u64) -> Callbacks {
        Callbacks {
            sent: self.sent.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            pending,
            retried: self.retried.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn reset(&self) {
        for counter in [&self.sent, &self.failed, &self.retried, &self.dropped] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// Adds one to a counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
