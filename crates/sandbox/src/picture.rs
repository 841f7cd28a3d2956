//! The picture that people send: the same small one, whoever sends it.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::LOCATION};

use crate::reply::{self, Reply};

/// How many pictures one text brings at most.
pub(crate) const MOST: u8 = 10;

/// The type that the carriers say it has.
pub(crate) const TYPE: &str = "image/png";

/// The picture itself.
pub(crate) const BYTES: &[u8] = include_bytes!("../data/picture.png");

/// Where Twilio's redirects lead: to a server that wants no credentials.
const OPEN: &str = "/sandbox/pictures/picture.png";

/// Whether a path below `/sandbox/` is that of the picture.
pub(crate) fn is_open_path(rest: &str) -> bool {
    OPEN.strip_prefix("/sandbox/") == Some(rest)
}

/// The answer that is the picture.
pub(crate) fn answer() -> Response<Reply> {
    reply::whole(StatusCode::OK, TYPE, Bytes::from_static(BYTES))
}

/// The way to it.
pub(crate) fn redirect() -> Response<Reply> {
    let mut response =
        reply::whole(StatusCode::TEMPORARY_REDIRECT, "text/plain", Bytes::from_static(b"moved"));
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(OPEN));
    response
}
