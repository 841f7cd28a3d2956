//! The call that sends a message. One call is one HTTP request: nothing is retried here.

use std::{fmt, time::Duration};

use http::{HeaderValue, Method};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};

use super::{
    classify::classify,
    content::{MessageContent, Recipient},
    credentials::Credentials,
    is_node,
};
use crate::{
    answer::{CarrierReply, Refusal},
    http::{JSON, REQUEST_TIMEOUT, account_request, call, retry_after, set_body},
    redact::Hidden,
    setup::{SetupError, endpoint},
};

/// The version of the Graph API that is called.
pub const VERSION: &str = "v21.0";

/// The code of a call whose parameter is wrong: what Meta would say of a sender that is no number
/// of its own.
const INVALID_PARAMETER: u32 = 100;

/// One WhatsApp Business Account. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) base_url: String,
    pub(super) account: String,
    authorization: HeaderValue,
    timeout: Duration,
}

/// One message to be sent, in WhatsApp's terms.
#[derive(Clone, Copy)]
pub struct WhatsappMessage<'a> {
    /// The id of the number that it leaves from.
    pub from: &'a str,
    /// Who it is for.
    pub to: Recipient<'a>,
    /// What it holds.
    pub content: MessageContent<'a>,
    /// What every status brings back (`biz_opaque_callback_data`, at most 512 characters); see
    /// [`crate::tag::tag()`].
    pub callback_data: &'a str,
    /// W3C trace context, passed on as the `traceparent` header; an unusable value is left out.
    pub traceparent: Option<&'a str>,
}

/// A reply to a send names ids alone.
const MAX_REPLY_BYTES: usize = 64 * 1024;

// === impl Client ===

impl Client {
    /// A client for one account: `account` is its id, `secret` is [`Credentials`] as one text.
    /// `base_url` must have passed [`crate::check_base_url`].
    ///
    /// # Errors
    /// Says which setting is unusable.
    pub fn new(
        http: reqwest::Client,
        base_url: &str,
        account: &str,
        secret: &SecretString,
    ) -> Result<Self, SetupError> {
        if !is_node(account) {
            return Err(SetupError::BusinessAccount);
        }
        let credentials = Credentials::read(secret.expose_secret());
        let credentials = credentials.ok_or(SetupError::TokenSecretVerify)?;

        let (base_url, account) = (endpoint(base_url, "")?.to_string(), account.to_owned());
        let bearer = format!("Bearer {}", credentials.access_token);
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|_| SetupError::Secret)?;
        authorization.set_sensitive(true);
        Ok(Self { http, base_url, account, authorization, timeout: REQUEST_TIMEOUT })
    }

    /// Another limit for a whole call than [`REQUEST_TIMEOUT`]. Claims are built on that number,
    /// so a longer one is for calls without a claim only.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks WhatsApp to send one message (`POST /{version}/{phone_number_id}/messages`), once.
    pub async fn send(&self, message: &WhatsappMessage<'_>) -> CarrierReply {
        let Some(url) = self.url(message.from, "messages") else {
            return CarrierReply::Refused { code: INVALID_PARAMETER, reason: Refusal::Sender };
        };

        let body = message.content.json(message.to, message.callback_data).to_string();
        let mut request = self.request(Method::POST, url);
        set_body(&mut request, JSON, body, message.traceparent);

        match call(&self.http, request, MAX_REPLY_BYTES).await {
            Ok(reply) => classify(reply.status, retry_after(&reply.headers), &reply.body),
            Err(fault) => fault.into(),
        }
    }

    /// The address of what belongs to a node: an account, or a number; none where the id is none.
    pub(super) fn url(&self, node: &str, edge: &str) -> Option<Url> {
        let path = format!("/{VERSION}/{node}/{edge}");
        is_node(node).then(|| endpoint(&self.base_url, &path).ok()).flatten()
    }

    pub(super) fn request(&self, method: Method, url: Url) -> Request {
        account_request(method, url, &self.authorization, self.timeout)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("whatsapp::Client")
            .field("base_url", &self.base_url)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for WhatsappMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Recipient::Number(to) | Recipient::User(to)) = self.to;
        f.debug_struct("WhatsappMessage")
            .field("from", &self.from)
            .field("to", &Hidden(to))
            .field("callback_data", &self.callback_data)
            .field("traceparent", &self.traceparent)
            .finish_non_exhaustive()
    }
}
