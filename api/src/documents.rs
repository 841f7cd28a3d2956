//! The documents of what outsiders call and read, as they are committed: `api/openapi.json`,
//! `api/asyncapi.json`, `api/postman.json`.

use crate::{document, routes};

/// The REST API: OpenAPI 3.1.
pub fn openapi_json() -> String {
    document::openapi_json(routes::described())
}

/// The subjects on NATS: AsyncAPI 3.0.
pub fn asyncapi_json() -> String {
    document::asyncapi_json()
}

/// The REST API as a collection of Postman.
pub fn postman_json() -> String {
    document::postman_json(routes::described())
}
