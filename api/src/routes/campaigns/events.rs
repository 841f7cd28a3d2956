//! The events of campaigns: published after an act, and later where that did not succeed.

use std::time::Duration;

use store::campaigns::{self, Transition};
use tokio_util::sync::CancellationToken;
use wire::{Event, event::CampaignData};

use super::lifecycle::event;
use crate::{app::App, http::Problem, limits::PUBLISH_BUDGET};

/// How often events without a PubAck are published again.
const EVERY: Duration = Duration::from_secs(2);

/// How many events are published again at once.
const MOST: i64 = 100;

/// Publishes the event of an act and marks it as published. Without a PubAck it stays pending.
pub(super) async fn publish(app: &App, done: &Transition) -> Result<(), Problem> {
    let data = CampaignData { campaign: done.campaign, audience: done.audience };
    let (entity, version) = (done.campaign.0, done.version);
    let event = Event::new(event(done.act), &done.tenant, entity, version, done.at, &data);
    app.publisher.offer(vec![event.outgoing()], PUBLISH_BUDGET).await?;
    campaigns::published(&app.store, done).await?;
    Ok(())
}

/// Publishes what a crash or an outage left pending, until `stop`.
pub(crate) fn keep_publishing(app: App, stop: CancellationToken) {
    tokio::spawn(async move {
        let all = async {
            loop {
                tokio::time::sleep(EVERY).await;
                publish_pending(&app).await;
            }
        };
        stop.run_until_cancelled(all).await;
    });
}

async fn publish_pending(app: &App) {
    let pending = campaigns::unpublished(&app.store, MOST).await.unwrap_or_default();
    for done in pending {
        if let Err(problem) = publish(app, &done).await {
            tracing::warn!(?problem, "a campaign's event is published later");
            break;
        }
    }
}
