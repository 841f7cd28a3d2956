//! The demo is an outsider: it calls the public API, the sandbox's control calls, and nothing else.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// How long an answer that is read line by line may take.
const LINES: Duration = Duration::from_secs(300);

/// A caller of one server, with one key.
#[derive(Clone)]
pub struct HttpCaller {
    http: reqwest::Client,
    base: String,
    key: Option<SecretString>,
}

/// One call, with the media type of its body.
struct Call<'a> {
    method: Method,
    path: &'a str,
    body: Option<(&'a str, String)>,
    idempotency_key: Option<&'a str>,
}

impl<'a> Call<'a> {
    fn of(method: Method, path: &'a str, body: Option<(&'a str, String)>) -> Self {
        Self { method, path, body, idempotency_key: None }
    }
}

impl HttpCaller {
    /// A caller with an API key, or of a server that wants none.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(base: &str, key: Option<SecretString>) -> anyhow::Result<Self> {
        Ok(Self { http: carriers::http::client()?, base: base.to_owned(), key })
    }

    /// GET of JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.call(Method::GET, path, None).await?)?)
    }

    /// GET of a text, as it comes.
    pub async fn get_text(&self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.call(Method::GET, path, None).await?)?)
    }

    /// GET of lines, each read as it comes: the answer may be larger than memory.
    pub async fn each_line(
        &self,
        path: &str,
        take: &mut impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let url = format!("{}{path}", self.base);
        let request = self.http.get(&url).timeout(LINES);
        let mut answer = request.send().await.context(url)?.error_for_status()?;

        let mut read = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            read.extend_from_slice(&chunk);
            let whole = read.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            for line in std::str::from_utf8(&read[..whole])?.lines() {
                take(line)?;
            }
            read.drain(..whole);
        }
        Ok(())
    }

    /// POST of JSON; gives the answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, body).await
    }

    /// POST of JSON under an `Idempotency-Key`; gives the answer.
    pub async fn post_keyed(&self, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
        let mut call = Call::of(Method::POST, path, Some(("application/json", body.to_string())));
        call.idempotency_key = Some(key);
        self.json(call).await
    }

    /// PUT of JSON; gives the answer.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, body).await
    }

    /// POST of a text of this media type.
    pub async fn post_text(&self, path: &str, kind: &str, text: String) -> anyhow::Result<Value> {
        let answer = self.call(Method::POST, path, Some((kind, text))).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    /// POST of a form with basic authentication, as a carrier's console would.
    pub async fn post_form(
        &self,
        path: &str,
        user: &str,
        password: &str,
        form: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        let url = format!("{}{path}", self.base);
        let request = self.http.post(&url).basic_auth(user, Some(password)).form(form);
        request.send().await.context(url)?.error_for_status()?;
        Ok(())
    }

    /// GET with basic authentication, as JSON.
    pub async fn get_basic(&self, path: &str, user: &str, password: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.base);
        let request = self.http.get(&url).basic_auth(user, Some(password));
        let answer = request.send().await.context(url)?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json(Call::of(method, path, Some(("application/json", body.to_string())))).await
    }

    /// A call whose answer is JSON, or nothing.
    async fn json(&self, call: Call<'_>) -> anyhow::Result<Value> {
        let answer = self.make(call).await?;
        Ok(if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer)? })
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, String)>,
    ) -> anyhow::Result<Vec<u8>> {
        self.make(Call::of(method, path, body)).await
    }

    async fn make(&self, call: Call<'_>) -> anyhow::Result<Vec<u8>> {
        let Call { method, path, body, idempotency_key } = call;
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method.clone(), &url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some((kind, text)) = body {
            request = request.header("content-type", kind).body(text);
        }

        let answer = request.send().await.with_context(|| format!("{method} {url}"))?;
        let status = answer.status();
        let bytes = answer.bytes().await?.to_vec();
        if status >= StatusCode::BAD_REQUEST {
            bail!("{method} {path} answered {status}: {}", String::from_utf8_lossy(&bytes));
        }
        Ok(bytes)
    }
}
