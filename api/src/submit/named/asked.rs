//! What the database must be asked about the messages of a request.

use domain::ids::{PoolId, SenderId};

use super::super::kept::KeptName;

/// What is not known of the messages of a request.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) senders: Vec<SenderId>,
    pub(super) pools: Vec<PoolId>,
    /// Messages of templates, by their index.
    pub(super) drafts: Vec<usize>,
    /// Templates of carriers.
    pub(super) kept: Vec<KeptName>,
}

impl Asked {
    pub(super) fn is_empty(&self) -> bool {
        self.senders.is_empty()
            && self.pools.is_empty()
            && self.drafts.is_empty()
            && self.kept.is_empty()
    }
}
