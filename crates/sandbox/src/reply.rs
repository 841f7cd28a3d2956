//! HTTP as the sandbox needs it: reading a body with a limit, answering in one piece or in a
//! stream, and the error form of the control API.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

use crate::encode;

/// The largest request body that is read.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// What a handler returns: an answer, or the wish to cut the connection.
pub(crate) type Answer = Result<Response<Reply>, Cut>;

/// How a connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Closed in order, as by a proxy that dies.
    Close,
    /// Reset, as by a host that vanishes.
    Reset,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection was cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// The body of an answer.
pub(crate) enum Reply {
    Whole(Bytes),
    /// Made chunk by chunk while it is sent.
    Chunks(Box<dyn Iterator<Item = Bytes> + Send>),
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = match self.get_mut() {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(std::mem::take(bytes)),
            Self::Chunks(chunks) => chunks.next(),
        };
        Poll::Ready(chunk.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Chunks(_) => SizeHint::default(),
        }
    }
}

/// Why a body could not be read.
pub(crate) enum Unread {
    TooLarge,
    Broken,
}

/// Reads a whole body of at most [`MAX_BODY`] bytes.
pub(crate) async fn read_body<B>(mut body: B) -> Result<Bytes, Unread>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut whole = BytesMut::new();
    let mut first: Option<Bytes> = None;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let so_far = whole.len() + first.as_ref().map_or(0, Bytes::len);
        if so_far + data.len() > MAX_BODY {
            return Err(Unread::TooLarge);
        }

        // Nearly every body is one frame, which needs no copy.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(head) => {
                whole.extend_from_slice(&head);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}

/// A number for the id of an answer; each is given once.
pub(crate) fn request_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Decoded `name=value` pairs, in their order.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form body or a query; `None` when it is not one.
    pub(crate) fn parse(encoded: &[u8]) -> Option<Self> {
        serde_urlencoded::from_bytes(encoded).ok().map(Self)
    }

    /// The first value of a name, if it is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// The first value of a name, also when it is empty.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// All pairs, in their order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every value of a name, in their order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// An answer with a body in one piece.
pub(crate) fn whole(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Reply> {
    let mut response = Response::new(Reply::Whole(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// An answer in JSON.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Reply> {
    whole(status, "application/json", Bytes::from(encode::to_vec(value)))
}

/// An error of the control API, as `application/problem+json`.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response<Reply> {
    let body = serde_json::json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    whole(status, "application/problem+json", Bytes::from(body.to_string()))
}
