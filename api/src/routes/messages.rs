//! Messages: one or many in, shown, listed, withdrawn, and explained before they are sent.

mod batch;
mod cancel;
mod conflicts;
mod explain;
mod export;
mod filter;
mod list;
mod pages;
mod patience;
mod submit;
mod view;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(batch::router())
        .merge(cancel::router())
        .merge(conflicts::router())
        .merge(explain::router())
        .merge(list::router())
        .merge(submit::router())
}
