//! The HTTP client that every provider's client shares, what the requests of accounts have in
//! common, and the two readings of a reply: a bounded body and `Retry-After`.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{Request, Url};

pub use crate::tls::install_crypto;

/// How long making a connection may take, TLS included. Below the request timeout, so that a
/// connection that was never made is known as such.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a whole call may take, from its start to the last byte of the reply. Claims in `send`
/// are built on this number (architecture section 6).
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Idle connections kept per host: as many as calls may be in flight.
pub const MAX_IDLE_PER_HOST: usize = 256;

/// Shorter than the idle limit of common load balancers (60 s), because a request on a connection
/// that the other side has just closed ends in doubt.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Longest wait that a `Retry-After` may ask for; a wrong header must not stop an account for days.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The media type of a form.
pub(crate) const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The media type of JSON.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Carries the W3C trace context.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// One pooled client: HTTP/1.1 with keep-alive, rustls, no redirects, no retries, no proxy from the
/// environment. Make one per process and clone it; clones share the pool.
///
/// # Errors
/// When the TLS set-up fails.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    builder().build()
}

/// What every client is built with.
pub(crate) fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::client_config())
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        // The pool below still moves a request to another connection when not one byte of it was
        // written: no second call can come from that.
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .tcp_nodelay(true)
        .tcp_keepalive(Duration::from_secs(15))
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .user_agent(concat!("millrace/", env!("CARGO_PKG_VERSION")))
}

/// A request of an account, which names its credentials and asks for JSON.
pub(crate) fn account_request(
    method: Method,
    url: Url,
    authorization: &HeaderValue,
    timeout: Duration,
) -> Request {
    let mut request = Request::new(method, url);
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(AUTHORIZATION, authorization.clone());
    headers.insert(ACCEPT, JSON);
    *request.headers_mut() = headers;
    *request.timeout_mut() = Some(timeout);
    request
}

/// Gives a request its body, and the trace that it goes on; an unusable `traceparent` is left out.
pub(crate) fn set_body(
    request: &mut Request,
    media_type: HeaderValue,
    body: String,
    traceparent: Option<&str>,
) {
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    if let Some(Ok(value)) = traceparent.map(HeaderValue::from_str) {
        headers.insert(TRACEPARENT, value);
    }
    *request.body_mut() = Some(body.into());
}

/// How a call ended that gave no complete reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallFault {
    /// No connection was made, so nothing left.
    NoConnection,
    /// The time was up after the request may have left.
    TimedOut,
    /// Reset, closed early or not HTTP, after the request may have left.
    Broken,
    /// The reply is longer than its limit.
    TooLong,
}

/// A complete reply.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Makes one call and reads the whole reply, at most `limit` bytes of body.
pub(crate) async fn call(
    client: &reqwest::Client,
    request: Request,
    limit: usize,
) -> Result<Reply, CallFault> {
    let mut response = client.execute(request).await.map_err(|error| fault(&error))?;
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());

    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault_of_body(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(CallFault::TooLong);
        }
        body.extend_from_slice(&chunk);
    }

    Ok(Reply { status, headers, body })
}

/// Seconds (fractions allowed) or an HTTP date, which is read against the reply's own `Date`, so
/// that clocks need not agree. None if absent or unreadable; at most an hour.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return bounded(seconds);
    }

    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    let parser = DateTimeParser::new();
    let until = parser.parse_timestamp(value).ok()?;
    let since = parser.parse_timestamp(date).ok()?;
    bounded(until.duration_since(since).as_secs_f64().max(0.0))
}

pub(crate) fn bounded(seconds: f64) -> Option<Duration> {
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(wait.min(MAX_RETRY_AFTER))
}

/// A timeout while connecting is both; that no connection was made is the stronger fact.
fn fault(error: &reqwest::Error) -> CallFault {
    if error.is_connect() { CallFault::NoConnection } else { fault_of_body(error) }
}

fn fault_of_body(error: &reqwest::Error) -> CallFault {
    if error.is_timeout() { CallFault::TimedOut } else { CallFault::Broken }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue};

    use super::retry_after;

    fn wait(retry: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(retry));
        if let Some(date) = date {
            headers.insert("date", HeaderValue::from_static(date));
        }
        retry_after(&headers)
    }

    #[test]
    fn retry_after_reads_seconds_fractions_and_dates() {
        let date = Some("Fri, 20 Nov 2026 08:00:00 GMT");
        assert_eq!(wait("7", None), Some(Duration::from_secs(7)));
        assert_eq!(wait("0.25", None), Some(Duration::from_millis(250)));
        assert_eq!(wait("Fri, 20 Nov 2026 08:00:30 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(wait("Fri, 20 Nov 2026 07:00:00 GMT", date), Some(Duration::ZERO));
    }

    #[test]
    fn a_senseless_retry_after_is_no_wish_and_a_long_one_is_cut() {
        for value in ["", "soon", "-5", "NaN", "Fri, 20 Nov 2026 08:00:30 GMT"] {
            assert_eq!(wait(value, None), None, "{value}");
        }
        assert_eq!(wait("inf", None), None);
        assert_eq!(wait("9999999", None), Some(Duration::from_secs(3600)));
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
