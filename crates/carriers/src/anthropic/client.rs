//! One call of the Messages API (`POST /v1/messages`), without streaming and without retries.

use std::{fmt, time::Duration};

use domain::storable::storable;
use http::{HeaderName, HeaderValue, Method, header::CONTENT_TYPE};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::{AiError, AiFault};
use crate::{
    http::call,
    redact::Hidden,
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

/// One question to the model.
#[derive(Clone, Copy, Serialize)]
pub struct Request<'a> {
    /// The model's name; comes from settings.
    pub model: &'a str,
    /// Instructions; left out when empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub system: &'a str,
    /// The conversation so far, the oldest first, a user's message last.
    pub messages: &'a [Message<'a>],
    /// Longest answer, in tokens.
    pub max_tokens: u32,
}

/// One message of the conversation.
#[derive(Clone, Copy, Serialize)]
pub struct Message<'a> {
    /// Who wrote it.
    pub role: Speaker,
    /// The text; must not be empty.
    pub content: &'a str,
}

/// Who wrote a message of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    /// The person who texts.
    User,
    /// The model that answers.
    Assistant,
}

/// The model's answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// All text blocks, joined; empty if there were none.
    pub text: String,
    /// Why the model stopped. Only [`StopReason::is_complete`] texts may be sent on.
    pub stop_reason: StopReason,
    /// Tokens read, those to and from the prompt cache included.
    pub input_tokens: u64,
    /// Tokens that the model wrote.
    pub output_tokens: u64,
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The answer is complete.
    EndTurn,
    /// The answer was cut at `max_tokens`.
    MaxTokens,
    /// A stop sequence was written.
    StopSequence,
    /// The model wants to call a tool.
    ToolUse,
    /// A long turn was paused.
    PauseTurn,
    /// The model refuses to answer.
    Refusal,
    /// The conversation is too long for the model.
    ModelContextWindowExceeded,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
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

    /// Asks the model once.
    ///
    /// # Errors
    /// Everything but a readable message; [`AiError::next_step`] says what may be done.
    pub async fn message(&self, request: Request<'_>) -> Result<Reply, AiError> {
        self.post(&request, read_message).await
    }

    /// Asks once, and reads what a 2xx holds.
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

// === impl Request, Message, Reply, StopReason ===

impl StopReason {
    /// True if the text is whole and meant as an answer.
    pub fn is_complete(self) -> bool {
        match self {
            Self::EndTurn | Self::StopSequence => true,
            Self::MaxTokens
            | Self::ToolUse
            | Self::PauseTurn
            | Self::Refusal
            | Self::ModelContextWindowExceeded
            | Self::Other => false,
        }
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("model", &self.model)
            .field("system", &Hidden(self.system))
            .field("messages", &self.messages)
            .field("max_tokens", &self.max_tokens)
            .finish()
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("role", &self.role)
            .field("content", &Hidden(self.content))
            .finish()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("text", &Hidden(&self.text))
            .field("stop_reason", &self.stop_reason)
            .field("input_tokens", &self.input_tokens)
            .field("output_tokens", &self.output_tokens)
            .finish()
    }
}

// === the wire form ===

#[derive(Deserialize)]
struct WireMessage {
    content: Vec<WireBlock>,
    stop_reason: StopReason,
    usage: WireUsage,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WireBlock {
    Text {
        text: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct WireUsage {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
}

fn read_message(body: &[u8]) -> Option<Reply> {
    let wire: WireMessage = serde_json::from_slice(body).ok()?;
    let mut text = String::new();
    for block in &wire.content {
        match block {
            WireBlock::Text { text: part } => text.push_str(part),
            WireBlock::Other => {}
        }
    }

    let usage = &wire.usage;
    let cached =
        usage.cache_creation_input_tokens.unwrap_or(0) + usage.cache_read_input_tokens.unwrap_or(0);

    Some(Reply {
        text: storable(text),
        stop_reason: wire.stop_reason,
        input_tokens: usage.input_tokens + cached,
        output_tokens: usage.output_tokens,
    })
}
