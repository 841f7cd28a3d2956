//! One call back to whoever asked for it.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Uri};
use tokio::sync::oneshot;

use crate::retries::Retries;

/// A `POST` to be made.
pub(crate) struct Delivery {
    pub(crate) uri: Uri,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    /// The ledger's generation that it belongs to; a reset makes its retries void.
    pub(crate) generation: u32,
    /// Retries so far.
    pub(crate) retries: u8,
    /// What its address says of retries, where the carrier lets it say that.
    pub(crate) overrides: Option<Retries>,
    /// Told, by being dropped or used, when the call has ended.
    pub(crate) ended: Option<oneshot::Sender<()>>,
}

impl Delivery {
    /// The same call once more, as a carrier's own retry.
    pub(crate) fn again(&self) -> Box<Self> {
        Box::new(Self {
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            generation: self.generation,
            retries: self.retries,
            overrides: self.overrides,
            ended: None,
        })
    }
}
