//! Ids, names and queries of a URL, with problems instead of plain texts when they are wrong.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use domain::storable::{UNSTORABLE_TEXT, is_storable};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{
    problem::{Kind, Problem},
    unstorable::unstorable_parameter,
};

/// The id in the path. One that is not a UUID names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Name(text) = Name::from_request_parts(parts, state).await?;
        let none = |_| Problem::new(Kind::NotFound, "the id in the path is not a UUID");
        text.parse().map(Self).map_err(none)
    }
}

/// The name in the path, as text.
#[derive(Debug, Clone)]
pub(crate) struct Name(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let none = |_| Problem::new(Kind::NotFound, "the path cannot be read");
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(none)?;
        // Nothing has a name that cannot be stored.
        if is_storable(&text) {
            Ok(Self(text))
        } else {
            Err(Problem::new(Kind::NotFound, UNSTORABLE_TEXT))
        }
    }
}

/// The query of the URL, decoded.
#[derive(Debug, Clone)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if let Some(name) = unstorable_parameter(query) {
            return Err(Problem::field(&name, "invalid_character", UNSTORABLE_TEXT));
        }
        serde_urlencoded::from_str(query).map(Self).map_err(|error| {
            let why = error.to_string();
            // "missing field `x`" and the like; other words may quote a part of the value.
            let names_it = why.contains(" field `");
            let named = why.split('`').nth(1).filter(|_| names_it).map(str::to_owned);
            let field = named.or_else(|| at_fault::<T>(query, &why));
            // The words of the decoder help nobody: values that the document gives a form were
            // checked before (`parameters`).
            let detail = "this cannot be read as the document (GET /openapi.json) describes it";
            Problem::field(field.as_deref().unwrap_or("query"), "invalid_query", detail)
        })
    }
}

/// The parameter that a decoder objects to, which its words do not name: the one that it objects to
/// in the same words when it stands alone.
fn at_fault<T: DeserializeOwned>(query: &str, why: &str) -> Option<String> {
    let mut parameters = query.split('&').map(|parameter| (parameter, parameter.split_once('=')));
    parameters.find_map(|(parameter, named)| {
        let alone = serde_urlencoded::from_str::<T>(parameter);
        let is_it = alone.is_err_and(|error| error.to_string() == why);
        named.filter(|_| is_it).map(|(name, _)| name.to_owned())
    })
}
