//! Accepting an invitation: with a password, with a code that shows that the invited address is
//! one's own, or by somebody who has signed in and has shown that before. Whether an address is
//! known, only who holds an invitation for it learns.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Method, StatusCode},
    response::{IntoResponse, Response},
};
use domain::ids::TenantId;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use store::{
    Scoped,
    people::{
        self, KnownPerson, PlatformUser,
        codes::Purpose,
        invitations::{self, FoundInvitation},
        limits,
        members::{self, Membership},
    },
    settings::{api_keys::KeyRole, tenants},
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    codes::first_proof,
    invitations::is_room,
    sent::{CodeSent, sent},
    signed_in::{Granted, Tokens, TokensIn, begin},
};
use crate::{
    app::App,
    audit,
    auth::{self, Caller, Reach, SignedIn, passwords},
    codes::{self, Asked, SignInAddress, wrong_code},
    document::{
        answers::{OfBody, OfStrangers},
        examples,
    },
    fields,
    http::{Errors, Kind, Problem, peer::StrangersBody},
    ids, letters,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(accept)).routes(routes!(ask_proof))
}

/// An invitation, accepted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    /// The invitation's code, `mr_invite_...`.
    #[schema(value_type = String, max_length = 200)]
    code: SecretString,
    /// What the person is called. Not looked at where they are known already.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// A password of 12 to 200 characters that is not easily guessed; of somebody who is known
    /// already, theirs. Not needed with `proof`, or by somebody who has signed in.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 200)]
    password: Option<SecretString>,
    /// The six digits of `POST /v1/auth/invitation-code`, which show that the invited address is
    /// the person's; blanks do not count. Whoever is known needs no password with them.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 20)]
    proof: Option<SecretString>,
    /// Whether the tokens are to be in cookies, for a browser.
    #[serde(default)]
    cookies: bool,
}

/// `POST /v1/auth/accept-invitation`, for everybody: comes to the company that invites, and signs
/// in. It takes a password, or `proof`, which a number that nobody has shown to be theirs needs; or
/// the bearer token or the cookies of somebody who has signed in and has shown before that the
/// invited address is theirs. Answers 201 with tokens, 401 where a code is good no more or the
/// password of somebody who is known is wrong, 403 where the address is not shown to be that of who
/// has signed in, 409 where as many people work for the company as its plan has.
#[utoipa::path(
    post, path = "/v1/auth/accept-invitation", tag = "people",
    operation_id = "accept_invitation",
    request_body(content = Acceptance, example = json!({
        "code": examples::INVITATION_CODE, "name": "Ben", "password": examples::PASSWORD,
    })),
    responses(
        (status = 201, description = "Tokens for the company.", body = Tokens),
        OfStrangers, OfBody,
    ),
)]
async fn accept(
    State(app): State<App>,
    headers: HeaderMap,
    StrangersBody { peer, body, share: _share }: StrangersBody<Acceptance>,
) -> Result<Response, Problem> {
    // load
    let (invitation, known) = find(&app, &body.code).await?;
    let address = SignInAddress::read("code", &invitation.address)?;

    // check
    app.auth.attempts.count(&invitation.address, peer)?;
    let comer = match (&body.proof, &body.password) {
        (Some(proof), _) => by_proof(&app, &body, &address, proof, known).await?,
        (None, Some(password)) => by_password(&body, &address, password, known).await?,
        (None, None) => signed_in(&app, &headers, &address, known).await?,
    };

    // record
    let granted = join(&app, &invitation, &address, comer).await?;

    // answer
    let tokens = granted.answer(&app, TokensIn::of(body.cookies))?;
    Ok((StatusCode::CREATED, tokens).into_response())
}

/// The code of an invitation whose address is to be shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvitationCode {
    /// The invitation's code, `mr_invite_...`.
    #[schema(value_type = String, max_length = 200)]
    code: SecretString,
}

/// `POST /v1/auth/invitation-code`, for everybody who holds an invitation: sends six digits to the
/// address that it is for, with which `POST /v1/auth/accept-invitation` accepts it. Answers 202,
/// 401 where the invitation is good no more, 429 where too many codes were asked for, 503 where the
/// platform sends no mail or no texts.
#[utoipa::path(
    post, path = "/v1/auth/invitation-code", tag = "people", operation_id = "send_invitation_code",
    request_body(content = InvitationCode, example = json!({
        "code": examples::INVITATION_CODE,
    })),
    responses(
        (status = 202, description = "The code is sent.", body = CodeSent), OfStrangers, OfBody,
    ),
)]
async fn ask_proof(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<InvitationCode>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let (invitation, _) = find(&app, &body.code).await?;
    let address = SignInAddress::read("code", &invitation.address)?;
    codes::can_reach(&app, &address)?;

    let mut tx = codes::begin(&app, &address, peer).await?;
    let asked = Asked { purpose: Purpose::Prove, is_said: true, person: None, sign_up: None };
    codes::send(&app, &mut tx, &address, &asked, letters::prove).await?;
    tx.commit().await?;
    Ok(sent())
}

/// An invitation that is good, with the person who has its address already.
async fn find(
    app: &App,
    code: &SecretString,
) -> Result<(FoundInvitation, Option<KnownPerson>), Problem> {
    let mut tx = app.transactions.of_strangers().await?;
    let found = invitations::find(&mut tx, code.expose_secret(), stage::machine::now()).await?;
    let invitation = found.ok_or_else(is_over)?;
    let known = people::by_address(&mut tx, &invitation.address).await?;
    Ok((invitation, known))
}

fn is_over() -> Problem {
    Problem::new(Kind::Unauthenticated, "the invitation is good no more: ask for another")
}

/// Somebody who accepts an invitation.
struct Comer {
    person: PlatformUser,
    /// What is kept of their password: of somebody known, where they came with it.
    password_hash: Option<String>,
    /// Whether they come for the first time.
    is_new: bool,
    /// Whether a code has just shown that the address is theirs.
    is_proven: bool,
}

/// Whoever has a code that was sent to the invited address.
async fn by_proof(
    app: &App,
    body: &Acceptance,
    address: &SignInAddress,
    proof: &SecretString,
    known: Option<KnownPerson>,
) -> Result<Comer, Problem> {
    // check: what is wrong uses no code up
    let mut comer = match known {
        Some(KnownPerson { person, .. }) => {
            Comer { person, password_hash: None, is_new: false, is_proven: true }
        }
        None => newcomer(body, address).await?,
    };

    let (_, code) = codes::verify(app, address, &[Purpose::Prove], proof).await?;
    if code.person.is_some() {
        return Err(wrong_code());
    }
    if comer.is_new {
        (comer.person.email_verified, comer.is_proven) = (comer.person.email.is_some(), true);
    }
    Ok(comer)
}

/// Whoever has the password of the person who is known, or chooses one.
async fn by_password(
    body: &Acceptance,
    address: &SignInAddress,
    password: &SecretString,
    known: Option<KnownPerson>,
) -> Result<Comer, Problem> {
    let Some(KnownPerson { person, password_hash }) = known else {
        if let SignInAddress::Phone(_) = address {
            let detail = "the number is to be shown to be yours: POST /v1/auth/invitation-code \
                          texts a code";
            return Err(Problem::field("proof", "required", detail));
        }
        return newcomer(body, address).await;
    };

    let is_right = passwords::is_right(password, password_hash.clone()).await?;
    if is_right && password_hash.is_some() {
        return Ok(Comer { person, password_hash, is_new: false, is_proven: false });
    }
    let detail = "you have signed in before: this is not your password (sign in first, or show \
                  that the address is yours: POST /v1/auth/invitation-code)";
    Err(Problem::new(Kind::Unauthenticated, detail))
}

/// Somebody who comes for the first time.
async fn newcomer(body: &Acceptance, address: &SignInAddress) -> Result<Comer, Problem> {
    let mut errors = Errors::default();
    let name = fields::required("name", body.name.as_deref(), &mut errors).unwrap_or("-");
    fields::name(name, &mut errors);
    if let Some(password) = &body.password {
        passwords::check("password", password, address.as_str(), &mut errors);
    }
    errors.done()?;

    let password_hash = match &body.password {
        Some(password) => Some(passwords::hash(password).await?),
        None => None,
    };
    let (email, phone) = match address {
        SignInAddress::Mail(email) => (Some(email.clone()), None),
        SignInAddress::Phone(number) => (None, Some(number.to_string())),
    };
    let name = name.trim().to_owned();
    let person = PlatformUser { id: ids::fresh(), email, email_verified: false, phone, name };
    Ok(Comer { person, password_hash, is_new: true, is_proven: false })
}

/// Somebody who has signed in, where they have shown before that the address is theirs.
async fn signed_in(
    app: &App,
    headers: &HeaderMap,
    address: &SignInAddress,
    known: Option<KnownPerson>,
) -> Result<Comer, Problem> {
    let detail = "give a password or `proof`, or sign in first: by a bearer token or by cookies";
    let needed = |why: Problem| match why.kind() == Kind::Unauthenticated {
        true => Problem::new(Kind::Unauthenticated, detail),
        false => why,
    };
    let caller = auth::known(app, &Method::POST, headers).await.map_err(needed)?;
    let SignedIn { person: who, .. } = caller.person()?;

    let is_theirs = |known: &KnownPerson| {
        let is_proven = match address {
            SignInAddress::Mail(_) => known.person.email_verified,
            SignInAddress::Phone(_) => true,
        };
        known.person.id == who && is_proven
    };
    let detail = "it is for an address that you have not shown to be yours: \
                  POST /v1/me/addresses, or give `proof`";
    let known = known.filter(is_theirs).ok_or_else(|| Problem::new(Kind::Forbidden, detail))?;
    let KnownPerson { person, .. } = known;
    Ok(Comer { person, password_hash: None, is_new: false, is_proven: false })
}

/// Has somebody come to the company that invites, and begins a session of theirs.
async fn join(
    app: &App,
    invitation: &FoundInvitation,
    address: &SignInAddress,
    comer: Comer,
) -> Result<Granted, Problem> {
    // load
    let Comer { mut person, password_hash, is_new, is_proven } = comer;
    let (tenant, now) = (&invitation.tenant, app.now());
    let reach = Reach::all_of(tenant.clone());
    let mut tx = app.transactions.begin(&reach).await?;
    let limits = invitations::limits(&mut tx, tenant, invitation.id).await?;
    let limits = limits.ok_or_else(is_over)?;
    is_room(&mut tx, tenant, person.id).await?;

    // record
    invitations::take(&mut tx, tenant, invitation.id).await?.ok_or_else(is_over)?;
    let hash = password_hash.as_deref();
    let times = (now, stage::machine::now());
    if is_new && !people::create(&mut tx, &person, hash, times).await? {
        let detail = "somebody has just come with this address: accept it as them";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let is_first = is_proven && !is_new && first_proof(app, &mut tx, address, &mut person).await?;
    let gets = (invitation.role, &limits);
    let role = members::add(&mut tx, tenant, person.id, gets, now).await?;
    let company = company(&mut tx, tenant, role).await?;
    let granted = begin(app, &mut tx, person, hash, company).await?;

    // note
    if let Some(prefix) = address.prefix() {
        limits::note_verified(&mut tx, &prefix, times.1).await?;
    }
    let caller = Caller::of_session(reach, role, granted.signed_in);
    let subject = caller.subject.clone();
    if is_first || (is_proven && is_new) {
        let kind = if let SignInAddress::Mail(_) = address { "email" } else { "phone" };
        let (action, detail) = ("user.address_proven", json!({ "kind": kind }));
        audit::note(&mut tx, &caller, now, action, subject.clone(), detail).await?;
    }
    let detail = json!({ "role": role.as_str(), "invitation": invitation.id });
    audit::note(&mut tx, &caller, now, "user.joined", subject, detail).await?;
    tx.commit().await?;
    Ok(granted)
}

/// The company as its new member has it.
///
/// # Errors
/// It is archived.
async fn company(tx: &mut Scoped, id: &TenantId, role: KeyRole) -> Result<Membership, Problem> {
    let tenant = tenants::get(tx, id).await?.ok_or_else(|| Problem::not_found("tenant"))?;
    if tenant.archived_at.is_some() {
        return Err(auth::archived());
    }
    Ok(Membership { tenant: tenant.id, name: tenant.name, role, archived_at: None })
}
