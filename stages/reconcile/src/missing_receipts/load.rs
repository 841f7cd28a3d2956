//! Loads the messages that watches are over, each with the look at it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    messages::receipt::{
        self,
        poll::{ReceiptWatch, Watched},
    },
};

use crate::receipts::{report::Key, taken::Rows};

/// One message that waits for its receipt, and its watch's look at it.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) looked_at: Timestamp,
    pub(super) watched: &'a Watched,
}

/// The messages of the watches of one tick.
pub(super) type Looks<'a> = BTreeMap<Key, Look<'a>>;

/// The messages that watches name. One that two watches name is looked at once.
pub(super) fn looks(watches: &[ReceiptWatch]) -> Looks<'_> {
    let mut looks = Looks::new();
    for watch in watches {
        for watched in &watch.messages {
            let key = (watch.tenant.clone(), watched.id);
            looks.entry(key).or_insert(Look { looked_at: watch.looked_at, watched });
        }
    }
    looks
}

/// Locks the rows of the messages that are looked at.
pub(super) async fn lock_rows(tx: &mut Scoped, looks: &Looks<'_>) -> Result<Rows, Fault> {
    let keys: Vec<Key> = looks.keys().cloned().collect();
    receipt::lock(tx, &keys).await
}
