//! Contacts: one at a time, in bulk, and from a file.

mod bulk;
mod imports;
mod manage;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new().merge(bulk::router()).merge(imports::router()).merge(manage::router())
}
