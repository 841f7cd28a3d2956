//! What a tenant sets up: accounts, senders, pools, templates, budgets, switches, policies.

mod accounts;
mod budgets;
mod kill_switch;
mod policies;
mod pools;
mod senders;
mod templates;

use axum::Router;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> Router<App> {
    Router::new()
        .merge(accounts::router())
        .merge(budgets::router())
        .merge(kill_switch::router())
        .merge(policies::router())
        .merge(pools::router())
        .merge(senders::router())
        .merge(templates::router())
}
