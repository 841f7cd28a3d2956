//! The routes: a folder per group of resources, a file per resource. Each handler carries its
//! permission in its signature and its part of the document beside it.

mod assistant;
pub(crate) mod campaigns;
mod consent;
mod contacts;
mod conversations;
mod media;
mod messages;
mod operations;
mod people;
mod settings;

use axum::{Extension, Router, middleware};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    app::App,
    auth::authenticate,
    console,
    document::{self, Documents},
    http::{
        Kind, Problem,
        cors::cors,
        outer::outer,
        parameters::{KnownParameters, refuse_unknown},
    },
    webhooks,
};

/// What takes the credentials of a caller.
fn resources() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(assistant::router())
        .merge(campaigns::router())
        .merge(consent::router())
        .merge(contacts::router())
        .merge(conversations::router())
        .merge(media::router())
        .merge(messages::router())
        .merge(operations::router())
        .merge(people::router())
        .merge(settings::router())
}

/// What takes none: carriers sign, and the document is everybody's.
fn others() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(webhooks::router()).merge(document::router())
}

/// What the handlers say of themselves.
pub(crate) fn described() -> OpenApi {
    resources().merge(people::strangers()).merge(others()).into_openapi()
}

/// Everything that the ingress answers.
pub(crate) fn router(app: App) -> Router {
    // what each group answers, and what all say of themselves
    let (resources, mut described) = resources().split_for_parts();
    let (strangers, of_strangers) = people::strangers().split_for_parts();
    let (others, of_others) = others().split_for_parts();
    described.merge(of_strangers);
    described.merge(of_others);

    // what is looked at before a handler
    let known = KnownParameters::of(&described);
    let refuse_unknown = middleware::from_fn_with_state(known, refuse_unknown);
    let resources = resources
        .route_layer(refuse_unknown.clone())
        .route_layer(middleware::from_fn_with_state(app.clone(), authenticate));

    let documents = Documents::of(described);
    let answered = Router::new()
        .merge(resources)
        .merge(strangers.route_layer(refuse_unknown))
        .merge(others.layer(Extension(documents)))
        .merge(document::page())
        .merge(people::page())
        .merge(media::links())
        .merge(console::router())
        .fallback(async || Problem::new(Kind::NotFound, "there is no such path"))
        .method_not_allowed_fallback(async || {
            Problem::new(Kind::MethodNotAllowed, "this path exists, with another method")
        })
        .with_state(app.clone());
    let answered = match cors(&app.settings.cors_origins) {
        Some(cors) => answered.layer(cors),
        None => answered,
    };
    answered.layer(middleware::from_fn_with_state(app, outer))
}
