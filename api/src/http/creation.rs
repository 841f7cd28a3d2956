//! POSTs that create: authenticated, decoded, inside a transaction, and under their
//! `Idempotency-Key` if they have one: same key and body, same answer for 24 hours.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use store::{
    idempotency::{self, Begun},
    settings::tenants::Tenant,
};
use utoipa::IntoParams;

use super::{
    body::{JSON_LIMIT, decode, expect_json, read_body},
    problem::Problem,
    view::located,
};
use crate::{
    app::App,
    auth::{Allowed, Caller, Needs},
    ids,
    transactions::TenantTx,
};

/// The header that names a creation, so that it can be repeated.
const HEADER: &str = "idempotency-key";

/// One POST that creates something by a caller with the permission `P`, its transaction open.
/// [`Creation::finish`] commits.
pub(crate) struct Creation<P, T> {
    /// The caller who asks for it.
    pub(crate) caller: Caller,
    /// What they ask for.
    pub(crate) body: T,
    /// The transaction to write in, scoped to their tenant.
    pub(crate) tx: TenantTx,
    /// Their tenant. Read before the transaction began: whoever holds a connection and waits for
    /// another can wait for ever.
    pub(crate) tenant: Arc<Tenant>,
    /// The business time of the request.
    pub(crate) now: Timestamp,
    key: Option<String>,
    permission: PhantomData<fn() -> P>,
}

impl<P: Needs, T: DeserializeOwned + Send> FromRequest<App> for Creation<P, T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        Self::read(request, app, JSON_LIMIT, |headers, bytes| {
            expect_json(headers)?;
            decode(bytes)
        })
        .await
    }
}

impl<P: Needs, T> Creation<P, T> {
    /// Reads a body of at most `limit` bytes, which `decode` understands by the request's headers.
    pub(crate) async fn read(
        request: Request,
        app: &App,
        limit: usize,
        decode: impl FnOnce(&HeaderMap, &[u8]) -> Result<T, Problem>,
    ) -> Result<Self, Response> {
        // parse
        let (parts, body) = request.into_parts();
        let caller = Allowed::<P>::of(&parts).map_err(Problem::into_response)?.into_caller();
        let key = key_of(&parts.headers).map_err(Problem::into_response)?;
        let bytes = read_body(app, &caller, body, limit).await.map_err(Problem::into_response)?;
        let body = decode(&parts.headers, &bytes).map_err(Problem::into_response)?;

        // load
        let tenant = app.tenants.get(&app.store, &caller.tenant).await;
        let tenant = tenant.map_err(Problem::into_response)?;
        let tx = app.transactions.begin(&caller.tenant).await;
        let tx = tx.map_err(Problem::into_response)?;

        // record
        let hash = Sha256::new()
            .chain_update(parts.uri.path())
            .chain_update([0])
            .chain_update(&bytes)
            .finalize();
        let (now, permission) = (app.now(), PhantomData);
        let mut creation = Self { now, caller, body, tx, tenant, key, permission };
        creation.begin(&hash.into()).await?;
        Ok(creation)
    }

    /// Records that the key is used. The error is the first answer, where this is a repeat of it.
    async fn begin(&mut self, body_hash: &[u8; 32]) -> Result<(), Response> {
        let Some(key) = &self.key else { return Ok(()) };

        let machine = stage::machine::now();
        let tenant = &self.caller.tenant;
        let begun = idempotency::begin(&mut self.tx, tenant, key, body_hash, machine).await;

        let begun = begun.map_err(|fault| Problem::from(fault).into_response())?;
        match first_answer(begun).map_err(IntoResponse::into_response)? {
            Some(answer) => Err(answer),
            None => Ok(()),
        }
    }

    /// Commits what was written, and answers; a repeat under the same key gets the same answer.
    pub(crate) async fn finish<A: Serialize>(
        self,
        status: StatusCode,
        answer: &A,
    ) -> Result<Response, Problem> {
        self.end(status, answer, None).await
    }

    /// The same, with the path of what was made as `Location`.
    pub(crate) async fn finish_at<A: Serialize>(
        self,
        status: StatusCode,
        answer: &A,
        path: &str,
    ) -> Result<Response, Problem> {
        Ok(located(self.end(status, answer, Some(path)).await?, path))
    }

    async fn end<A: Serialize>(
        mut self,
        status: StatusCode,
        answer: &A,
        path: Option<&str>,
    ) -> Result<Response, Problem> {
        if let Some(key) = &self.key {
            let json = wire::json::to_value(answer);
            let (tx, tenant) = (&mut self.tx, &self.caller.tenant);
            idempotency::finish(tx, tenant, key, status.as_u16(), &json, path).await?;
        }

        self.tx.commit().await?;
        Ok((status, axum::Json(answer)).into_response())
    }
}

/// The answer that a repeat gets: the first one, with `Idempotent-Replayed`. None where this is the
/// first.
///
/// # Errors
/// The key was used with something else.
pub(crate) fn first_answer(begun: Begun) -> Result<Option<Response>, Problem> {
    match begun {
        Begun::First => Ok(None),
        Begun::Repeat { status, response, location } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut answer = (status, axum::Json(response)).into_response();
            let repeated = HeaderValue::from_static("true");
            answer.headers_mut().insert("idempotent-replayed", repeated);
            Ok(Some(match location {
                Some(path) => located(answer, &path),
                None => answer,
            }))
        }
        Begun::Differs => {
            let detail = "this key was used with another body within 24 hours";
            Err(Problem::field("Idempotency-Key", "key_reused", detail))
        }
    }
}

/// The key of a request that sends messages: the caller's own, else one that is made for it.
pub(crate) struct RequestKey {
    /// What message ids are derived from.
    pub(crate) text: String,
    /// Whether the caller gave it: only then can it be another body's.
    pub(crate) is_given: bool,
}

impl RequestKey {
    /// Reads it from the headers.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let given = key_of(headers)?;
        let is_given = given.is_some();
        Ok(Self { text: given.unwrap_or_else(ids::generated_key), is_given })
    }
}

/// The header, as the document has it.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the document alone reads it")]
pub(crate) struct IdempotencyKey {
    /// Names the request: a repeat with the same body gets the same answer. The same body is one
    /// that is equal byte for byte, under the same path; of messages, one that says the same.
    #[param(
        rename = "Idempotency-Key",
        min_length = 1,
        max_length = 255,
        pattern = "^[!-~]+$",
        nullable = false
    )]
    idempotency_key: Option<String>,
}

/// The caller's key, 1 to 255 visible characters.
pub(crate) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(HEADER) else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| is_key(text));
    text.map(|text| Some(text.to_owned())).ok_or_else(|| {
        Problem::field("Idempotency-Key", "invalid", "1 to 255 visible ASCII characters")
    })
}

/// Refuses the header where the answer is a secret, which is shown once: a repeat under the same
/// key would have to show it again.
pub(crate) fn refuse_key(headers: &HeaderMap) -> Result<(), Problem> {
    let detail = "the answer is shown once, so this cannot be repeated: leave the header out";
    match key_of(headers)? {
        None => Ok(()),
        Some(_) => Err(Problem::field("Idempotency-Key", "unsupported", detail)),
    }
}

/// Whether a text can be an idempotency key.
pub(crate) fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}
