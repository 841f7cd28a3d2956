//! What callers give a carrier with a text to have it back with every receipt.

use std::sync::Arc;

use crate::reply::Form;

/// What tells the caller's messages apart: the part `message` of a tag that has the form of a
/// query, else the whole tag.
pub(crate) fn reference(tag: &str) -> Arc<str> {
    let parts = Form::parse(tag.as_bytes());
    let message = parts.as_ref().and_then(|parts| parts.get("message"));
    message.unwrap_or(tag).into()
}
