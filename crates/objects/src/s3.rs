//! A bucket's client: requests are signed by `object_store` and made by the one HTTP client that
//! all of Millrace has, so that there is one TLS set-up and one list of roots.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use reqwest::Url;
use secrecy::ExposeSecret;

use crate::{place::Bucket, size::MOST_BYTES};

/// How often a call is made again that the store has not answered, and for how long: whoever asked
/// for it tries again by itself.
const RETRIES: usize = 2;
const RETRY_FOR: Duration = Duration::from_secs(10);

/// The longest answer that is read: an object, or a page about what is wrong.
const LONGEST: usize = MOST_BYTES as usize + 64 * 1024;

/// The client of a bucket. Says nothing yet about whether the bucket is there.
pub(crate) fn client(
    bucket: &Bucket,
    http: reqwest::Client,
) -> Result<AmazonS3, object_store::Error> {
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: RETRIES,
        retry_timeout: RETRY_FOR,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_access_key_id(&bucket.key_id)
        .with_secret_access_key(bucket.secret.expose_secret())
        .with_retry(retry)
        // One object, one request: not every store has the call that removes many.
        .with_disable_bulk_delete(true)
        .with_http_connector(Connector(http));
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    builder.build()
}

/// Gives the store the client that there is.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> Result<HttpClient, object_store::Error> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(reqwest::Client);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // ask
        let (head, body) = request.into_parts();
        let url: Url = head.uri.to_string().parse().map_err(unusable)?;
        let body = body.collect().await?.to_bytes();
        let mut request = reqwest::Request::new(head.method, url);
        *request.headers_mut() = head.headers;
        *request.body_mut() = Some(body.into());
        let mut response = self.0.execute(request).await.map_err(failed)?;

        // read
        let mut answer = http::Response::new(());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        let body = read(response).await?;
        Ok(answer.map(|()| HttpResponseBody::from(body)))
    }
}

/// The body of an answer, of at most so many bytes.
async fn read(mut response: reqwest::Response) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LONGEST {
            return Err(unusable(TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

#[derive(Debug, thiserror::Error)]
#[error("the answer is longer than an object")]
struct TooLong;

fn failed(error: reqwest::Error) -> HttpError {
    let kind = if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}
