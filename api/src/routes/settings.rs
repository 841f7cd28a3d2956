//! What a tenant sets up: accounts, their templates and numbers, brands, inboxes, senders, pools,
//! templates, budgets, switches, policies, prices, keys, event consumers.

mod accounts;
mod api_keys;
mod brands;
mod budgets;
mod carrier_templates;
mod changed;
mod event_consumers;
mod inboxes;
mod kill_switch;
mod numbers;
mod own_account;
mod policies;
mod pools;
mod saved_templates;
mod sender;
mod senders;
mod templates;
mod tenant;
mod whatsapp_rates;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// The routes of this group.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(accounts::router())
        .merge(api_keys::router())
        .merge(brands::router())
        .merge(budgets::router())
        .merge(carrier_templates::router())
        .merge(event_consumers::router())
        .merge(inboxes::router())
        .merge(kill_switch::router())
        .merge(numbers::router())
        .merge(policies::router())
        .merge(pools::router())
        .merge(saved_templates::router())
        .merge(sender::router())
        .merge(senders::router())
        .merge(templates::router())
        .merge(tenant::router())
        .merge(whatsapp_rates::router())
}
