//! Bandwidth in the form that all carriers have: what [`crate::Carrier`] dispatches to.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

use super::{
    HOST,
    client::{Client, CreateMessage},
    tag,
};
use crate::{
    abilities::Abilities,
    answer::{CarrierReply, ThrottleScope},
    outbound::Outbound,
    webhook::{Incoming, text},
};

/// Bandwidth names no list lag; this number is ours, and `MILLRACE_LIST_LAG` sets another.
pub(crate) const ABILITIES: Abilities = Abilities {
    lists: true,
    fetches: true,
    reports: true,
    list_lag: Duration::from_secs(30),
    throttles: ThrottleScope::Account,
};

pub(crate) fn owns_host(host: &str) -> bool {
    host == HOST
}

/// An account is named with the application that sends its texts and is called back about them.
pub(crate) fn account_id_fault(id: &str) -> Option<&'static str> {
    const FORM: &str =
        "the account's id and the application's, as 9900000/93de2206-9669-4e07-948d-329f4b722ee2";
    split_account_id(id).is_none().then_some(FORM)
}

/// The secret is what Basic auth carries: of our calls, and of the callbacks of the application.
pub(crate) fn secret_fault(secret: &str) -> Option<&'static str> {
    const FORM: &str = "the API user and its password, as user:password; give the application's callbacks the same";
    let pair = secret.split_once(':').filter(|(user, word)| !user.is_empty() && !word.is_empty());
    let fine = pair.is_some() && !secret.chars().any(char::is_control);
    (!fine).then_some(FORM)
}

/// The account's id and its application's.
pub(super) fn split_account_id(id: &str) -> Option<(&str, &str)> {
    let (account, application) = id.split_once('/')?;
    let is_account =
        (1..=20).contains(&account.len()) && account.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_application = (1..=43).contains(&application.len()) && application.bytes().all(plain);
    (is_account && is_application).then_some((account, application))
}

impl Client {
    /// Asks Bandwidth to send one text, whose tag comes back with what is reported on it.
    pub(crate) async fn send_text(&self, outbound: &Outbound<'_>) -> CarrierReply {
        let tag = tag(outbound.reference);
        let text = CreateMessage {
            to: outbound.to,
            from: outbound.from,
            text: outbound.body,
            tag: &tag,
            expires_at: outbound.expires_at,
            traceparent: outbound.traceparent,
        };
        self.send(&text).await
    }
}

/// Callbacks carry the credentials that the application was given for them: its account's.
pub(crate) fn is_genuine(secrets: &[SecretString], request: &Incoming<'_>) -> bool {
    let Some(given) = text(request.headers, AUTHORIZATION.as_str()) else { return false };
    let Some((scheme, given)) = given.split_once(' ') else { return false };
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }

    let mut any = Choice::from(0);
    for secret in secrets.iter().filter(|secret| secret_fault(secret.expose_secret()).is_none()) {
        let expected = STANDARD.encode(secret.expose_secret());
        any |= expected.as_bytes().ct_eq(given.trim().as_bytes());
    }
    any.into()
}
