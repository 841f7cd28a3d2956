//! What brings the addresses of a contact together, or takes them apart.

use domain::ids::TenantId;
use jiff::Timestamp;
use sqlx::types::Uuid;

/// Addresses come together in one contact.
pub struct SpreadAct<'a> {
    /// Whose contact it is.
    pub tenant: &'a TenantId,
    /// What the lines of the ledger name: the merge, or the contact that got an address.
    pub id: Uuid,
    /// Business time of the act.
    pub at: Timestamp,
    /// Who did it: API key, user, stage.
    pub by: &'a str,
}
