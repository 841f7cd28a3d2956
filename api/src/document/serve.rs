//! `GET /openapi.json` and `GET /docs`: the document, and the page that shows it and tries it out
//! with the caller's key. The page is built in and asks no other host.

use std::sync::LazyLock;

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{asyncapi_json, openapi_json};
use crate::app::App;

static OPENAPI: LazyLock<String> = LazyLock::new(openapi_json);
static ASYNCAPI: LazyLock<String> = LazyLock::new(asyncapi_json);

/// The documents' routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(openapi)).routes(routes!(asyncapi))
}

/// The page. It remembers the key that was entered, in the browser alone.
pub(crate) fn page() -> Router<App> {
    let config = Config::from("/openapi.json")
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
async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], OPENAPI.as_str())
}

/// `GET /asyncapi.json`, for everybody: the subjects that subscribers read, and what is said there.
#[utoipa::path(
    get, path = "/asyncapi.json", tag = "documents", operation_id = "get_asyncapi",
    responses((status = 200, description = "AsyncAPI 3.0.", body = serde_json::Value)),
)]
async fn asyncapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], ASYNCAPI.as_str())
}
