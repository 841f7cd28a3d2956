//! The routes: one file per resource.

mod accounts;
mod analytics;
mod audit;
mod batch;
mod budgets;
pub(crate) mod campaigns;
mod cancel;
mod consent;
mod contacts;
mod contacts_bulk;
mod do_not_contact;
mod explain;
mod imports;
mod in_doubt;
mod kill_switch;
mod ledger;
mod lifecycle;
mod me;
mod message_view;
mod messages;
mod policies;
mod pools;
mod recipients;
mod scope;
mod senders;
mod simulate;
mod suppressions;
mod templates;
mod unmatched_receipts;
mod variants;

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    auth::authenticate,
    http::{Kind, Problem, outer::outer},
    webhooks,
};

/// Everything that the ingress answers.
pub(crate) fn router(app: App) -> Router {
    let resources = Router::new()
        .merge(accounts::router())
        .merge(analytics::router())
        .merge(audit::router())
        .merge(batch::router())
        .merge(budgets::router())
        .merge(campaigns::router())
        .merge(cancel::router())
        .merge(consent::router())
        .merge(contacts::router())
        .merge(contacts_bulk::router())
        .merge(do_not_contact::router())
        .merge(explain::router())
        .merge(imports::router())
        .merge(in_doubt::router())
        .merge(kill_switch::router())
        .merge(ledger::router())
        .merge(me::router())
        .merge(messages::router())
        .merge(policies::router())
        .merge(pools::router())
        .merge(recipients::router())
        .merge(senders::router())
        .merge(simulate::router())
        .merge(suppressions::router())
        .merge(templates::router())
        .merge(unmatched_receipts::router())
        .route_layer(middleware::from_fn_with_state(app.clone(), authenticate));
    Router::new()
        .merge(resources)
        .merge(webhooks::router())
        .fallback(async || Problem::new(Kind::NotFound, "there is no such path"))
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::MethodNotAllowed, "this path exists, with another method")
        })
        .layer(middleware::from_fn(outer))
        .with_state(app)
}

/// 201 with the address of what was created.
pub(crate) fn located(mut response: Response, path: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response.into_response()
}
