//! People: how they come to a company, sign in, and leave.

mod acceptance;
mod addresses;
mod codes;
mod invitations;
mod me;
mod page;
mod passwords;
mod sent;
mod sign_in;
mod sign_up;
mod signed_in;
mod users;

use axum::Router;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// What somebody asks who has signed in, or who looks after those who do.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(me::router())
        .merge(signed_in::router())
        .merge(users::router())
        .merge(invitations::router())
        .merge(addresses::router())
}

/// What somebody asks who has not signed in.
pub(super) fn strangers() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(acceptance::router())
        .merge(sign_in::router())
        .merge(sign_up::router())
        .merge(codes::router())
        .merge(passwords::router())
}

/// The page that a link leads to.
pub(super) fn page() -> Router<App> {
    page::router()
}
