//! Signing in by a code or a link: to an address of mail, or to a number. Whether anybody has the
//! address changes neither the answers nor what is done for them.

use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::ids::TenantId;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use store::people::{
    self, PlatformUser, addresses,
    codes::{self as kept_codes, Purpose},
    members,
    notices::NoticeChannel,
    sessions,
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    sent::{CodeFor, CodeSent, ask},
    sign_up,
    signed_in::{Granted, Tokens, TokensIn, begin, one_of},
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Reach, passwords},
    codes::{self, SignInAddress, wrong_code},
    document::{
        answers::{OfBody, OfStrangers},
        examples,
    },
    fields,
    http::{Errors, Problem, peer::StrangersBody},
    letters,
    transactions::TenantTx,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask_code))
        .routes(routes!(verify_code))
        .routes(routes!(ask_link))
        .routes(routes!(verify_link))
}

/// `POST /v1/auth/otp`, for everybody: sends a code of six digits, which signs in within ten
/// minutes. A newer one takes its place, and five wrong ones end it. Answers 202, the same whether
/// anybody has the address or not; 429 where too many were asked for; 503 where the platform sends
/// no mail or no texts.
#[utoipa::path(
    post, path = "/v1/auth/otp", tag = "people", operation_id = "send_sign_in_code",
    request_body(content = CodeFor, example = json!({ "to": examples::EMAIL })),
    responses(
        (status = 202, description = "Sent, where somebody has the address.", body = CodeSent),
        OfStrangers, OfBody,
    ),
)]
async fn ask_code(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<CodeFor>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let address = SignInAddress::read("to", &body.to)?;
    ask(&app, &address, peer, Purpose::SignIn, letters::sign_in).await
}

/// A code that came back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignInCode {
    /// The address that it was sent to.
    #[schema(max_length = 254)]
    to: String,
    /// The six digits; blanks do not count.
    #[schema(value_type = String, max_length = 20)]
    code: SecretString,
    /// With the code of a sign-up: the password of the new owner, of 12 to 200 characters and not
    /// easily guessed; left out, they sign in by codes and links. Any other code ignores it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 200)]
    password: Option<SecretString>,
    /// The company to work for. Left out, it is the first that they came to.
    #[serde(default)]
    tenant: Option<TenantId>,
    /// Whether the tokens are to be in cookies, for a browser.
    #[serde(default)]
    cookies: bool,
}

/// `POST /v1/auth/otp/verify`, for everybody: signs in with a code of `POST /v1/auth/otp`, or
/// founds the company of `POST /v1/auth/signup`. Whoever shows for the first time that an address
/// of mail is theirs ends its sessions, its password and its number so far, which may have been
/// somebody else's. Answers 200 with tokens, 401 where the code is wrong or good no more, 403 where
/// the person does not work for the company.
#[utoipa::path(
    post, path = "/v1/auth/otp/verify", tag = "people", operation_id = "sign_in_by_code",
    request_body(content = SignInCode, example = json!({
        "to": examples::EMAIL, "code": examples::CODE,
    })),
    responses((status = 200, description = "The tokens.", body = Tokens), OfStrangers, OfBody),
)]
async fn verify_code(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<SignInCode>,
) -> Result<Response, Problem> {
    // check: a password that cannot be one uses no code up
    let address = SignInAddress::read("to", &body.to)?;
    let mut errors = Errors::default();
    if let Some(password) = &body.password {
        passwords::check("password", password, address.as_str(), &mut errors);
    }
    errors.done()?;
    app.auth.attempts.count(address.as_str(), peer)?;
    let password_hash = match &body.password {
        Some(password) => Some(passwords::hash(password).await?),
        None => None,
    };
    let purposes = [Purpose::SignIn, Purpose::SignUp];
    let (_, code) = codes::verify(&app, &address, &purposes, &body.code).await?;

    // record
    let by = TokensIn::of(body.cookies);
    match code.sign_up {
        Some(new) => {
            let hash = password_hash.as_deref();
            sign_up::found(&app, &address, new, hash).await?.answer(&app, by)
        }
        None => enter(&app, &address, body.tenant.as_ref()).await?.answer(&app, by),
    }
}

/// Somebody who asks for a link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkFor {
    /// The address of mail, in any case.
    #[schema(max_length = 254)]
    email: String,
}

/// `POST /v1/auth/magic-link`, for everybody: mails a link that signs in, once and within ten
/// minutes. It leads to a page of this server, whose button signs in: a program that looks at mail
/// uses nothing up. Answers as `POST /v1/auth/otp`.
#[utoipa::path(
    post, path = "/v1/auth/magic-link", tag = "people", operation_id = "send_magic_link",
    request_body(content = LinkFor, example = json!({ "email": examples::EMAIL })),
    responses(
        (status = 202, description = "Sent, where somebody has the address.", body = CodeSent),
        OfStrangers, OfBody,
    ),
)]
async fn ask_link(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<LinkFor>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let mut errors = Errors::default();
    let address = SignInAddress::Mail(fields::email("email", &body.email, &mut errors));
    errors.done()?;
    let letter = |token: &str| letters::link(&app.settings.public_url, token);
    ask(&app, &address, peer, Purpose::Link, letter).await
}

/// A link that came back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LinkToken {
    /// What follows `#` in the link, `mr_link_...`.
    #[schema(value_type = String, max_length = 200)]
    token: SecretString,
    /// The company to work for. Left out, it is the first that they came to.
    #[serde(default)]
    tenant: Option<TenantId>,
    /// Whether the tokens are to be in cookies, for a browser.
    #[serde(default)]
    cookies: bool,
}

/// `POST /v1/auth/magic-link/verify`, for everybody: signs in with the token of a link, as
/// `POST /v1/auth/otp/verify` does with a code.
#[utoipa::path(
    post, path = "/v1/auth/magic-link/verify", tag = "people", operation_id = "sign_in_by_link",
    request_body(content = LinkToken, example = json!({ "token": examples::LINK_TOKEN })),
    responses((status = 200, description = "The tokens.", body = Tokens), OfStrangers, OfBody),
)]
async fn verify_link(
    State(app): State<App>,
    StrangersBody { body, share: _share, .. }: StrangersBody<LinkToken>,
) -> Result<Response, Problem> {
    // record: a token is used up whatever becomes of the request
    let mut tx = app.transactions.of_strangers().await?;
    let token = body.token.expose_secret();
    let email = kept_codes::use_link(&mut tx, token, stage::machine::now()).await?;
    tx.commit().await?;

    let address = SignInAddress::Mail(email.ok_or_else(wrong_code)?);
    let granted = enter(&app, &address, body.tenant.as_ref()).await?;
    granted.answer(&app, TokensIn::of(body.cookies))
}

/// Begins a session of whoever has shown that an address is theirs.
async fn enter(
    app: &App,
    address: &SignInAddress,
    wanted: Option<&TenantId>,
) -> Result<Granted, Problem> {
    // load
    let mut tx = app.transactions.of_strangers().await?;
    let known = people::by_address(&mut tx, address.as_str()).await?.ok_or_else(wrong_code)?;
    let companies = members::companies(&mut tx, known.person.id).await?;
    drop(tx);
    let company = one_of(companies, wanted)?;

    // record
    let reach = Reach::all_of(company.tenant.clone());
    let mut tx = app.transactions.begin(&reach).await?;
    let mut person = known.person;
    let is_first = first_proof(app, &mut tx, address, &mut person).await?;
    let granted = begin(app, &mut tx, person, None, company).await?;
    if is_first {
        let caller = Caller::of_session(reach, granted.company.role, granted.signed_in);
        let subject = caller.subject.clone();
        let (action, detail) = ("user.address_proven", json!({ "kind": "email" }));
        audit::note(&mut tx, &caller, app.now(), action, subject, detail).await?;
    }
    tx.commit().await?;
    Ok(granted)
}

/// Notes that an address of mail is its person's. What somebody may have set up who had not shown
/// that ends with it: sessions, the password and the number, which is told so.
pub(super) async fn first_proof(
    app: &App,
    tx: &mut TenantTx,
    address: &SignInAddress,
    person: &mut PlatformUser,
) -> Result<bool, Problem> {
    let SignInAddress::Mail(_) = address else { return Ok(false) };
    let machine = stage::machine::now();
    if !addresses::prove_email(tx, person.id, machine).await? {
        return Ok(false);
    }
    addresses::forget_other_ways(tx, person.id).await?;
    sessions::end_others(tx, person.id, uuid::Uuid::nil(), machine).await?;
    if let Some(number) = person.phone.as_ref().filter(|_| app.settings.sign_in.texts) {
        codes::say(app, tx, NoticeChannel::Text, number, letters::taken_away()).await?;
    }
    (person.email_verified, person.phone) = (true, None);
    Ok(true)
}
