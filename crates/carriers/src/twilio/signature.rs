//! `X-Twilio-Signature`: proof that a webhook comes from Twilio and was not changed.
//!
//! The signed string is the URL exactly as Twilio requested it (no fragment), followed for form
//! bodies by every parameter as name and decoded value, sorted by bytes, equal pairs once. Other
//! bodies are covered by the `bodySHA256` query parameter. Rules and cases are those of Twilio's
//! own validators; `tests/data/twilio_signature.json` holds them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::form;

/// A webhook request, as far as its signature covers it.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The public URL that was called, query included: rebuilt from our own settings, never from
    /// the `Host` header.
    pub url: &'a str,
    /// The body, by kind.
    pub body: SignedBody<'a>,
    /// The header `X-Twilio-Signature`.
    pub signature: &'a str,
    /// Header `X-Twilio-Webhooks-Signature-Settings`, where present: it announces HMAC-SHA256 with
    /// a shared key in place of HMAC-SHA1 with the Auth Token.
    pub settings: Option<&'a str>,
}

/// How a body takes part in the signature.
#[derive(Clone, Copy)]
pub enum SignedBody<'a> {
    /// A GET, or no body at all.
    None,
    /// `application/x-www-form-urlencoded`, raw bytes.
    Form(&'a [u8]),
    /// Anything else, such as JSON, raw bytes.
    Raw(&'a [u8]),
}

impl<'a> SignedBody<'a> {
    /// The kind by `Content-Type`; an empty body is no body.
    pub fn of(content_type: Option<&str>, body: &'a [u8]) -> Self {
        const FORM: &str = "application/x-www-form-urlencoded";
        let kind = content_type.and_then(|value| value.split(';').next()).unwrap_or("").trim();
        if body.is_empty() {
            Self::None
        } else if kind.eq_ignore_ascii_case(FORM) {
            Self::Form(body)
        } else {
            Self::Raw(body)
        }
    }
}

/// True if the request was signed with one of `secrets`: Auth Tokens, or shared keys where the
/// settings header names them; several during a rotation. Time does not depend on what differs.
/// No secrets, an unknown algorithm, an unreadable URL: false.
pub fn verify(secrets: &[SecretString], request: &SignedRequest<'_>) -> bool {
    let Some(algorithm) = Algorithm::read(request.settings) else { return false };
    let Some(urls) = url_forms(request.url) else { return false };
    let (parameters, body_matches) = match request.body {
        SignedBody::None => (String::new(), body_hash(request.url, b"").or_absent()),
        SignedBody::Form(body) => {
            (signed_parameters(body), body_hash(request.url, body).or_absent())
        }
        SignedBody::Raw(body) => (String::new(), body_hash(request.url, body).required()),
    };

    let mut any = Choice::from(0);
    for secret in secrets.iter().filter(|secret| !secret.expose_secret().is_empty()) {
        for url in &urls {
            let expected = algorithm.sign(secret.expose_secret(), url, &parameters);
            any |= expected.as_bytes().ct_eq(request.signature.as_bytes());
        }
    }

    (any & body_matches).into()
}

#[derive(Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
}

impl Algorithm {
    fn read(settings: Option<&str>) -> Option<Self> {
        let Some(settings) = settings else { return Some(Self::Sha1) };
        let mut fields = settings.split(',').filter_map(|field| field.trim().split_once('='));
        let (_, name) = fields.find(|(key, _)| *key == "algorithm")?;
        (name == "HMAC_SHA256").then_some(Self::Sha256)
    }

    fn sign(self, secret: &str, url: &str, parameters: &str) -> String {
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(secret, url, parameters),
            Self::Sha256 => mac::<Hmac<Sha256>>(secret, url, parameters),
        }
    }
}

fn mac<M: Mac + KeyInit>(secret: &str, url: &str, parameters: &str) -> String {
    let mut mac =
        <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(url.as_bytes());
    mac.update(parameters.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn signed_parameters(body: &[u8]) -> String {
    let mut pairs = form::pairs(body);
    pairs.sort_unstable();
    pairs.dedup();
    let length = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    let mut signed = String::with_capacity(length);
    for (name, value) in &pairs {
        signed.push_str(name);
        signed.push_str(value);
    }
    signed
}

/// What the URL's `bodySHA256` says about the body; none if the URL has no such parameter.
struct BodyHash(Option<Choice>);

impl BodyHash {
    /// A body that is no form is signed by its hash alone: without it nothing vouches for it.
    fn required(self) -> Choice {
        self.0.unwrap_or(Choice::from(0))
    }

    /// Forms and empty bodies come without a hash; one that is there must match nevertheless, else
    /// a signed JSON request could be passed off as one without a body.
    fn or_absent(self) -> Choice {
        self.0.unwrap_or(Choice::from(1))
    }
}

fn body_hash(url: &str, body: &[u8]) -> BodyHash {
    let query = url.split_once('#').map_or(url, |(before, _)| before);
    let query = query.split_once('?').map_or("", |(_, query)| query);
    let Some(claimed) = form::take(&mut form::pairs(query.as_bytes()), "bodySHA256") else {
        return BodyHash(None);
    };
    let actual: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    BodyHash(Some(actual.as_bytes().ct_eq(claimed.as_bytes())))
}

/// Proxies add and drop ports, so both forms count: without a port, and with the one presented
/// (else the scheme's default). User info stays as it is.
fn url_forms(url: &str) -> Option<[String; 2]> {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let (scheme, rest) = url.split_once("://")?;
    let default_port = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };

    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host_start = authority.rfind('@').map_or(0, |at| at + 1);
    let (user_info, host_port) = authority.split_at(host_start);
    let after_brackets = host_port.rfind(']').unwrap_or(0);
    let (host, port) = match host_port[after_brackets..].find(':') {
        Some(colon) => {
            let colon = after_brackets + colon;
            (&host_port[..colon], &host_port[colon + 1..])
        }
        None => (host_port, default_port),
    };

    Some([
        format!("{scheme}://{user_info}{host}{path}"),
        format!("{scheme}://{user_info}{host}:{port}{path}"),
    ])
}

#[cfg(test)]
mod tests {
    use super::url_forms;

    #[test]
    fn both_port_forms_of_a_url_are_tried_and_the_rest_is_left_alone() {
        for (presented, without, with) in [
            ("https://h.test/a?b=1", "https://h.test/a?b=1", "https://h.test:443/a?b=1"),
            ("http://h.test", "http://h.test", "http://h.test:80"),
            ("https://h.test:8443/a", "https://h.test/a", "https://h.test:8443/a"),
            ("https://u:p@h.test/a", "https://u:p@h.test/a", "https://u:p@h.test:443/a"),
            ("https://u:p@h.test:9/a", "https://u:p@h.test/a", "https://u:p@h.test:9/a"),
            ("https://[::1]/a", "https://[::1]/a", "https://[::1]:443/a"),
            ("https://[::1]:9/a", "https://[::1]/a", "https://[::1]:9/a"),
            (
                "https://h.test/a?b=c:d@e",
                "https://h.test/a?b=c:d@e",
                "https://h.test:443/a?b=c:d@e",
            ),
            ("https://h.test/a#rc=3&rp=all", "https://h.test/a", "https://h.test:443/a"),
        ] {
            let forms = url_forms(presented).expect(presented);
            assert_eq!(forms, [without.to_owned(), with.to_owned()]);
        }
        assert_eq!(url_forms("h.test/a"), None);
        assert_eq!(url_forms("ftp://h.test/a"), None);
    }
}
