//! The rules of fields that several requests have. Each rule has its one home here, so that the
//! same field is right or wrong in the same way wherever it is written.

use std::net::Ipv4Addr;

use axum::http::Uri;
use domain::{
    country::Country,
    draft,
    gates::{Basis, Stops, consent::is_program},
    ids::TenantId,
    message::class::MessageClass,
    phone::PhoneNumber,
    template::MAX_VALUE,
};
use jiff::Timestamp;
use store::{
    Scoped,
    settings::{
        api_keys::KeyRole,
        limits::{self, BrandLimits, MOST as MOST_LIMITS},
    },
};
use wire::subject::Token;

use crate::http::{Errors, Problem};

/// The longest name of something that a tenant sets up, in characters.
const MAX_NAME: usize = 200;

/// The longest name that recipients and pages read, in characters.
const MAX_DISPLAY_NAME: usize = 100;

/// The longest text of a message as it is written, in characters: some of them are not sent.
const MAX_BODY: usize = 4096;

/// The longest address of something on the web, in characters.
const MAX_URL: usize = 2000;

/// How many variables a template declares, and a message brings.
const MAX_VARIABLES: usize = 50;

/// How many tags a contact gets from one saying, and an audience is chosen by.
const MAX_TAGS: usize = 50;

/// The longest tag, in characters.
const MAX_TAG: usize = 64;

/// The longest validity, in seconds: a week.
const MAX_VALIDITY: i64 = 7 * 24 * 60 * 60;

/// The text of a message of this class, which is sent as it is written: variables are filled in by
/// templates alone. Whatever it says, its length is what can be sent.
pub(crate) fn body(field: &str, text: &str, class: MessageClass, errors: &mut Errors) {
    errors.text(field, text, 1, MAX_BODY);
    if let Some(variable) = draft::variable_in(text) {
        errors.add(field, "variable", format!("{variable}: {}", draft::NOT_FILLED_IN));
    }
    if !draft::fits(text, class) {
        errors.add(field, "too_long", draft::too_long(text, class));
    }
}

/// A text that its channel carries as one message, whatever its length: at most 4,096 characters,
/// the opt-out line of its class included.
pub(crate) fn long_body(field: &str, text: &str, class: MessageClass, errors: &mut Errors) {
    errors.text(field, text, 1, MAX_BODY);
    if let Some(variable) = draft::variable_in(text) {
        errors.add(field, "variable", format!("{variable}: {}", draft::NOT_FILLED_IN));
    }

    let is_long = text.chars().count() > MAX_BODY;
    let fits = is_long || !class.is_marketing() || draft::fits_in(text, class, MAX_BODY);
    errors.check(fits, field, "too_long", "at most 4096 characters, the opt-out line included");
}

/// The value of a variable.
pub(crate) fn variable_value(field: &str, value: &str, errors: &mut Errors) {
    errors.text(field, value, 0, MAX_VALUE);
}

/// An address of mail, as it is kept.
pub(crate) fn email(field: &str, written: &str, errors: &mut Errors) -> String {
    let email = domain::email::canonical(written);
    errors.check(email.is_some(), field, "invalid", "an address such as ana@example.com");
    email.unwrap_or_default()
}

/// A role by its name.
pub(crate) fn role(field: &str, written: &str, errors: &mut Errors) -> Option<KeyRole> {
    let role = KeyRole::from_name(written);
    let roles = KeyRole::ALL.map(KeyRole::as_str).join(", ");
    errors.check(role.is_some(), field, "unknown", &roles);
    role
}

/// What somebody is to be limited to, by the role that they get: each brand and inbox once, and
/// neither for who looks after the company.
pub(crate) fn limits(role: Option<KeyRole>, limits: &BrandLimits, errors: &mut Errors) {
    for (field, ids) in [("brands", &limits.brands), ("inboxes", &limits.inboxes)] {
        let detail = format!("at most {MOST_LIMITS}");
        errors.check(ids.len() <= MOST_LIMITS, field, "too_many", &detail);
        for (index, id) in ids.iter().enumerate().take(MOST_LIMITS) {
            let field = format!("{field}[{index}]");
            errors.check(!ids[..index].contains(id), &field, "duplicate", "each of them once");
        }
    }

    let sees_all = matches!(role, Some(KeyRole::Owner | KeyRole::Admin));
    let field = if limits.brands.is_empty() { "inboxes" } else { "brands" };
    let detail = "owners and admins see all of the company";
    errors.check(!sees_all || limits.are_none(), field, "unexpected", detail);
}

/// Whether there are the brands and inboxes that somebody is to be limited to.
///
/// # Errors
/// Which are not there, or the database is away.
pub(crate) async fn are_there(
    tx: &mut Scoped,
    tenant: &TenantId,
    wanted: &BrandLimits,
) -> Result<(), Problem> {
    let missing = limits::missing(tx, tenant, wanted).await?;
    let mut errors = Errors::default();
    for (name, ids, missing) in [
        ("brands", &wanted.brands, &missing.brands),
        ("inboxes", &wanted.inboxes, &missing.inboxes),
    ] {
        for (index, _) in ids.iter().enumerate().filter(|(_, id)| missing.contains(id)) {
            errors.add(&format!("{name}[{index}]"), "not_found", "none of yours has this id");
        }
    }
    errors.done()
}

/// A field that must be there.
pub(crate) fn required<'a>(
    field: &str,
    written: Option<&'a str>,
    errors: &mut Errors,
) -> Option<&'a str> {
    errors.check(written.is_some(), field, "required", "this field is required");
    written
}

/// A phone number as people write it. `home` is the country of numbers without a plus sign.
pub(crate) fn number(
    field: &str,
    written: &str,
    home: Option<Country>,
    errors: &mut Errors,
) -> Option<PhoneNumber> {
    let read = PhoneNumber::parse(written, home);
    read.map_err(|why| errors.add(field, "invalid_number", why.to_string())).ok()
}

/// The country of a number without a plus sign: what the field `country` says, else the tenant's.
/// One that cannot be read matters where the number needs it.
pub(crate) fn home(
    written: Option<&str>,
    phone: &str,
    tenants: Option<Country>,
    errors: &mut Errors,
) -> Option<Country> {
    let written = written.map(str::trim).filter(|written| !written.is_empty());
    let Some(written) = written else { return tenants };
    let named = Country::named(written);
    if named.is_none() && !phone.contains('+') {
        errors.add("country", "unknown", "a country's two letters, such as US or GB");
    }
    named.or(tenants)
}

/// The name of something that a tenant sets up, in the field `name`.
pub(crate) fn name(written: &str, errors: &mut Errors) {
    errors.text("name", written, 1, MAX_NAME);
}

/// A tenant's name of a carrier account, in the field `account`.
pub(crate) fn account(written: &str, errors: &mut Errors) {
    let fits = Token::new(written).is_some();
    errors.check(fits, "account", "invalid", "1 to 64 of A-Z, a-z, 0-9, _ and -");
}

/// An address of something on the web, as far as its length goes.
pub(crate) fn url(field: &str, written: &str, errors: &mut Errors) {
    errors.text(field, written, 1, MAX_URL);
}

/// What a company or a brand looks like: its colour, its picture, and what people know it as. The
/// fields stand behind `prefix`.
pub(crate) fn look(
    prefix: &str,
    colour: &str,
    logo_url: Option<&str>,
    display_name: Option<&str>,
    errors: &mut Errors,
) {
    let field = |name: &str| format!("{prefix}{name}");
    if let Some(name) = display_name {
        errors.text(&field("display_name"), name, 1, MAX_DISPLAY_NAME);
    }
    let digits = colour.strip_prefix('#').unwrap_or_default();
    let is_colour = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    errors.check(is_colour, &field("colour"), "invalid", "a colour such as #6366f1");
    if let Some(address) = logo_url {
        page_url(&field("logo_url"), address, errors);
    }
}

/// Checks an address that pages load something from: https, of a host with a name.
fn page_url(field: &str, written: &str, errors: &mut Errors) {
    errors.text(field, written, 1, MAX_URL);
    let read: Option<Uri> = written.parse().ok();
    let is_name = |host: &str| host.contains('.') && host.parse::<Ipv4Addr>().is_err();
    let is_fine = read
        .is_some_and(|url| url.scheme_str() == Some("https") && url.host().is_some_and(is_name));
    errors.check(is_fine, field, "invalid", "an https address of a host with a name");
}

/// When something was archived that a change archives, takes back, or leaves as it is.
pub(crate) fn archived_at(
    before: Option<Timestamp>,
    said: Option<bool>,
    now: Timestamp,
) -> Option<Timestamp> {
    match said {
        Some(true) => before.or(Some(now)),
        Some(false) => None,
        None => before,
    }
}

/// How many variables there are.
pub(crate) fn variables(field: &str, count: usize, errors: &mut Errors) {
    errors.check(count <= MAX_VARIABLES, field, "too_many", "at most 50");
}

/// The name of a variable, or of an own field of a contact.
pub(crate) fn variable_name(field: &str, name: &str, errors: &mut Errors) {
    let is_fine = (1..=64).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    errors.check(is_fine, field, "invalid_name", "names have 1 to 64 of a-z, 0-9 and _");
}

/// How many tags there are.
pub(crate) fn tags(field: &str, count: usize, errors: &mut Errors) {
    errors.check(count <= MAX_TAGS, field, "too_many", "at most 50");
}

/// One tag of them.
pub(crate) fn tag(field: &str, tag: &str, errors: &mut Errors) {
    errors.text(field, tag, 1, MAX_TAG);
}

/// How long a message is of use, in the field `validity_seconds`.
pub(crate) fn validity(seconds: i64, errors: &mut Errors) {
    let is_fine = (1..=MAX_VALIDITY).contains(&seconds);
    errors.check(is_fine, "validity_seconds", "out_of_range", "1 to 604800");
}

/// The program that messages belong to, in the field `program`.
pub(crate) fn program(name: &str, errors: &mut Errors) {
    errors.check(is_program(name), "program", "invalid", "1 to 40 of a-z, 0-9, _ and -");
}

/// What an entry of the do-not-contact list stops: as it is written, else by its reason.
pub(crate) fn stops(
    field: &str,
    written: Option<&str>,
    reason: &str,
    errors: &mut Errors,
) -> Stops {
    let Some(written) = written else { return Stops::of_reason(reason) };
    let stops = Stops::from_name(written);
    errors.check(stops.is_some(), field, "unknown", "marketing or all");
    stops.unwrap_or_default()
}

/// When somebody said something about their consent, and when it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConsentTimes {
    /// When it was said; none: now.
    pub(crate) at: Option<Timestamp>,
    /// When it ends; none: never.
    pub(crate) expires_at: Option<Timestamp>,
    /// On what ground it was given.
    pub(crate) basis: Option<Basis>,
}

impl ConsentTimes {
    /// It was said by now, it ends after that, and an implied consent does end. The fields are `at`
    /// and `expires_at` behind `prefix`.
    pub(crate) fn check(self, prefix: &str, now: Timestamp, errors: &mut Errors) {
        let (at, expires_at) = (format!("{prefix}at"), format!("{prefix}expires_at"));
        let said_at = self.at.unwrap_or(now);
        errors.check(said_at <= now, &at, "out_of_range", "not in the future");

        let ends_later = self.expires_at.is_none_or(|end| end > said_at);
        errors.check(ends_later, &expires_at, "out_of_range", "after it was given");
        let ends = self.basis != Some(Basis::Implied) || self.expires_at.is_some();
        errors.check(ends, &expires_at, "required", "an implied consent ends: say when");
    }
}

/// Whether a text can be a language's two letters of ISO 639-1.
pub(crate) fn is_language(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|b| b.is_ascii_lowercase())
}
