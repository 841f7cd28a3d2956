//! Schedule: parked messages go back to the gates when they are due.
//!
//! | | |
//! |---|---|
//! | Consumes | nothing; due rows of `parked` |
//! | Emits | `msg.enriched.<lane>`, with the next turn |
//! | Reads | `parked`, oldest due first, fair between tenants |
//! | Writes | `messages.turn`; deletes `parked` rows after the PubAck |
//! | Calls | nobody |
//! | Never | decides whether a message may be sent: the gates do, afresh |

use pipeline::{Cx, Fault, Outgoing, Source, StageName, Tick};
use store::{Store, schedule};
use wire::Subject;

/// How many rows one tick releases at most, and how many of them of one tenant: two frames' worth,
/// so that a morning's opening does not flood the gates.
const AT_MOST: i64 = 512;
const PER_TENANT: i64 = 128;

/// The source that releases parked messages.
pub struct Schedule {
    store: Store,
}

impl Schedule {
    /// A schedule over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Source for Schedule {
    const NAME: StageName = StageName::Schedule;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        let due = schedule::release(&self.store, cx.now, PER_TENANT, AT_MOST).await?;
        if due.is_empty() {
            return Ok(Tick::default());
        }
        let say = due.iter().filter_map(|row| {
            let payload = row.payload.as_ref()?;
            Some(Outgoing::new(Subject::Enriched(row.lane), payload))
        });
        let (say, more) = (say.collect(), due.len() as i64 >= PER_TENANT);
        let store = self.store.clone();
        let published = async move { schedule::released(&store, &due).await };
        Ok(Tick { say, published: Some(Box::pin(published)), more })
    }
}
