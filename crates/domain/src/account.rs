//! What it takes to call a carrier for an account, as it is stored. Plain data between the store,
//! which reads it, and the carriers' clients, which are made from it.

use std::fmt;

/// One account at its carrier.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Access {
    /// The carrier's name.
    pub carrier: String,
    /// The account's id at the carrier.
    pub carrier_sid: String,
    /// Where the carrier's API is.
    pub base_url: String,
    /// The account's secret under the master key.
    pub sealed_token: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("carrier", &self.carrier)
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}
