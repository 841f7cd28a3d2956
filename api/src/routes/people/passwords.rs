//! A new password in place of one that was forgotten, or the first one: by a code to an address.

use axum::{Json, extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use store::{
    audit::{self, AuditEntry},
    people::{self, codes::Purpose, members, sessions},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    codes::first_proof,
    sent::{CodeFor, CodeSent, ask},
};
use crate::{
    app::App,
    auth::passwords,
    codes::{self, SignInAddress, wrong_code},
    document::{
        answers::{OfBody, OfStrangers},
        examples,
    },
    http::{Errors, Problem, peer::StrangersBody},
    letters,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask_reset)).routes(routes!(reset))
}

/// `POST /v1/auth/password-reset`, for everybody: sends a code with which
/// `POST /v1/auth/password-reset/verify` sets a password. Answers as `POST /v1/auth/otp`.
#[utoipa::path(
    post, path = "/v1/auth/password-reset", tag = "people", operation_id = "send_reset_code",
    request_body(content = CodeFor, example = json!({ "to": examples::EMAIL })),
    responses(
        (status = 202, description = "Sent, where somebody has the address.", body = CodeSent),
        OfStrangers, OfBody,
    ),
)]
async fn ask_reset(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<CodeFor>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let address = SignInAddress::read("to", &body.to)?;
    ask(&app, &address, peer, Purpose::Reset, letters::reset).await
}

/// A new password, with the code that lets it be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordReset {
    /// The address that the code was sent to.
    #[schema(max_length = 254)]
    to: String,
    /// The six digits; blanks do not count.
    #[schema(value_type = String, max_length = 20)]
    code: SecretString,
    /// 12 to 200 characters that are not easily guessed.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 200)]
    password: SecretString,
}

/// `POST /v1/auth/password-reset/verify`, for everybody: sets a password by a code, and ends all
/// sessions of its person. Answers 204, or 401 where the code is wrong or good no more.
#[utoipa::path(
    post, path = "/v1/auth/password-reset/verify", tag = "people", operation_id = "reset_password",
    request_body(content = PasswordReset, example = json!({
        "to": examples::EMAIL, "code": examples::CODE, "password": "a wheel in the water",
    })),
    responses((status = 204, description = "The password holds."), OfStrangers, OfBody),
)]
async fn reset(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<PasswordReset>,
) -> Result<StatusCode, Problem> {
    // check: a password that cannot be one uses no code up, and takes as long for a wrong code
    let address = SignInAddress::read("to", &body.to)?;
    let mut errors = Errors::default();
    passwords::check("password", &body.password, address.as_str(), &mut errors);
    errors.done()?;
    app.auth.attempts.count(address.as_str(), peer)?;
    let hash = passwords::hash(&body.password).await?;
    codes::verify(&app, &address, &[Purpose::Reset], &body.code).await?;

    // load
    let mut tx = app.transactions.of_strangers().await?;
    let known = people::by_address(&mut tx, address.as_str()).await?.ok_or_else(wrong_code)?;
    let mut person = known.person;
    let companies = members::companies(&mut tx, person.id).await?;
    drop(tx);

    // record: in the trail of every company of theirs
    let tenants: Vec<_> = companies.into_iter().map(|company| company.tenant).collect();
    let mut tx = app.transactions.of_companies(&tenants).await?;
    people::lock(&mut tx, person.id, None).await?;
    first_proof(&app, &mut tx, &address, &mut person).await?;
    people::set_password(&mut tx, person.id, &hash).await?;
    sessions::end_others(&mut tx, person.id, Uuid::nil(), stage::machine::now()).await?;
    let (at, subject) = (app.now(), format!("user:{}", person.id));
    let entry = |tenant| AuditEntry {
        tenant,
        at,
        actor: subject.clone(),
        action: "user.password_reset".into(),
        subject: subject.clone(),
        detail: json!({}),
    };
    let entries: Vec<_> = tenants.into_iter().map(entry).collect();
    audit::append(&mut tx, &entries).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
