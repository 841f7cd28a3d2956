//! Contacts: one at a time, in bulk, and from a file, with what was between them and the company.

mod addresses;
mod bulk;
mod change;
mod imports;
mod manage;
mod merges;
mod timeline;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(addresses::router())
        .merge(bulk::router())
        .merge(change::router())
        .merge(imports::router())
        .merge(manage::router())
        .merge(merges::router())
        .merge(timeline::router())
}
