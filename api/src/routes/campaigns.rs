//! Campaigns: made and run, their ledger, their recipients, and their simulation.

mod ledger;
mod lifecycle;
pub(crate) mod manage;
mod recipients;
pub(crate) mod simulate;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(ledger::router())
        .merge(manage::router())
        .merge(recipients::router())
        .merge(simulate::router())
}
