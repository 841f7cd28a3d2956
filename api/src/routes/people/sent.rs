//! What is asked and answered wherever a code is sent, and how whoever has an address gets one.

use std::net::IpAddr;

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use store::people::{
    self,
    codes::{GOOD_FOR, Purpose},
};
use utoipa::ToSchema;

use crate::{
    app::App,
    codes::{self, Asked, Letter, SignInAddress},
    document::examples,
    http::Problem,
};

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

/// Sends a code or a link to whoever has the address. For an address that nobody has the same is
/// done, and said to nobody.
///
/// # Errors
/// The address is out of reach, or too many were asked for.
pub(super) async fn ask(
    app: &App,
    address: &SignInAddress,
    peer: Option<IpAddr>,
    purpose: Purpose,
    letter: impl FnOnce(&str) -> Letter,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    codes::can_reach(app, address)?;
    let mut tx = codes::begin(app, address, peer).await?;
    let known = people::by_address(&mut tx, address.as_str()).await?;

    let asked = Asked { purpose, is_said: known.is_some(), person: None, sign_up: None };
    codes::send(app, &mut tx, address, &asked, letter).await?;
    tx.commit().await?;
    Ok(sent())
}
