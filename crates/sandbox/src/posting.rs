//! Calls back to whoever asked for it: over a bounded number of kept connections per host, each
//! call retried when the fault settings say so.

mod link;

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tokio::time::timeout;

use crate::{
    app::App, courier::Origin, delivery::Delivery, faults::Callbacks, job::Job, retries::Failure,
    stats::count,
};
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
        let answer = timeout(CALL_TIMEOUT, call).await.unwrap_or(Err(Failure::Silent));
        if answer.is_err() {
            link = None;
        }
        settle(&app, delivery, answer);
    }
}

/// One call. A kept connection may have died while it was idle, so a failure on one is tried again
/// on a new one.
async fn call(
    link: &mut Option<Link>,
    address: &str,
    delivery: &Delivery,
) -> Result<StatusCode, Failure> {
    if let Some(kept) = link {
        if let Some(status) = kept.exchange(delivery).await {
            return Ok(status);
        }
        *link = None;
    }

    let mut fresh = Link::open(address).await.ok_or(Failure::NotConnected)?;
    let status = fresh.exchange(delivery).await.ok_or(Failure::Silent)?;
    *link = Some(fresh);
    Ok(status)
}

/// Counts the answer, and plans a retry where there is one to make.
fn settle(app: &Arc<App>, mut delivery: Box<Delivery>, answer: Result<StatusCode, Failure>) {
    let counters = &app.courier.counters;
    let faults = app.faults();
    drop(delivery.ended.take());

    let failure = match answer {
        Ok(status) if status.is_success() => None,
        Ok(status) => Some(Failure::Status(status)),
        Err(failure) => Some(failure),
    };
    match failure {
        None => count(&counters.sent),
        Some(failure) if is_tried_again(&faults.callbacks, &delivery, failure) => {
            if app.state().ledger.generation() == delivery.generation {
                delivery.retries += 1;
                count(&counters.retried);
                app.later(faults.callbacks.wait(delivery.retries), Job::Post(delivery));
            }
        }
        Some(_) => count(&counters.failed),
    }
    app.courier.done();
}

/// Whether a call that has failed is made again: as its address says, where the settings let it,
/// else after anything but a refusal.
fn is_tried_again(callbacks: &Callbacks, delivery: &Delivery, failure: Failure) -> bool {
    if let Some(said) = delivery.overrides.filter(|_| callbacks.overrides) {
        return said.allow(delivery.retries, failure);
    }
    let is_refused = matches!(failure, Failure::Status(status) if !status.is_server_error());
    !is_refused && delivery.retries < callbacks.retries
}
