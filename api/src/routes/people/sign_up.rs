//! Signing up: somebody founds a company and becomes its owner, once they have shown that their
//! address is theirs.

use axum::{Json, extract::State, http::StatusCode};
use domain::{ids::TenantId, invisible::is_blank};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use store::{
    people::{
        self, PlatformUser,
        codes::{Purpose, SignUp},
        members::{self, Membership},
    },
    settings::{
        api_keys::KeyRole,
        limits::BrandLimits,
        tenants::{self, Tenant},
    },
};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    sent::{CodeSent, sent},
    signed_in::{Granted, begin},
};
use crate::{
    app::App,
    audit,
    auth::{Caller, Reach, passwords},
    codes::{self, Asked, SignInAddress},
    document::answers::{OfBody, OfStrangers},
    http::{Errors, Kind, Problem, peer::StrangersBody},
    ids, letters,
};

/// The longest name of a company and of a person, in characters.
const LONGEST: usize = 200;

/// The longest part of a tenant's key in front of the digits that make it one of its own: a key has
/// 32 characters at most.
const STEM: usize = 23;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(sign_up))
}

/// A company to be founded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCompany {
    /// The owner's address of mail; or else `phone`.
    #[serde(default)]
    #[schema(max_length = 254)]
    email: Option<String>,
    /// The owner's number, with its country (`+1...`); or else `email`.
    #[serde(default)]
    #[schema(max_length = 64)]
    phone: Option<String>,
    /// What the company is called. Its key is made of it.
    #[serde(default)]
    #[schema(required, min_length = 1, max_length = 200)]
    company: String,
    /// What the owner is called.
    #[serde(default)]
    #[schema(required, min_length = 1, max_length = 200)]
    name: String,
    /// A password of 12 to 200 characters that is not easily guessed, to hear now what is wrong
    /// with it. It is not kept: the owner says it with the code (`POST /v1/auth/otp/verify`).
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, min_length = 12, max_length = 200)]
    password: Option<SecretString>,
}

/// `POST /v1/auth/signup`, for everybody: sends a code with which `POST /v1/auth/otp/verify` founds
/// a company and signs its owner in; with the code comes their password, where they want one. Who
/// is known already gets a code that signs them in and a word about it; the answer is the same.
/// Answers 202, 403 where the platform takes no sign-ups, 429 where too many codes were asked for,
/// 503 where it sends no mail or no texts.
#[utoipa::path(
    post, path = "/v1/auth/signup", tag = "people", operation_id = "sign_up",
    request_body(content = NewCompany, example = json!({
        "email": "mia@example.com", "company": "Mia's Mill", "name": "Mia",
    })),
    responses(
        (status = 202, description = "The code is sent.", body = CodeSent), OfStrangers, OfBody,
    ),
)]
async fn sign_up(
    State(app): State<App>,
    StrangersBody { peer, body, share: _share }: StrangersBody<NewCompany>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    // check
    if !app.settings.sign_in.sign_up {
        let detail = "this platform takes no sign-ups (MILLRACE_SIGN_UP): ask to be invited";
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    let address = check(&body)?;
    codes::can_reach(&app, &address)?;

    // record: the same for somebody who is known
    let (company, name) = (body.company.trim().to_owned(), body.name.trim().to_owned());
    let new = SignUp { company, name };
    let mut tx = codes::begin(&app, &address, peer).await?;
    let is_known = people::by_address(&mut tx, address.as_str()).await?.is_some();
    let (purpose, sign_up) =
        if is_known { (Purpose::SignIn, None) } else { (Purpose::SignUp, Some(&new)) };
    let asked = Asked { purpose, is_said: true, person: None, sign_up };
    let letter = |code: &str| match is_known {
        true => letters::known_already(code),
        false => letters::sign_up(code),
    };
    codes::send(&app, &mut tx, &address, &asked, letter).await?;
    tx.commit().await?;
    Ok(sent())
}

/// The address of whoever signs up.
fn check(body: &NewCompany) -> Result<SignInAddress, Problem> {
    // What is there.
    let (email, phone) = (body.email.as_deref(), body.phone.as_deref());
    let mut errors = Errors::default();
    SignInAddress::is_one(email, phone, &mut errors);
    for (field, text) in [("company", &body.company), ("name", &body.name)] {
        errors.check(!is_blank(text), field, "required", "it is missing, or empty");
        errors.text(field, text, 0, LONGEST);
    }
    errors.done()?;

    // What it says.
    let address = SignInAddress::either(email, phone)?;
    let mut errors = Errors::default();
    if let Some(password) = &body.password {
        passwords::check("password", password, address.as_str(), &mut errors);
    }
    errors.done()?;
    Ok(address)
}

/// Founds a company whose owner has shown that their address is theirs, and signs them in.
/// `password_hash` is of what they say now: what the sign-up said may have been a stranger's.
///
/// # Errors
/// Somebody has come with the address meanwhile.
pub(super) async fn found(
    app: &App,
    address: &SignInAddress,
    new: SignUp,
    password_hash: Option<&str>,
) -> Result<Granted, Problem> {
    // decide
    let id = ids::fresh();
    let tenant = key_of(&new.company, id);
    let (email, phone) = match address {
        SignInAddress::Mail(email) => (Some(email.clone()), None),
        SignInAddress::Phone(number) => (None, Some(number.to_string())),
    };
    let (email_verified, name) = (email.is_some(), new.name);
    let person = PlatformUser { id, email, email_verified, phone, name };

    // record
    let mut tx = app.transactions.of_companies(std::slice::from_ref(&tenant)).await?;
    let (now, machine) = (app.now(), stage::machine::now());
    if !people::create(&mut tx, &person, password_hash, (now, machine)).await? {
        let detail = "somebody has just come with this address: sign in with it";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    if !tenants::insert(&mut tx, &Tenant::named(&tenant, &new.company), now).await? {
        return Err(Problem::unavailable("the company found no key: try again", 1));
    }
    let role =
        members::add(&mut tx, &tenant, id, (KeyRole::Owner, &BrandLimits::default()), now).await?;
    let company = Membership { tenant: tenant.clone(), name: new.company, role, archived_at: None };
    let granted = begin(app, &mut tx, person, None, company).await?;

    let caller = Caller::of_session(Reach::all_of(tenant.clone()), role, granted.signed_in);
    let (subject, detail) = (format!("tenant:{tenant}"), json!({ "owner": id }));
    audit::note(&mut tx, &caller, now, "tenant.signed_up", subject, detail).await?;
    tx.commit().await?;
    Ok(granted)
}

/// A key that a company's name gives, and that no other company has: its end is by chance, so that
/// nobody learns by it whether there is a company of that name. It holds a-z, 0-9 and `-` alone, as
/// a part of a subject does.
fn key_of(company: &str, owner: Uuid) -> TenantId {
    let mut key = String::new();
    for c in company.to_lowercase().chars().filter(|c| *c != '\'') {
        match c {
            'a'..='z' | '0'..='9' => key.push(c),
            _ if key.is_empty() || key.ends_with('-') => {}
            _ => key.push('-'),
        }
    }
    let named = key[..key.len().min(STEM)].trim_end_matches('-');
    let stem = if named.len() < 2 { "company" } else { named };

    // The last bits of an id are by chance.
    format!("{stem}-{:08x}", owner.as_u128() as u32).parse().expect("a tenant's key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_of_a_name_in_any_script_and_is_its_own() {
        let owner = Uuid::from_u128(0xabc);
        let long = "An exceedingly long name of a company in Melbourne";
        for (company, key) in [
            ("Mia's Mill", "mias-mill-00000abc"),
            ("  ACME, Inc. ", "acme-inc-00000abc"),
            ("水車", "company-00000abc"),
            ("x", "company-00000abc"),
            (long, "an-exceedingly-long-nam-00000abc"),
        ] {
            assert_eq!(key_of(company, owner).to_string(), key);
        }
    }
}
