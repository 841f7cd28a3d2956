//! The routes: a folder per group of resources, a file per resource.

pub(crate) mod campaigns;
mod consent;
mod contacts;
mod messages;
mod operations;
mod settings;

use axum::{Router, middleware};

use crate::{
    app::App,
    auth::authenticate,
    http::{Kind, Problem, outer::outer, parameters::refuse_unknown},
    webhooks,
};

/// Everything that the ingress answers.
pub(crate) fn router(app: App) -> Router {
    let resources = Router::new()
        .merge(campaigns::router())
        .merge(consent::router())
        .merge(contacts::router())
        .merge(messages::router())
        .merge(operations::router())
        .merge(settings::router())
        .route_layer(middleware::from_fn(refuse_unknown))
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
