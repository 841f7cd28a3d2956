//! Every durable consumer, in one table. `subjects.md` says the same for people, and a test
//! compares the two. A durable consumer outlives its processes, and any number of them share one.

use std::time::Duration;

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, pull},
};
use domain::message::class::Lane;
use futures::TryStreamExt;
use stage::StageName;
use wire::stream::{ACK_WAIT, Stream};

use crate::{
    broker::Broker,
    change::{ApplyError, DeclaredChange, broker_said},
};
/// One durable pull consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerSpec {
    /// Its name at the broker, unique within the stream.
    pub name: &'static str,
    /// The stage that reads it.
    pub stage: StageName,
    /// Its lane; none where the stream has no lanes.
    pub lane: Option<Lane>,
    /// The stream it reads.
    pub stream: Stream,
    /// Which subjects of the stream it reads.
    pub filters: &'static [&'static str],
}

macro_rules! table {
    ($($name:literal $stage:ident $lane:expr, $stream:ident [$($filter:literal),+];)*) => {
        &[$(ConsumerSpec {
            name: $name,
            stage: StageName::$stage,
            lane: $lane,
            stream: Stream::$stream,
            filters: &[$($filter),+],
        },)*]
    };
}

const URGENT: Option<Lane> = Some(Lane::Urgent);
const BULK: Option<Lane> = Some(Lane::Bulk);

/// Every consumer of our own stages. Filters of one work queue never overlap.
pub const CONSUMERS: &[ConsumerSpec] = table! {
    "enrich-urgent" Enrich URGENT, Submitted ["msg.submitted.urgent"];
    "enrich-bulk" Enrich BULK, Submitted ["msg.submitted.bulk"];
    "gate-urgent" Gate URGENT, Enriched ["msg.enriched.urgent"];
    "gate-bulk" Gate BULK, Enriched ["msg.enriched.bulk"];
    "throttle-urgent" Throttle URGENT, Admitted ["msg.admitted.urgent.>"];
    "throttle-bulk" Throttle BULK, Admitted ["msg.admitted.bulk.>"];
    "send-urgent" Send URGENT, Released ["msg.released.urgent.>"];
    "send-bulk" Send BULK, Released ["msg.released.bulk.>"];
    "reconcile" Reconcile None, Carrier ["carrier.*.*.status"];
    "reconcile-mixed" Reconcile None, Texts ["carrier.*.*.mixed"];
    "reconcile-dead" Reconcile None, Dead ["dead.*.*"];
    "inbound" Inbound None, Texts ["carrier.*.*.inbound", "carrier.*.*.mixed"];
    "reply" Reply None, Inbound ["inbound.*"];
    "rollup" Rollup None, Events [
        "events.*.counts.moved",
        "events.*.message.received",
        "events.*.message.rejected",
        "events.*.contact.*",
        "events.*.campaign.audience_fixed",
        "events.*.campaign.stopped",
        "events.*.campaign.completed"
    ];
};

/// What differs between installations, for all consumers alike.
#[derive(Debug, Clone, Copy)]
pub struct ConsumerSettings {
    /// How long a delivery may stay un-acked before it comes again. Longer than the slowest batch;
    /// the runtime sends progress beats at a third of it.
    pub ack_wait: Duration,
    /// How many frames may be un-acked at once, over all processes.
    pub max_ack_pending: i64,
}

impl Default for ConsumerSettings {
    fn default() -> Self {
        Self { ack_wait: ACK_WAIT, max_ack_pending: 16_384 }
    }
}

/// The consumers that one stage reads of some streams.
pub fn consumers_of(
    stage: StageName,
    streams: &[Stream],
) -> impl Iterator<Item = &'static ConsumerSpec> {
    CONSUMERS.iter().filter(move |spec| spec.stage == stage && streams.contains(&spec.stream))
}

/// What [`apply_consumers`] would change, and consumers that nobody here reads.
///
/// # Errors
/// When the broker cannot say what it has.
pub async fn diff_consumers(
    broker: &Broker,
    settings: &ConsumerSettings,
) -> Result<Vec<DeclaredChange>, ApplyError> {
    let mut changes = Vec::new();
    for spec in CONSUMERS {
        let found = look_up(broker, spec).await?;
        changes.extend(compare(spec, &declared(spec, settings), found.as_ref()));
    }

    for stream in [Stream::Submitted, Stream::Enriched, Stream::Admitted, Stream::Released] {
        changes.extend(strangers(broker, stream).await?);
    }
    Ok(changes)
}

/// Makes the broker's consumers what the table says and tells what that changed. A consumer that
/// is not in the table is left alone: what it has not read yet may be somebody's.
///
/// # Errors
/// When the broker refuses.
pub async fn apply_consumers(
    broker: &Broker,
    settings: &ConsumerSettings,
) -> Result<Vec<DeclaredChange>, ApplyError> {
    let mut changes = Vec::new();
    for spec in CONSUMERS {
        let wanted = declared(spec, settings);
        let found = look_up(broker, spec).await?;
        let differences = compare(spec, &wanted, found.as_ref());

        if !differences.is_empty() {
            broker
                .api
                .create_consumer_on_stream(wanted, spec.stream.name())
                .await
                .map_err(|why| broker_said(spec.name, &why))?;
        }
        changes.extend(differences);
    }
    Ok(changes)
}

/// The configuration that the table declares. `max_deliver` is unlimited: the runtime counts and
/// writes dead letters itself, since a message at that limit would stop being delivered, no more.
pub fn declared(spec: &ConsumerSpec, settings: &ConsumerSettings) -> pull::Config {
    let (one, many) = match spec.filters {
        [one] => ((*one).to_owned(), Vec::new()),
        many => (String::new(), many.iter().map(|&filter| filter.to_owned()).collect()),
    };

    pull::Config {
        durable_name: Some(spec.name.into()),
        filter_subject: one,
        filter_subjects: many,
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: settings.ack_wait,
        max_deliver: -1,
        max_ack_pending: settings.max_ack_pending,
        ..pull::Config::default()
    }
}

async fn look_up(broker: &Broker, spec: &ConsumerSpec) -> Result<Option<pull::Config>, ApplyError> {
    let found = broker.api.get_consumer_from_stream(spec.name, spec.stream.name()).await;
    match found {
        Ok(consumer) => {
            let consumer: jetstream::consumer::PullConsumer = consumer;
            Ok(Some(pull_config(&consumer.cached_info().config)))
        }
        Err(why) if is_missing(&why) || has_no_stream(&why) => Ok(None),
        Err(why) => Err(broker_said(spec.name, &why)),
    }
}

/// What of a consumer's configuration the table decides.
fn pull_config(config: &jetstream::consumer::Config) -> pull::Config {
    pull::Config {
        durable_name: config.durable_name.clone(),
        filter_subject: config.filter_subject.clone(),
        filter_subjects: config.filter_subjects.clone(),
        deliver_policy: config.deliver_policy,
        ack_policy: config.ack_policy,
        ack_wait: config.ack_wait,
        max_deliver: config.max_deliver,
        max_ack_pending: config.max_ack_pending,
        ..pull::Config::default()
    }
}

/// Whether a look-up failed because there is no such consumer.
pub(crate) fn is_missing(why: &jetstream::stream::ConsumerError) -> bool {
    match why.kind() {
        jetstream::stream::ConsumerErrorKind::JetStream(said) => {
            said.error_code() == jetstream::ErrorCode::CONSUMER_NOT_FOUND
        }
        _ => false,
    }
}

/// Whether a look-up failed because not even the stream is there yet.
fn has_no_stream(why: &jetstream::stream::ConsumerError) -> bool {
    match why.kind() {
        jetstream::stream::ConsumerErrorKind::JetStream(said) => {
            said.error_code() == jetstream::ErrorCode::STREAM_NOT_FOUND
        }
        _ => false,
    }
}

/// Every difference between the table and what the broker has.
fn compare(
    spec: &ConsumerSpec,
    wanted: &pull::Config,
    found: Option<&pull::Config>,
) -> Vec<DeclaredChange> {
    let what = format!("consumer {}", spec.name);
    let Some(is) = found else {
        return vec![DeclaredChange { what, how: "missing".into(), loses: false }];
    };

    let filters = |config: &pull::Config| match config.filter_subject.as_str() {
        "" => config.filter_subjects.join(","),
        one => one.to_owned(),
    };
    let rows = [
        ("filter", filters(is), filters(wanted)),
        ("ack_wait", format!("{:?}", is.ack_wait), format!("{:?}", wanted.ack_wait)),
        ("max_deliver", is.max_deliver.to_string(), wanted.max_deliver.to_string()),
        ("max_ack_pending", is.max_ack_pending.to_string(), wanted.max_ack_pending.to_string()),
        ("ack_policy", format!("{:?}", is.ack_policy), format!("{:?}", wanted.ack_policy)),
    ];

    let differing = rows.into_iter().filter(|(_, from, to)| from != to);
    differing
        .map(|(name, from, to)| DeclaredChange {
            what: what.clone(),
            how: format!("{name} {from} -> {to}"),
            loses: false,
        })
        .collect()
}

/// Consumers of our own work queues that no stage here reads: they take messages away.
async fn strangers(broker: &Broker, stream: Stream) -> Result<Vec<DeclaredChange>, ApplyError> {
    let Ok(handle) = broker.api.get_stream_no_info(stream.name()).await else {
        return Ok(Vec::new());
    };
    let names: Vec<String> = match handle.consumer_names().try_collect().await {
        Ok(names) => names,
        Err(_) => return Ok(Vec::new()),
    };

    let known = |name: &String| CONSUMERS.iter().any(|s| s.stream == stream && s.name == name);
    let strange = names.into_iter().filter(|name| !known(name));
    Ok(strange
        .map(|name| DeclaredChange {
            what: format!("consumer {name}"),
            how: format!("reads {} but belongs to no stage; it is left alone", stream.name()),
            loses: false,
        })
        .collect())
}
