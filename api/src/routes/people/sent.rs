//! What is asked and answered wherever a code is sent.

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use store::people::codes::GOOD_FOR;
use utoipa::ToSchema;

use crate::document::examples;

/// What is said to whoever asks for a code or a link, whether anybody has the address or not.
#[derive(Serialize, ToSchema)]
pub(super) struct CodeSent {
    /// How long it is good, in seconds, where it was sent.
    #[schema(example = 600)]
    expires_in: i64,
}

/// The answer to whoever asks for a code or a link.
pub(super) fn sent() -> (StatusCode, Json<CodeSent>) {
    (StatusCode::ACCEPTED, Json(CodeSent { expires_in: GOOD_FOR.as_secs() }))
}

/// Somebody who asks for a code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeFor {
    /// An address of mail, or a number with its country (`+1...`).
    #[schema(max_length = 254, example = json!(examples::EMAIL))]
    pub(super) to: String,
}
