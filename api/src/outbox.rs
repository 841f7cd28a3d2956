//! Events that the ingress owes: written to Postgres with what they tell of, published, forgotten
//! after their PubAck. What a crash or an outage left behind is published later.

use std::time::Duration;

use domain::ids::TenantId;
use store::outbox;
use tokio_util::sync::CancellationToken;
use wire::Event;

use crate::{
    app::{App, PUBLISH_BUDGET},
    http::Problem,
};

/// How often what was left behind is looked for.
const EVERY: Duration = Duration::from_secs(2);

/// How many tenants are looked at, and how many events of each are published, at once.
const TENANTS: i64 = 64;
const EVENTS: i64 = 256;

/// Publishes an event that has been committed. The request need not wait for it: the event is owed
/// until its PubAck.
pub(crate) fn say(app: &App, event: Event) {
    let (app, tenant) = (app.clone(), event.tenant.clone());
    app.background.clone().spawn(async move {
        if let Err(problem) = publish(&app, &tenant, vec![event]).await {
            tracing::warn!(%tenant, ?problem, "an event is published later");
        }
    });
}

/// Publishes what was left behind, until `stop`.
pub(crate) fn say_left_over(app: App, stop: CancellationToken) {
    tokio::spawn(async move {
        let all = async {
            loop {
                tokio::time::sleep(EVERY).await;
                if let Err(problem) = left_over(&app).await {
                    tracing::warn!(?problem, "events are published later");
                }
            }
        };
        stop.run_until_cancelled(all).await;
    });
}

async fn left_over(app: &App) -> Result<(), Problem> {
    for tenant in outbox::tenants(&app.store, TENANTS).await? {
        let events = outbox::pending(&app.store, &tenant, EVENTS).await?;
        publish(app, &tenant, events).await?;
    }
    Ok(())
}

async fn publish(app: &App, tenant: &TenantId, events: Vec<Event>) -> Result<(), Problem> {
    let say = events.iter().map(Event::outgoing).collect();
    app.publisher.offer(say, PUBLISH_BUDGET).await?;
    outbox::published(&app.store, tenant, &events).await?;
    Ok(())
}
