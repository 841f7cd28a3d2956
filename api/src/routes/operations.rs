//! What people look at to see how it goes: the trail, doubts, receipts, totals, themselves.

mod analytics;
mod audit;
mod in_doubt;
mod live;
mod me;
mod unmatched_receipts;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(analytics::router())
        .merge(audit::router())
        .merge(in_doubt::router())
        .merge(live::router())
        .merge(me::router())
        .merge(unmatched_receipts::router())
}
