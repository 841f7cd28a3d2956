//! Messages: one or many in, shown, withdrawn, and explained before they are sent.

mod batch;
mod cancel;
mod explain;
mod patience;
mod submit;
mod view;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(batch::router())
        .merge(cancel::router())
        .merge(explain::router())
        .merge(submit::router())
}
