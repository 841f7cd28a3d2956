//! `GET /openapi.json` and `GET /docs`: the document, and the page that shows it and tries it out
//! with the caller's key. The page is built in and asks no other host.

use std::sync::{Arc, OnceLock};

use axum::{
    Extension, Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{asyncapi_json, openapi_json};
use crate::app::App;

/// The documents of one ingress, written when somebody asks first. Clones share them.
#[derive(Clone)]
pub(crate) struct Documents(Arc<Written>);

struct Written {
    described: OpenApi,
    openapi: OnceLock<String>,
    asyncapi: OnceLock<String>,
}

impl Documents {
    /// Those of what handlers say.
    pub(crate) fn of(described: OpenApi) -> Self {
        let (openapi, asyncapi) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Written { described, openapi, asyncapi }))
    }

    fn openapi(&self) -> String {
        let write = || openapi_json(self.0.described.clone());
        self.0.openapi.get_or_init(write).clone()
    }

    fn asyncapi(&self) -> String {
        self.0.asyncapi.get_or_init(asyncapi_json).clone()
    }
}

/// The documents' routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(openapi)).routes(routes!(asyncapi))
}

/// The page. It remembers the key that was entered, in the browser alone, and asks no validator
/// elsewhere for a badge.
pub(crate) fn page() -> Router<App> {
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .persist_authorization(true)
        .display_request_duration(true)
        .deep_linking(true);
    SwaggerUi::new("/docs").config(config).into()
}

/// `GET /openapi.json`, for everybody: this document. `/docs` shows it and tries it out.
#[utoipa::path(
    get, path = "/openapi.json", tag = "documents", operation_id = "get_openapi",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value)),
)]
async fn openapi(Extension(documents): Extension<Documents>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], documents.openapi())
}

/// `GET /asyncapi.json`, for everybody: the subjects that subscribers read, and what is said there.
#[utoipa::path(
    get, path = "/asyncapi.json", tag = "documents", operation_id = "get_asyncapi",
    responses((status = 200, description = "AsyncAPI 3.0.", body = serde_json::Value)),
)]
async fn asyncapi(Extension(documents): Extension<Documents>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], documents.asyncapi())
}
