//! The outbox of the ingress: an event is inserted in the transaction of what it tells of,
//! published, and marked as published after its PubAck. What a crash or an outage left pending is
//! published later.

use std::time::Duration;

use domain::ids::TenantId;
use store::outbox;
use tokio_util::sync::CancellationToken;
use wire::Event;

use crate::{app::App, http::Problem, limits::PUBLISH_BUDGET};

/// How often pending events are looked for.
const EVERY: Duration = Duration::from_secs(2);

/// How many tenants are looked at, and how many events of each are published, at once.
const TENANTS: i64 = 64;
const EVENTS: i64 = 256;

/// Publishes an event that has been committed, in the background: the request need not wait for it,
/// as the event is pending until its PubAck.
pub(crate) fn publish_soon(app: &App, event: Event) {
    let (app, tenant) = (app.clone(), event.tenant.clone());
    app.background.clone().spawn(async move {
        if let Err(problem) = publish(&app, &tenant, vec![event]).await {
            tracing::warn!(%tenant, ?problem, "an event is published later");
        }
    });
}

/// Publishes what was left pending, until `stop`.
pub(crate) fn keep_publishing(app: App, stop: CancellationToken) {
    tokio::spawn(async move {
        let all = async {
            loop {
                tokio::time::sleep(EVERY).await;
                if let Err(problem) = publish_pending(&app).await {
                    tracing::warn!(?problem, "events are published later");
                }
            }
        };
        stop.run_until_cancelled(all).await;
    });
}

async fn publish_pending(app: &App) -> Result<(), Problem> {
    for tenant in outbox::tenants(&app.store, TENANTS).await? {
        let events = outbox::pending(&app.store, &tenant, EVENTS).await?;
        publish(app, &tenant, events).await?;
    }
    Ok(())
}

async fn publish(app: &App, tenant: &TenantId, events: Vec<Event>) -> Result<(), Problem> {
    let outgoing = events.iter().map(Event::outgoing).collect();
    app.publisher.offer(outgoing, PUBLISH_BUDGET).await?;
    outbox::published(&app.store, tenant, &events).await?;
    Ok(())
}
