//! Calls back to whoever asked for it: over a bounded number of kept connections per host, each
//! call retried when the fault settings say so.

mod link;

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tokio::time::timeout;

use crate::{app::App, courier::Origin, delivery::Delivery, job::Job, stats::count};
use link::Link;

/// One call takes at most this long, as Twilio's do.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);

/// Makes a call as soon as a connection is free.
pub(crate) fn post(app: &Arc<App>, delivery: Box<Delivery>) {
    if let Some(origin) = app.courier.take(delivery) {
        app.courier.spawn(work(app.clone(), origin));
    }
}

/// Makes the calls to one host over one connection, until it is aborted.
async fn work(app: Arc<App>, origin: Arc<Origin>) {
    let mut link: Option<Link> = None;
    while let Some(delivery) = origin.next().await {
        let call = call(&mut link, &origin.address, &delivery);
        let answer = timeout(CALL_TIMEOUT, call).await.unwrap_or(None);
        if answer.is_none() {
            link = None;
        }
        settle(&app, delivery, answer);
    }
}

/// One call; `None` when there was no answer. A kept connection may have died while it was idle,
/// so a failure on one is tried again on a new one.
async fn call(link: &mut Option<Link>, address: &str, delivery: &Delivery) -> Option<StatusCode> {
    if let Some(kept) = link {
        if let Some(status) = kept.exchange(delivery).await {
            return Some(status);
        }
        *link = None;
    }

    let mut fresh = Link::open(address).await?;
    let status = fresh.exchange(delivery).await?;
    *link = Some(fresh);
    Some(status)
}

/// Counts the answer, and plans a retry where there is one to make.
fn settle(app: &Arc<App>, mut delivery: Box<Delivery>, answer: Option<StatusCode>) {
    let counters = &app.courier.counters;
    drop(delivery.ended.take());

    let worth_a_retry = answer.is_none_or(|status| status.is_server_error());
    if answer.is_some_and(|status| status.is_success()) {
        count(&counters.sent);
    } else if worth_a_retry && delivery.retries < app.faults().callbacks.retries {
        if app.state().ledger.generation() == delivery.generation {
            delivery.retries += 1;
            count(&counters.retried);
            app.later(app.faults().callbacks.wait(delivery.retries), Job::Post(delivery));
        }
    } else {
        count(&counters.failed);
    }
    app.courier.done();
}
