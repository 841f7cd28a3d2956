//! `dead.<stage>.<tenant>`: a message that could not be handled, as it was, and why.

use domain::ids::TenantId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::frame::{Key, Payload};

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Derived from the stage and what was read, so that a repeat is the same letter.
    pub id: Uuid,
    /// Whose it is; `platform` where the bytes do not say.
    pub tenant: TenantId,
    /// The stage that gave up.
    pub stage: String,
    /// The subject it was read from: where a redrive publishes it again.
    pub subject: String,
    /// The message's id, where the bytes say one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Uuid>,
    /// The cause in one word: `undecodable`, `refused_by_database`, `panicked`, `refused_by_stage`.
    pub cause: String,
    /// The cause in a sentence, without the text or number.
    pub detail: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Machine time at which the stage gave up.
    pub at: Timestamp,
    /// What was read, sealed with the master key, base64.
    pub sealed: String,
}

impl Payload for DeadLetter {
    fn key(&self) -> Key {
        Key::of(self.id)
    }

    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
}
