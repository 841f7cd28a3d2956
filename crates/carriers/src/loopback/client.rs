//! The client of an account: sends a text, and asks where one stands.

use std::{fmt, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use reqwest::{Request, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{OPTED_OUT, reference_text, webhook::status_of};
use crate::{
    answer::{CarrierReply, Doubt, Refusal, Throttle, ThrottleScope},
    http::{REQUEST_TIMEOUT, Reply, call, retry_after},
    outbound::Outbound,
    record::{MessageRecord, ReadError},
    setup::{SetupError, endpoint},
};

const MAX_REPLY_BYTES: usize = 64 * 1024;

/// One account of tests. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    texts_url: Url,
    authorization: HeaderValue,
    timeout: Duration,
}

impl Client {
    /// A client for one account: it posts to `{base_url}/accounts/{id}/texts`.
    ///
    /// # Errors
    /// Says which setting is unusable.
    pub fn new(
        http: reqwest::Client,
        base_url: &str,
        account_id: &str,
        secret: &SecretString,
    ) -> Result<Self, SetupError> {
        let texts_url = endpoint(base_url, &format!("/accounts/{account_id}/texts"))?;
        let authorization = format!("Bearer {}", secret.expose_secret());
        let authorization =
            HeaderValue::from_str(&authorization).map_err(|_| SetupError::Secret)?;
        Ok(Self { http, texts_url, authorization, timeout: REQUEST_TIMEOUT })
    }

    /// Another limit for a whole call than [`REQUEST_TIMEOUT`].
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks for one text to be sent, once.
    pub async fn send(&self, outbound: &Outbound<'_>) -> CarrierReply {
        let body = json!({
            "to": outbound.to,
            "from": outbound.from,
            "text": outbound.body,
            "reference": reference_text(outbound.reference),
            "valid_for": outbound.validity_seconds,
        });
        let mut request = self.request(Method::POST, self.texts_url.clone());
        *request.body_mut() = Some(body.to_string().into());

        match call(&self.http, request, MAX_REPLY_BYTES).await {
            Ok(reply) => classify(&reply),
            Err(fault) => fault.into(),
        }
    }

    /// Where one text stands; none if it is not known.
    ///
    /// # Errors
    /// When there was no usable answer.
    pub async fn fetch(&self, sid: &str) -> Result<Option<MessageRecord>, ReadError> {
        let mut url = self.texts_url.clone();
        url.set_path(&format!("{}/{sid}", url.path()));
        let request = self.request(Method::GET, url);
        let reply = call(&self.http, request, MAX_REPLY_BYTES).await;
        let reply = reply.map_err(|_| ReadError::NoConnection)?;
        match reply.status {
            404 => return Ok(None),
            200 => {}
            status => {
                return Err(ReadError::Unavailable(Doubt::Status { status, code: None }));
            }
        }

        let unreadable = ReadError::Unavailable(Doubt::Unreadable { status: 200 });
        let text: Text = serde_json::from_slice(&reply.body).map_err(|_| unreadable.clone())?;
        Ok(Some(MessageRecord {
            status: status_of(&text.status, None).ok_or(unreadable)?,
            sid: text.id,
            to: text.to,
            from: Some(text.from),
            body: text.text,
            created_at: None,
            sent_at: None,
            segments: None,
        }))
    }

    fn request(&self, method: Method, url: Url) -> Request {
        let mut request = Request::new(method, url);
        let mut headers = HeaderMap::with_capacity(2);
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.headers_mut() = headers;
        *request.timeout_mut() = Some(self.timeout);
        request
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("loopback::Client").field("texts_url", &self.texts_url.as_str()).finish()
    }
}

#[derive(Deserialize)]
struct Text {
    id: String,
    status: String,
    to: String,
    from: String,
    text: String,
}

#[derive(Deserialize)]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
struct Refused {
    code: u32,
}

fn classify(reply: &Reply) -> CarrierReply {
    let status = reply.status;
    let code = serde_json::from_slice(&reply.body).map(|Refused { code }| code).ok();
    match (status, code) {
        (201, _) => match serde_json::from_slice(&reply.body) {
            Ok(Taken { id }) => CarrierReply::Accepted { sid: id, segments: None },
            Err(_) => CarrierReply::Unknown { why: Doubt::Unreadable { status } },
        },
        (401, Some(code)) => CarrierReply::AuthFailed { code },
        (422, Some(OPTED_OUT)) => {
            CarrierReply::Refused { code: OPTED_OUT, reason: Refusal::OptedOut }
        }
        (422, Some(code)) => CarrierReply::Refused { code, reason: Refusal::Unlisted },
        (429, Some(code)) => {
            let retry_after = retry_after(&reply.headers);
            let throttle = Throttle { scope: ThrottleScope::Sender, retry_after };
            CarrierReply::NotSent { code: Some(code), throttle: Some(throttle) }
        }
        (_, code) => CarrierReply::Unknown { why: Doubt::Status { status, code } },
    }
}
