//! `/v1/me/addresses`: somebody who has signed in shows that an address of mail or a number is
//! theirs: the one that they have, or another in its place.

use axum::{Extension, Json, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use store::people::{self, PlatformUser, addresses, codes::Purpose};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::sent::{CodeFor, CodeSent, sent};
use crate::{
    app::App,
    audit,
    auth::{Allowed, Needs, Read, SignedIn},
    codes::{self, Asked, SignInAddress, wrong_code},
    document::{
        answers::{Always, Conflict, OfBody},
        examples,
    },
    http::{Body, Kind, Problem, peer::Peer, view::PersonView},
    letters,
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask_proof)).routes(routes!(prove))
}

/// `POST /v1/me/addresses`, for every role: sends a code to an address of mail or a number, with
/// which `POST /v1/me/addresses/verify` shows that it is the person's. Answers 202, 429 where too
/// many were asked for, 503 where the platform sends no mail or no texts.
#[utoipa::path(
    post, path = "/v1/me/addresses", tag = "people", operation_id = "send_address_code",
    security(("bearer" = [Read::NAME])),
    request_body(content = CodeFor, example = json!({ "to": examples::EMAIL })),
    responses((status = 202, description = "The code is sent.", body = CodeSent), Always, OfBody),
)]
async fn ask_proof(
    State(app): State<App>,
    caller: Allowed<Read>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(body): Body<CodeFor>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let SignedIn { person, .. } = caller.person()?;
    let address = SignInAddress::read("to", &body.to)?;
    codes::can_reach(&app, &address)?;
    let mut tx = codes::begin(&app, &address, peer).await?;

    let (purpose, person) = (Purpose::Prove, Some(person));
    let asked = Asked { purpose, is_said: true, person, sign_up: None };
    codes::send(&app, &mut tx, &address, &asked, letters::prove).await?;
    tx.commit().await?;
    Ok(sent())
}

/// The code of an address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddressProof {
    /// The address that it was sent to.
    #[schema(max_length = 254)]
    to: String,
    /// The six digits; blanks do not count.
    #[schema(value_type = String, max_length = 20)]
    code: SecretString,
}

/// `POST /v1/me/addresses/verify`, for every role: the address is the person's from now on, in
/// place of the one that they had; who is replaced is told. Answers 200 with the person, 401 where
/// the code is wrong or good no more, 409 where somebody else signs in with the address.
#[utoipa::path(
    post, path = "/v1/me/addresses/verify", tag = "people", operation_id = "prove_address",
    security(("bearer" = [Read::NAME])),
    request_body(content = AddressProof, example = json!({
        "to": examples::EMAIL, "code": examples::CODE,
    })),
    responses(
        (status = 200, description = "The person as they are now.", body = PersonView),
        Always, OfBody, Conflict,
    ),
)]
async fn prove(
    State(app): State<App>,
    caller: Allowed<Read>,
    Extension(Peer(peer)): Extension<Peer>,
    Body(body): Body<AddressProof>,
) -> Result<Json<PersonView>, Problem> {
    // check
    let SignedIn { person, .. } = caller.person()?;
    let address = SignInAddress::read("to", &body.to)?;
    app.auth.attempts.count(address.as_str(), peer)?;
    let (_, code) = codes::verify(&app, &address, &[Purpose::Prove], &body.code).await?;
    if code.person != Some(person) {
        return Err(wrong_code());
    }

    // load
    let mut tx = app.transactions.begin(&caller.tenant).await?;
    people::lock(&mut tx, person, None).await?;
    let before = people::get(&mut tx, person).await?.ok_or_else(wrong_code)?.person;

    // record
    let machine = stage::machine::now();
    let (is_theirs, kind) = match &address {
        SignInAddress::Mail(email) => {
            (addresses::set_email(&mut tx, person, email, machine).await?, "email")
        }
        SignInAddress::Phone(number) => {
            (addresses::set_phone(&mut tx, person, number.as_str(), machine).await?, "phone")
        }
    };
    if !is_theirs {
        let detail = "somebody else signs in with this address: sign in with it, or name another";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    tell_replaced(&app, &mut tx, &before, &address).await?;
    let (subject, detail) = (format!("user:{person}"), json!({ "kind": kind }));
    audit::note(&mut tx, &caller, app.now(), "user.address_proven", subject, detail).await?;
    let now = people::get(&mut tx, person).await?.ok_or_else(wrong_code)?.person;
    tx.commit().await?;
    Ok(Json(PersonView::of(now)))
}

/// Tells an address of mail or a number that another has taken its place: it may have been a thief.
/// Nobody is told at an address that was never proven, or where the platform does not reach.
async fn tell_replaced(
    app: &App,
    tx: &mut TenantTx,
    before: &PlatformUser,
    address: &SignInAddress,
) -> Result<(), Problem> {
    let ways = &app.settings.sign_in;
    let (had, is_told) = match address {
        SignInAddress::Mail(_) => (&before.email, before.email_verified && ways.mail),
        SignInAddress::Phone(_) => (&before.phone, ways.texts),
    };
    match had.as_deref().filter(|had| is_told && *had != address.as_str()) {
        Some(to) => codes::say(app, tx, address.channel(), to, letters::replaced()).await,
        None => Ok(()),
    }
}
