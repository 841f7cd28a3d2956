//! `counts.moved` as EVENTS holds it: the groups of a tenant's changes, each once.

use std::collections::HashSet;

use anyhow::Context;
use async_nats::jetstream::consumer::{DeliverPolicy, pull::OrderedConfig};
use domain::ids::TenantId;
use futures::TryStreamExt;
use jiff::Timestamp;
use pipeline::Broker;
use wire::{Event, EventKind, Stream, Subject, event::CountsData};

/// From when on EVENTS holds every event: the business time of the oldest, or none where it has
/// made room for nothing yet.
///
/// # Errors
/// The broker does not answer, or the oldest entry cannot be read.
pub async fn complete_from(broker: &Broker) -> anyhow::Result<Option<Timestamp>> {
    let stream = broker.api.get_stream(Stream::Events.name()).await.context("EVENTS")?;
    let first = stream.cached_info().state.first_sequence;
    if first <= 1 {
        return Ok(None);
    }

    let oldest = stream.get_raw_message(first).await.context("reading EVENTS")?;
    let events: Vec<Event> = serde_json::from_slice(&oldest.payload)?;
    Ok(events.iter().map(|event| event.at).min())
}

/// Gives `each` the groups of a tenant that EVENTS holds at this moment, each once, the oldest
/// first.
///
/// # Errors
/// The broker does not answer, or an entry cannot be read.
pub async fn read(
    broker: &Broker,
    tenant: &TenantId,
    mut each: impl FnMut(CountsData),
) -> anyhow::Result<()> {
    let stream = broker.api.get_stream_no_info(Stream::Events.name()).await.context("EVENTS")?;
    let config = OrderedConfig {
        filter_subject: Subject::Event(tenant.clone(), EventKind::CountsMoved).to_string(),
        deliver_policy: DeliverPolicy::All,
        ..OrderedConfig::default()
    };
    let consumer = stream.create_consumer(config).await.context("reading EVENTS")?;
    let mut left = consumer.cached_info().num_pending;
    let mut messages = consumer.messages().await.context("reading EVENTS")?;

    let mut known = HashSet::new();
    while left > 0 {
        let message = messages.try_next().await.context("reading EVENTS")?;
        let message = message.context("EVENTS ended early")?;
        left -= 1;
        for event in serde_json::from_slice::<Vec<Event>>(&message.payload)? {
            if known.insert(event.id) {
                each(serde_json::from_str(event.data.get())?);
            }
        }
    }
    Ok(())
}
