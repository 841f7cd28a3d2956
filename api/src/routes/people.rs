//! People: how they come to a company, sign in, and leave.

mod invitations;
mod me;
mod sign_in;
mod signed_in;
mod users;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// What somebody asks who has signed in, or who looks after those who do.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(me::router())
        .merge(signed_in::router())
        .merge(users::router())
        .merge(invitations::router())
}

/// What somebody asks who has not signed in.
pub(super) fn strangers() -> OpenApiRouter<App> {
    sign_in::router()
}
