//! The source that removes media which are kept long enough, and those of people who were erased:
//! first the objects, then the rows. Who dies in between finds the rows again.

use domain::ids::{MediaId, TenantId};
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
    /// None: no object was ever written, and rows go alone.
    objects: Option<Objects>,
    keep: SignedDuration,
}

impl MediaKeeper {
    /// Removes from this store, and this object store, what came or was given so long
    /// ago; business time.
    pub fn new(store: Store, objects: Option<Objects>, keep: SignedDuration) -> Self {
        Self { store, objects, keep }
    }

    /// Removes an object. None where the object store does not: its row stays.
    async fn remove_object(&self, one: (TenantId, MediaId)) -> Option<(TenantId, MediaId)> {
        let Some(objects) = &self.objects else { return Some(one) };
        objects.delete(&key(&one.0, one.1)).await.is_ok().then_some(one)
    }
}

impl Source for MediaKeeper {
    const NAME: StageName = StageName::Media;

    async fn tick(&self, cx: &Cx) -> Result<Tick, Fault> {
        // load
        let aged = aged::find(&self.store, cx.now - self.keep, AT_MOST).await?;
        let full = aged.len() as i64 >= AT_MOST;

        // remove the objects
        let asked = aged.len();
        let removed = join_all(aged.into_iter().map(|one| self.remove_object(one))).await;
        let gone: Vec<_> = removed.into_iter().flatten().collect();
        let stuck = asked - gone.len();
        metrics::counter!("millrace_media_object_errors_total").increment(stuck as u64);

        // record
        let rows = aged::remove(&self.store, &gone).await?;
        metrics::counter!("millrace_retention_rows_total", "table" => "media").increment(rows);
        Ok(Tick { more: full && stuck == 0, ..Tick::default() })
    }
}
