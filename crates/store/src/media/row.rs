//! Media as they are read back.

use domain::{
    ids::{ContactId, MediaId},
    media::{MediaDirection, MediaRefusal, MediaState},
};
use jiff::Timestamp;
use sqlx::types::Uuid;

use crate::core::words::{self, Unreadable, optional, word};

words::words! {
    MediaDirection = "direction of media",
    MediaState = "state of media",
    MediaRefusal = "reason of media",
}

/// What is known of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// What it is known by.
    pub id: MediaId,
    /// Whether it came in or is to go out.
    pub direction: MediaDirection,
    /// The text that it came with.
    pub inbound: Option<Uuid>,
    /// Who has sent it.
    pub contact: Option<ContactId>,
    /// What has become of it.
    pub state: MediaState,
    /// Why it is refused.
    pub reason: Option<MediaRefusal>,
    /// What is stored of it.
    pub stored: Option<StoredMedia>,
    /// When it came or was given, in business time.
    pub created_at: Timestamp,
}

/// What is stored of media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMedia {
    /// The type, by its first bytes.
    pub media_type: String,
    /// How many bytes there are.
    pub bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: Vec<u8>,
}

/// The columns that are read.
pub(super) struct MediaRow {
    pub(super) media_id: Uuid,
    pub(super) direction: String,
    pub(super) inbound_id: Option<Uuid>,
    pub(super) contact_id: Option<Uuid>,
    pub(super) state: String,
    pub(super) reason: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) bytes: Option<i64>,
    pub(super) sha256: Option<Vec<u8>>,
    pub(super) created_at: jiff_sqlx::Timestamp,
}

/// Reads a row.
pub(super) fn read(row: MediaRow) -> Result<Media, Unreadable> {
    let stored = match (row.media_type, row.bytes, row.sha256) {
        (Some(media_type), Some(bytes), Some(sha256)) => {
            Some(StoredMedia { media_type, bytes: bytes.unsigned_abs(), sha256 })
        }
        _ => None,
    };
    Ok(Media {
        id: MediaId(row.media_id),
        direction: word(&row.direction)?,
        inbound: row.inbound_id,
        contact: row.contact_id.map(ContactId),
        state: word(&row.state)?,
        reason: optional(row.reason.as_deref())?,
        stored,
        created_at: row.created_at.to_jiff(),
    })
}
