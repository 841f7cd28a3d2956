//! The one subscription of this process to each of EVENTS and ANALYTICS: what concerns topics that
//! somebody reads goes to their feeds, everything else is passed over unread.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use domain::ids::TenantId;
use futures::TryStreamExt;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{Event, EventKind, Stream, frame, totals::Totals};

use super::{Live, LiveMessage, Source, Topic};
use crate::{app::App, ids};

/// How long to wait after a failure.
const AGAIN: Duration = Duration::from_secs(1);

/// After which time the broker forgets a consumer that nobody asks.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);

/// What changes what a page shows. The totals tell of messages, but for those of conversations.
const EVENTS: &[&str] = &[
    "events.*.campaign.*",
    "events.*.budget.*",
    "events.*.conversation.*",
    "events.*.message.received",
];

const TOTALS: &[&str] = &["analytics.*.dashboard", "analytics.*.campaign.*"];

/// Follows both streams until `stop`.
pub(crate) fn keep(app: &App, stop: &CancellationToken) {
    for source in [Source::Events, Source::Totals] {
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(keep_following(&app, source)).await });
    }
}

async fn keep_following(app: &App, source: Source) {
    loop {
        if let Err(error) = follow(app, source).await {
            tracing::warn!(error, ?source, "what moves cannot be followed, trying again");
        }
        app.live.set_followed(source, false);
        tokio::time::sleep(AGAIN).await;
    }
}

/// Follows a stream from now on, until it breaks or something of it was lost on the way here.
async fn follow(app: &App, source: Source) -> Result<(), String> {
    let (stream, subjects) = match source {
        Source::Events => (Stream::Events, EVENTS),
        Source::Totals => (Stream::Analytics, TOTALS),
    };
    let config = pull::Config {
        name: Some(format!("live_{}", ids::fresh().simple())),
        filter_subjects: subjects.iter().map(|&subject| subject.to_owned()).collect(),
        deliver_policy: DeliverPolicy::New,
        ack_policy: AckPolicy::None,
        inactive_threshold: FORGOTTEN_AFTER,
        memory_storage: true,
        ..pull::Config::default()
    };
    let consumer = app.broker.api.create_consumer_on_stream(config, stream.name()).await;
    let messages = consumer.map_err(|error| error.to_string())?.messages().await;
    let mut messages = messages.map_err(|error| error.to_string())?;

    app.live.set_followed(source, true);
    let mut delivered = 0;
    while let Some(message) = messages.try_next().await.map_err(|error| error.to_string())? {
        delivered += 1;
        if message.info().map_err(|error| error.to_string())?.consumer_sequence != delivered {
            return Err("some of it was lost on the way here".into());
        }
        take(&app.live, source, &message.subject, &message.payload);
    }
    Err("the subscription ended".into())
}

/// Hands on what somebody reads. What cannot be read is a newer version's, and passed over.
fn take(live: &Live, source: Source, subject: &str, payload: &[u8]) {
    let tenant = subject.split('.').nth(1).and_then(|tenant| tenant.parse::<TenantId>().ok());
    let Some(tenant) = tenant.filter(|tenant| live.is_read(tenant)) else { return };

    match source {
        Source::Events => {
            let events = frame::unpack::<Event>(payload).unwrap_or_default();
            events.into_iter().flatten().for_each(|event| say(live, &tenant, event));
        }
        Source::Totals => {
            let Ok(totals) = serde_json::from_slice::<Totals>(payload) else { return };
            let topic = totals.id.map_or(Topic::Dashboard, Topic::Campaign);
            let message = LiveMessage { totals: Some(totals), ..LiveMessage::default() };
            live.say(&tenant, &topic, message);
        }
    }
}

/// An event concerns the dashboard, and its campaign. What happens in a conversation concerns that
/// one and its inbox alone.
fn say(live: &Live, tenant: &TenantId, event: Event) {
    #[derive(Default, Deserialize)]
    struct Concerns {
        campaign: Option<Uuid>,
        conversation: Option<Uuid>,
        inbox: Option<Uuid>,
    }

    let of: Concerns = serde_json::from_str(event.data.get()).unwrap_or_default();
    // A text of a version that names no conversation changes nothing that a page shows live.
    if of.conversation.is_none() && event.kind == EventKind::MessageReceived {
        return;
    }

    let about = of.conversation.map(Topic::Conversation).or(of.campaign.map(Topic::Campaign));
    let message =
        LiveMessage { event: Some(event), about: about.clone(), ..LiveMessage::default() };
    if let Some(about) = &about {
        live.say(tenant, about, message.clone());
    }
    match (of.conversation, of.inbox) {
        (Some(_), Some(inbox)) => live.say(tenant, &Topic::Inbox(inbox), message),
        (Some(_), None) => {}
        (None, _) => live.say(tenant, &Topic::Dashboard, message),
    }
}
