//! Ticks of the sources, with and without what follows once their events are stored.

use jiff::Timestamp;
use stage::{Cx, Source, Tick};
use testkit::publish;
use uuid::Uuid;
use wire::frame::Outgoing;

use crate::calls::now;

/// One tick whose events are stored by the broker: their types, sorted; no order is promised.
pub async fn tick(source: &impl Source) -> anyhow::Result<Vec<String>> {
    tick_at(source, now()).await
}

/// One tick at a business time.
pub async fn tick_at(source: &impl Source, now: Timestamp) -> anyhow::Result<Vec<String>> {
    Ok(types(&publish(unmarked(source, now).await?).await?))
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

/// The types of the events, sorted.
pub fn types(say: &[Outgoing]) -> Vec<String> {
    let kind = |one: &Outgoing| one.subject.to_string().replace("events.acme.", "");
    let mut types: Vec<String> = say.iter().map(kind).collect();
    types.sort_unstable();
    types
}

/// The ids of the events, sorted.
pub fn ids(say: &[Outgoing]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = say.iter().map(|one| one.key.id).collect();
    ids.sort_unstable();
    ids
}
