//! Ticks of the sources, with and without what follows once their events are stored.

use jiff::Timestamp;
use stage::{Cx, Source, Tick};
use uuid::Uuid;
use wire::frame::Outgoing;

use crate::calls::now;

/// One tick whose events are stored by the broker: their types, sorted; no order is promised.
pub async fn tick(source: &impl Source) -> anyhow::Result<Vec<String>> {
    tick_at(source, now()).await
}

/// One tick at a business time.
pub async fn tick_at(source: &impl Source, now: Timestamp) -> anyhow::Result<Vec<String>> {
    let Tick { say, published, .. } = unmarked(source, now).await?;
    if let Some(mark) = published {
        mark.await?;
    }
    Ok(types(&say))
}

/// One tick of a process that dies before its events are stored.
pub async fn tick_without_mark(source: &impl Source) -> anyhow::Result<Tick> {
    unmarked(source, now()).await
}

/// The same at a business time.
pub async fn unmarked(source: &impl Source, now: Timestamp) -> anyhow::Result<Tick> {
    let cx = Cx::at(now, stage::machine::now());
    Ok(source.tick(&cx).await?)
}

pub fn types(say: &[Outgoing]) -> Vec<String> {
    let of = |one: &Outgoing| one.subject.to_string().replace("events.acme.", "");
    let mut types: Vec<String> = say.iter().map(of).collect();
    types.sort_unstable();
    types
}

pub fn ids(say: &[Outgoing]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = say.iter().map(|one| one.key.id).collect();
    ids.sort_unstable();
    ids
}
