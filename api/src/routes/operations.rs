//! What people look at to see how it goes: the trail, doubts, receipts, totals, themselves.

mod analytics;
mod audit;
mod in_doubt;
mod me;
mod unmatched_receipts;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(analytics::router())
        .merge(audit::router())
        .merge(in_doubt::router())
        .merge(me::router())
        .merge(unmatched_receipts::router())
}
