//! The trace that a request belongs to: W3C `traceparent`, taken from the caller or begun here.

use std::sync::Arc;

use axum::http::{HeaderMap, request::Parts};

use crate::ids;

/// The header of W3C Trace Context.
const HEADER: &str = "traceparent";

/// A well-formed `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace(Arc<str>);

impl Trace {
    /// The caller's trace if it is well formed, else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match given.filter(|text| is_traceparent(text)) {
            Some(text) => Self(text.into()),
            None => Self::begin(),
        }
    }

    /// The text, for payloads.
    pub(crate) fn to_owned(&self) -> Option<String> {
        Some(self.0.as_ref().into())
    }

    fn begin() -> Self {
        let trace = ids::fresh().simple();
        let (span, _) = ids::fresh().as_u64_pair();
        Self(format!("00-{trace}-{:016x}-01", span.max(1)).into())
    }
}

impl<S: Sync> axum::extract::FromRequestParts<S> for Trace {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, lower case, no id all zeros.
fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str, len| {
        part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let id = |part: &str, len| hex(part, len) && part.bytes().any(|b| b != b'0');
    let mut parts = text.split('-');
    let (version, trace) = (parts.next(), parts.next());
    let (span, flags, rest) = (parts.next(), parts.next(), parts.next());

    version == Some("00")
        && trace.is_some_and(|part| id(part, 32))
        && span.is_some_and(|part| id(part, 16))
        && flags.is_some_and(|part| hex(part, 2))
        && rest.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_trace_is_kept_and_anything_else_is_replaced() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, good.parse().expect("a header"));
        assert_eq!(&*Trace::of(&headers).0, good);

        for bad in [
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "x",
            "",
        ] {
            headers.insert(HEADER, bad.parse().expect("a header"));
            let begun = Trace::of(&headers);
            assert!(is_traceparent(&begun.0), "{}", begun.0);
            assert_ne!(&*begun.0, bad);
        }
    }
}
