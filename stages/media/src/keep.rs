//! The source that removes media which are kept long enough, and those of people who were erased:
//! first the objects, then the rows. Who dies in between finds the rows again.

use futures::future::join_all;
use jiff::SignedDuration;
use objects::Objects;
use stage::{Cx, Fault, Source, StageName, Tick};
use store::{
    Store,
    media::{aged, key},
};

/// How many media one tick removes.
const AT_MOST: i64 = 32;

/// The source that removes media.
pub struct MediaKeeper {
    store: Store,
    objects: Objects,
    keep: SignedDuration,
}

impl MediaKeeper {
    /// Removes from this store, and this object store, what came or was given so long ago; business
    /// time.
    pub fn new(store: Store, objects: Objects, keep: SignedDuration) -> Self {
        Self { store, objects, keep }
    }
}

impl Source for MediaKeeper {
    const NAME: StageName = StageName::Media;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let aged = aged::find(&self.store, cx.now - self.keep, AT_MOST).await?;
        let full = aged.len() as i64 >= AT_MOST;

        // remove the objects
        let remove = async |(tenant, id)| {
            let removed = self.objects.delete(&key(&tenant, id)).await;
            removed.is_ok().then_some((tenant, id))
        };
        let asked = aged.len();
        let gone: Vec<_> = join_all(aged.into_iter().map(remove)).await.into_iter().flatten().collect();
        let stuck = asked - gone.len();
        metrics::counter!("millrace_media_object_errors_total").increment(stuck as u64);

        // record
        let rows = aged::remove(&self.store, &gone).await?;
        metrics::counter!("millrace_retention_rows_total", "table" => "media").increment(rows);
        Ok(Tick { more: full && stuck == 0, ..Tick::default() })
    }
}
