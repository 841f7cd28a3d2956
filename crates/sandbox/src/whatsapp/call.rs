//! What a handler works with.

use std::sync::Arc;

use crate::{app::App, reply::Form};

/// One authenticated call of the API.
pub(super) struct Call<'a> {
    pub(super) app: &'a Arc<App>,
    /// The index of the account that calls.
    pub(super) account: u16,
    /// The id of the business account.
    pub(super) business: Arc<str>,
    pub(super) body: &'a [u8],
    pub(super) query: &'a Form,
    /// Where the caller has found the API: the host that it named, and the version.
    pub(super) root: String,
    /// The `traceparent` header, where the caller sent one.
    pub(super) trace: Option<&'a str>,
}
