//! Answers that could not be recorded when they came, because the database was away. They wait here
//! for the runtime to hand their messages over again: an answer that was heard is not forgotten for
//! an outage that the process survives.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::ids::{MessageId, TenantId};
use wire::Admitted;

use crate::call::CallResult;

/// Answers kept at most; a claim needs the database, so no more come in during an outage than calls
/// were under way.
const MAX_KEPT: usize = 10_000;

/// The message that was answered, and in which turn.
type Key = (TenantId, MessageId, u32);

#[derive(Debug, Default)]
pub(crate) struct Unrecorded {
    kept: Mutex<HashMap<Key, CallResult>>,
}

impl Unrecorded {
    /// Keeps what carriers answered to messages of a batch.
    pub(crate) fn keep(&self, items: &[Admitted], heard: Vec<CallResult>) {
        let mut kept = self.lock();
        for result in heard {
            if kept.len() >= MAX_KEPT {
                tracing::error!(
                    "too many carrier answers wait for the database; some are in doubt"
                );
                return;
            }
            kept.insert(key(&items[result.index]), result);
        }
    }

    /// Splits a batch into the messages whose answer is known, taken out of here, and the others.
    /// The answers are marked as recorded again.
    pub(crate) fn split(&self, items: &[Admitted]) -> (Vec<CallResult>, VecDeque<usize>) {
        let mut kept = self.lock();
        let (mut known, mut others) = (Vec::new(), VecDeque::with_capacity(items.len()));
        for (index, item) in items.iter().enumerate() {
            let result = if kept.is_empty() { None } else { kept.remove(&key(item)) };
            match result {
                Some(result) => known.push(CallResult { index, is_again: true, ..result }),
                None => others.push_back(index),
            }
        }
        (known, others)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, CallResult>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(item: &Admitted) -> Key {
    let head = &item.message.head;
    (head.tenant.clone(), head.id, head.turn)
}
