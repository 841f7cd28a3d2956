//! Campaigns: made, changed and run, their ledger, their recipients, and their simulation.

mod acts;
mod edit;
pub(crate) mod events;
mod ledger;
mod lifecycle;
mod manage;
mod recipients;
mod simulate;
mod view;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(acts::router())
        .merge(edit::router())
        .merge(ledger::router())
        .merge(manage::router())
        .merge(recipients::router())
        .merge(simulate::router())
}
