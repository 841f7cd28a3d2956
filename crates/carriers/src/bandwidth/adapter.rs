//! Bandwidth in the form that all carriers have: what [`crate::Carrier`] dispatches to.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

use super::{
    HOST,
    client::{Client, MessageRequest},
    credentials::secret_fault,
};
use crate::{
    abilities::Abilities,
    answer::{CarrierReply, ThrottleScope},
    media_url::media_url,
    outbound::Outbound,
    tag::tag,
    webhook::{Incoming, text},
};

/// Bandwidth names no list lag; this number is ours, and `MILLRACE_LIST_LAG` sets another.
pub(crate) const ABILITIES: Abilities = Abilities {
    lists: true,
    fetches: true,
    reports: true,
    numbers: true,
    templates: false,
    list_lag: Duration::from_secs(30),
    throttles: ThrottleScope::Account,
};

pub(crate) fn owns_host(host: &str) -> bool {
    host == HOST
}

impl Client {
    /// Asks Bandwidth to send one text, whose tag comes back with what is reported on it.
    pub(crate) async fn send_text(&self, outbound: &Outbound<'_>) -> CarrierReply {
        let tag = tag(outbound.reference);
        let text = MessageRequest {
            to: outbound.to,
            from: outbound.from,
            text: outbound.body,
            media: outbound.media,
            tag: &tag,
            expires_at: outbound.expires_at,
            traceparent: outbound.traceparent,
        };
        self.send(&text).await
    }
}

impl Client {
    /// Media are a resource of the account, as its messages are.
    pub(crate) fn media_request(&self, url: &str) -> Option<reqwest::Request> {
        let messages = self.messages_url();
        let url = media_url(url, messages.as_str(), owns_host)?;
        let own = format!("{}/media/", messages.path().strip_suffix("/messages")?);
        url.path().starts_with(&own).then(|| self.request(http::Method::GET, url))
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
