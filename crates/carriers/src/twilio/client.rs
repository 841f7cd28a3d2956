//! The calls that send a text. One call is one HTTP request: nothing is retried here.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::classify::classify;
use crate::{
    answer::CarrierReply,
    http::{FORM, REQUEST_TIMEOUT, account_request, call, retry_after, set_body},
    redact::Hidden,
    setup::{SetupError, endpoint},
};

/// One Twilio account. Cheap to clone; URL and authorization are built once.
#[derive(Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    /// Without a trailing slash.
    pub(super) base_url: String,
    pub(super) account_sid: String,
    messages_url: Url,
    authorization: HeaderValue,
    pub(super) timeout: Duration,
}

/// One text to be sent, in Twilio's terms.
#[derive(Clone, Copy)]
pub struct CreateMessage<'a> {
    /// The recipient's number, E.164.
    pub to: &'a str,
    /// Sender: a number, a short code, a name, or the SID of a Messaging Service, whose numbers
    /// Twilio picks from.
    pub from: &'a str,
    /// The text, at most 1,600 characters (Twilio refuses more: 21617).
    pub body: &'a str,
    /// What goes with it, by addresses that Twilio fetches: at most 10 (it refuses more: 21623).
    pub media: &'a [String],
    /// Where Twilio reports this message's states; see [`super::callback_url`].
    pub status_callback: &'a str,
    /// How long Twilio may keep the text in its queue, in seconds; held to 1 to 36,000. None is
    /// Twilio's own default of ten hours.
    pub validity_seconds: Option<u32>,
    /// W3C trace context, passed on as the `traceparent` header; an unusable value is left out.
    pub traceparent: Option<&'a str>,
}

/// Twilio's longest validity period (section 2 of its Messages resource).
const MAX_VALIDITY_SECONDS: u32 = 36_000;

/// A reply to a send is about 1 KiB; escaped text makes it some KiB.
const MAX_REPLY_BYTES: usize = 64 * 1024;

// === impl Client ===

impl Client {
    /// A client for one account. `base_url` must have passed [`crate::check_base_url`].
    ///
    /// # Errors
    /// Says which setting is unusable.
    pub fn new(
        http: reqwest::Client,
        base_url: &str,
        account_sid: &str,
        auth_token: &SecretString,
    ) -> Result<Self, SetupError> {
        if !super::is_sid(account_sid) {
            return Err(SetupError::AccountSid);
        }

        let path = format!("/2010-04-01/Accounts/{account_sid}/Messages.json");
        let messages_url = endpoint(base_url, &path)?;

        Ok(Self {
            http,
            base_url: base_url.trim_end_matches('/').to_owned(),
            account_sid: account_sid.to_owned(),
            messages_url,
            authorization: basic(account_sid, auth_token)?,
            timeout: REQUEST_TIMEOUT,
        })
    }

    /// Another limit for a whole call than [`REQUEST_TIMEOUT`]. Claims are built on that number,
    /// so a longer one is for calls without a claim only.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Asks Twilio to send one text (`POST .../Messages.json`), once.
    pub async fn send(&self, text: &CreateMessage<'_>) -> CarrierReply {
        let mut request = self.request(Method::POST, self.messages_url.clone());
        set_body(&mut request, FORM, text.form(), text.traceparent);

        match call(&self.http, request, MAX_REPLY_BYTES).await {
            Ok(reply) => classify(reply.status, retry_after(&reply.headers), &reply.body),
            Err(fault) => fault.into(),
        }
    }

    pub(super) fn request(&self, method: Method, url: Url) -> Request {
        account_request(method, url, &self.authorization, self.timeout)
    }

    /// A resource of the account, by its path without the ending.
    pub(super) fn resource(&self, path: &str) -> Url {
        let mut url = self.messages_url();
        let account = self.messages_url.path().trim_end_matches("Messages.json");
        url.set_path(&format!("{account}{path}.json"));
        url
    }

    pub(super) fn messages_url(&self) -> Url {
        self.messages_url.clone()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("twilio::Client")
            .field("base_url", &self.base_url)
            .field("account_sid", &self.account_sid)
            .finish_non_exhaustive()
    }
}

// === impl CreateMessage ===

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Form<'a> {
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messaging_service_sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    status_callback: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    validity_period: Option<u32>,
}

impl CreateMessage<'_> {
    fn form(&self) -> String {
        let is_service = super::is_service(self.from);
        let form = Form {
            to: self.to,
            from: (!is_service).then_some(self.from),
            messaging_service_sid: is_service.then_some(self.from),
            // Media need no text beside them.
            body: Some(self.body).filter(|body| self.media.is_empty() || !body.is_empty()),
            status_callback: self.status_callback,
            validity_period: self
                .validity_seconds
                .map(|seconds| seconds.clamp(1, MAX_VALIDITY_SECONDS)),
        };
        let form = serde_urlencoded::to_string(form);
        let form = form.expect("a flat struct of texts and a number encodes");
        let media: Vec<_> = self.media.iter().map(|url| ("MediaUrl", url)).collect();
        let media = serde_urlencoded::to_string(media).expect("pairs of texts encode");
        if media.is_empty() { form } else { format!("{form}&{media}") }
    }
}

impl fmt::Debug for CreateMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateMessage")
            .field("to", &Hidden(self.to))
            .field("from", &Hidden(self.from))
            .field("body", &Hidden(self.body))
            .field("media", &self.media.len())
            .field("status_callback", &self.status_callback)
            .field("validity_seconds", &self.validity_seconds)
            .field("traceparent", &self.traceparent)
            .finish()
    }
}

fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, SetupError> {
    let password = password.expose_secret();
    if password.is_empty() || password.chars().any(char::is_control) {
        return Err(SetupError::Secret);
    }
    let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let mut value = HeaderValue::from_str(&value).map_err(|_| SetupError::Secret)?;
    value.set_sensitive(true);
    Ok(value)
}
