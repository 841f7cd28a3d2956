//! What the events say: `counts.moved` of a tenant from the oldest entry on, each once, added up.

use std::collections::{BTreeMap, HashSet};

use anyhow::Context;
use async_nats::jetstream::stream::RawMessageErrorKind;
use domain::ids::TenantId;
use pipeline::Broker;
use wire::{Event, EventKind, Stream, Subject, event::CountsData, totals::names};

/// The counts that a tenant's events come to, by the names of totals; none where the stream has
/// made room, so that it does not hold all of them any more.
///
/// # Errors
/// The broker does not answer.
pub async fn counts(
    broker: &Broker,
    tenant: &TenantId,
) -> anyhow::Result<Option<BTreeMap<String, i64>>> {
    let name = Stream::Events.name();
    let found = broker.api.get_stream(name).await.context("EVENTS")?;
    if found.cached_info().state.first_sequence > 1 {
        return Ok(None);
    }
    let stream = broker.api.get_stream_no_info(name).await.context("EVENTS")?;
    let subject = Subject::Event(tenant.clone(), EventKind::CountsMoved).to_string();

    let (mut counts, mut known, mut next) = (BTreeMap::new(), HashSet::new(), 1);
    loop {
        let message = match stream.get_first_raw_message_by_subject(&subject, next).await {
            Ok(message) => message,
            Err(why) if why.kind() == RawMessageErrorKind::NoMessageFound => break,
            Err(why) => return Err(why).context("reading EVENTS"),
        };
        next = message.sequence + 1;

        for event in serde_json::from_slice::<Vec<Event>>(&message.payload)? {
            if known.insert(event.id) {
                add(&mut counts, &serde_json::from_str(event.data.get())?);
            }
        }
    }
    Ok(Some(counts))
}

fn add(counts: &mut BTreeMap<String, i64>, moved: &CountsData) {
    for name in moved.from.iter().flat_map(names) {
        *counts.entry(name).or_default() -= moved.messages;
    }
    for name in names(&moved.to) {
        *counts.entry(name).or_default() += moved.messages;
    }
}
