//! Waiting in a `select!` for something that may not be there: then the branch never fires.

use futures::future::{BoxFuture, pending};
use tokio::time::{Instant, sleep_until};

/// Ends at the instant; never, if there is none.
pub(super) async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

/// Ends with the work; never, if there is none.
pub(super) async fn running(work: &mut Option<BoxFuture<'static, ()>>) {
    match work {
        Some(work) => work.await,
        None => pending().await,
    }
}
