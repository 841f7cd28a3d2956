//! Conversations: the inbox that people and an assistant share.

mod acts;
mod assign;
mod body;
mod canned;
mod change;
mod list;
mod notes;
mod reply;
mod timeline;
mod unknown;
mod view;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(acts::router())
        .merge(assign::router())
        .merge(canned::router())
        .merge(list::router())
        .merge(notes::router())
        .merge(reply::router())
        .merge(timeline::router())
        .merge(unknown::router())
}
