//! One call of the Messages API (`POST /v1/messages`), without streaming and without retries.

use std::{fmt, time::Duration};

use http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::error::{AiError, AiFault};
use crate::{
    http::call,
    setup::{SetupError, endpoint},
};

/// One API key. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    key: HeaderValue,
    timeout: Duration,
}

/// One message of the conversation.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Message<'a> {
    /// Who wrote it.
    pub(super) role: Speaker,
    /// The text; must not be empty.
    pub(super) content: &'a str,
}

/// Who wrote a message of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Speaker {
    /// The person who texts.
    User,
    /// The model that answers.
    Assistant,
}

/// The version of the API that this client speaks. Sampling parameters are not part of it.
const API_VERSION: HeaderValue = HeaderValue::from_static("2026-10-21");

/// Answers to texts are short; a model may still take most of a minute.
const TIMEOUT: Duration = Duration::from_secs(60);

const MAX_REPLY_BYTES: usize = 1024 * 1024;

// === impl Client ===

impl Client {
    /// A client with one API key. `base_url` must have passed [`crate::check_base_url`]. A call
    /// may take 60 s.
    ///
    /// # Errors
    /// Says which setting is unusable.
    pub fn new(
        http: reqwest::Client,
        base_url: &str,
        key: &SecretString,
    ) -> Result<Self, SetupError> {
        let url = endpoint(base_url, "/v1/messages")?;
        let key = key.expose_secret();
        if key.is_empty() {
            return Err(SetupError::Secret);
        }

        let mut key = HeaderValue::from_str(key).map_err(|_| SetupError::Secret)?;
        key.set_sensitive(true);
        Ok(Self { http, url, key, timeout: TIMEOUT })
    }

    /// Another limit for a whole call than 60 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a whole call may take.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Asks once, and reads what a 2xx holds.
    ///
    /// # Errors
    /// Everything but a readable answer; [`AiError::next_step`] says what may be done.
    pub(super) async fn post<R>(
        &self,
        request: &impl Serialize,
        read: impl Fn(&[u8]) -> Option<R>,
    ) -> Result<R, AiError> {
        let body = serde_json::to_vec(request).expect("texts and numbers encode");

        let mut post = reqwest::Request::new(Method::POST, self.url.clone());
        let headers = post.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("x-api-key"), self.key.clone());
        headers.insert(HeaderName::from_static("anthropic-version"), API_VERSION);
        *post.timeout_mut() = Some(self.timeout);
        *post.body_mut() = Some(body.into());

        let reply = call(&self.http, post, MAX_REPLY_BYTES).await.map_err(AiError::of_fault)?;
        let unreadable = || {
            let mut error = AiError::of_reply(&reply);
            error.fault = AiFault::Unreadable;
            error
        };

        match reply.status {
            200..=299 => read(&reply.body).ok_or_else(unreadable),
            0..=199 | 300.. => Err(AiError::of_reply(&reply)),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_str();
        f.debug_struct("anthropic::Client").field("url", &url).finish_non_exhaustive()
    }
}
