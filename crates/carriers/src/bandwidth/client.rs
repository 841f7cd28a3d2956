//! The calls that send a text. One call is one HTTP request: nothing is retried here.

use std::{fmt, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method};
use jiff::Timestamp;
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    account_api::account_url,
    classify::classify,
    credentials::{secret_fault, split_account_id},
};
use crate::{
    answer::CarrierReply,
    http::{JSON, REQUEST_TIMEOUT, account_request, call, retry_after, set_body},
    redact::Hidden,
    setup::{SetupError, endpoint},
};

/// One Bandwidth account with one of its applications. Cheap to clone; URL and authorization are
/// built once.
#[derive(Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    messages_url: Url,
    account_url: Url,
    application: String,
    authorization: HeaderValue,
    timeout: Duration,
}

/// One text to be sent, in Bandwidth's terms.
#[derive(Clone, Copy)]
pub struct MessageRequest<'a> {
    /// The recipient's number, E.164.
    pub to: &'a str,
    /// Sender: a number of the application in E.164, a short code or a name.
    pub from: &'a str,
    /// The text, at most 2,048 characters.
    pub text: &'a str,
    /// What goes with it, by addresses that Bandwidth fetches.
    pub media: &'a [String],
    /// What every callback brings back; see [`crate::tag::tag()`].
    pub tag: &'a str,
    /// When Bandwidth must have sent it, in machine time; none is Bandwidth's own default.
    pub expires_at: Option<Timestamp>,
    /// W3C trace context, passed on as the `traceparent` header; an unusable value is left out.
    pub traceparent: Option<&'a str>,
}

/// A reply to a send repeats the text: some KiB.
const MAX_REPLY_BYTES: usize = 64 * 1024;

// === impl Client ===

impl Client {
    /// A client for one account and application: `account_id` is `account/application`, `secret`
    /// is `user:password`. `base_url` must have passed [`crate::check_base_url`].
    ///
    /// # Errors
    /// Says which setting is unusable.
    pub fn new(
        http: reqwest::Client,
        base_url: &str,
        account_id: &str,
        secret: &SecretString,
    ) -> Result<Self, SetupError> {
        let ids = split_account_id(account_id).ok_or(SetupError::AccountAndApplication)?;
        let (account, application) = ids;
        let secret = secret.expose_secret();
        if secret_fault(secret).is_some() {
            return Err(SetupError::UserAndPassword);
        }

        let messages_url = endpoint(base_url, &format!("/api/v2/users/{account}/messages"))?;
        let account_url = account_url(base_url, account)?;
        let basic = format!("Basic {}", STANDARD.encode(secret));
        let mut authorization = HeaderValue::from_str(&basic).map_err(|_| SetupError::Secret)?;
        authorization.set_sensitive(true);
        let (application, timeout) = (application.to_owned(), REQUEST_TIMEOUT);
        Ok(Self { http, messages_url, account_url, application, authorization, timeout })
    }

    /// Another limit for a whole call than [`REQUEST_TIMEOUT`]. Claims are built on that number,
    /// so a longer one is for calls without a claim only.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks Bandwidth to send one text (`POST .../messages`), once.
    pub async fn send(&self, text: &MessageRequest<'_>) -> CarrierReply {
        let mut request = self.request(Method::POST, self.messages_url.clone());
        set_body(&mut request, JSON, text.json(&self.application), text.traceparent);

        match call(&self.http, request, MAX_REPLY_BYTES).await {
            Ok(reply) => classify(reply.status, retry_after(&reply.headers), &reply.body),
            Err(fault) => fault.into(),
        }
    }

    pub(super) fn request(&self, method: Method, url: Url) -> Request {
        account_request(method, url, &self.authorization, self.timeout)
    }

    /// A resource of the account API.
    pub(super) fn account_resource(&self, name: &str) -> Url {
        let mut url = self.account_url.clone();
        url.set_path(&format!("{}/{name}", self.account_url.path()));
        url
    }

    pub(super) fn messages_url(&self) -> Url {
        self.messages_url.clone()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("bandwidth::Client")
            .field("messages_url", &self.messages_url.as_str())
            .field("application", &self.application)
            .finish_non_exhaustive()
    }
}

// === impl MessageRequest ===

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    application_id: &'a str,
    to: [&'a str; 1],
    from: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    media: &'a [String],
    tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

impl MessageRequest<'_> {
    fn json(&self, application_id: &str) -> String {
        let Self { to, from, media, tag, .. } = *self;
        // Media need no text beside them.
        let text = Some(self.text).filter(|text| media.is_empty() || !text.is_empty());
        let expiration = self.expires_at.map(wire_time);
        let body = Body { application_id, to: [to], from, text, media, tag, expiration };
        serde_json::to_string(&body).expect("a flat struct of texts encodes")
    }
}

impl fmt::Debug for MessageRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRequest")
            .field("to", &Hidden(self.to))
            .field("from", &Hidden(self.from))
            .field("text", &Hidden(self.text))
            .field("media", &self.media.len())
            .field("tag", &self.tag)
            .field("expires_at", &self.expires_at)
            .field("traceparent", &self.traceparent)
            .finish()
    }
}

/// A time as Bandwidth writes it, to the millisecond.
pub(super) fn wire_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
