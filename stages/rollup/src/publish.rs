//! The totals on their way to subscribers: rows whose version is ahead of what was published.

use domain::ids::event_id;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    analytics::totals::{self, DueTotal},
};
use wire::{
    frame::{MemberKey, Outgoing},
    subject::Subject,
};

/// How many scopes one tick publishes at most.
const AT_MOST: i64 = 256;

/// The source that publishes totals.
pub struct TotalsPublisher {
    store: Store,
}

impl TotalsPublisher {
    /// A publisher over this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Source for TotalsPublisher {
    const NAME: StageName = StageName::Rollup;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let due = totals::lease(&self.store, cx.machine, AT_MOST).await?;
        if due.is_empty() {
            return Ok(Tick::default());
        }

        // say
        let say = due.iter().map(outgoing).collect();

        // record, once the broker has stored them
        let store = self.store.clone();
        let mark = async move { totals::published(&store, &due).await };
        Ok(Tick { say, published: Some(Box::pin(mark)), more: false })
    }
}

/// The totals of one scope. Their version names them, so that a repeat is the same message.
fn outgoing(due: &DueTotal) -> Outgoing {
    let subject = Subject::Analytics(due.tenant.clone(), due.scope.clone());
    let id = due.scope.id().unwrap_or_default();
    let name = event_id(id, &subject.to_string(), due.totals.version);

    let json = serde_json::to_vec(&due.totals).expect("totals are plain data with string keys");
    Outgoing { subject, key: MemberKey::of(name), trace: None, json }
}
