//! Campaigns: made, changed and run, their ledger, their recipients, and their simulation.

mod acts;
mod audience;
mod edit;
pub(crate) mod events;
mod forecast;
mod ledger;
mod lifecycle;
mod manage;
mod recipients;
mod simulate;
mod view;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(acts::router())
        .merge(edit::router())
        .merge(ledger::router())
        .merge(manage::router())
        .merge(recipients::router())
        .merge(simulate::router())
}
