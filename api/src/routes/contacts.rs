//! Contacts: one at a time, in bulk, and from a file.

mod bulk;
mod change;
mod imports;
mod manage;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(bulk::router())
        .merge(change::router())
        .merge(imports::router())
        .merge(manage::router())
}
