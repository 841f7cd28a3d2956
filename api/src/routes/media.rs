//! Media: what came with texts and what is given to be sent, as a resource; and the links under
//! which their bytes are read.

mod library;
mod link;

use axum::{Router, routing::get};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    library::router()
}

/// The bytes, for whoever has a link: browsers, and carriers that fetch what they send.
pub(super) fn links() -> Router<App> {
    Router::new().route("/media/{token}", get(link::read))
}
