//! Reading a message's row back.

use domain::{ids::MessageId, message::state::MessageState};
use sqlx::Row;

use super::TestWorld;
use crate::Database;

/// What tests ask of a message's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The state that it is in.
    pub state: MessageState,
    /// The turn that it is in.
    pub turn: i32,
    /// How often a change was recorded, and one.
    pub version: i64,
    /// Carrier calls begun.
    pub attempt: i16,
    /// The reason of a gate, or the carrier's code.
    pub code: Option<String>,
    /// The rendered text.
    pub body: String,
    /// The carrier's id of the text.
    pub sid: Option<String>,
    /// Whether a process holds a claim on it.
    pub claimed: bool,
    /// Whether counters hold a reservation for it.
    pub reserved: bool,
    /// What each stamp of the passport says, oldest first.
    pub verdicts: Vec<String>,
    /// The same with the stage that stamped: `stage:verdict`.
    pub stamps: Vec<String>,
}

/// A message's row; none where it has none.
///
/// # Errors
/// The database is away.
///
/// # Panics
/// When the row holds a state that is none.
pub async fn stored(database: &Database, message: MessageId) -> anyhow::Result<Option<Stored>> {
    let row = sqlx::query(
        "select state, turn, version, attempt, code, body, carrier_sid,
                claim_owner is not null as claimed, reserved_at is not null as reserved,
                array(select s ->> 'verdict' from jsonb_array_elements(passport) s) as verdicts,
                array(select (s ->> 'stage') || ':' || (s ->> 'verdict')
                      from jsonb_array_elements(passport) s) as stamps
         from millrace.messages where message_id = $1",
    )
    .bind(message.0)
    .fetch_optional(&mut database.superuser().await?)
    .await?;

    Ok(row.map(|row| Stored {
        state: MessageState::from_code(row.get("state")).expect("a state"),
        turn: row.get("turn"),
        version: row.get("version"),
        attempt: row.get("attempt"),
        code: row.get("code"),
        body: row.get("body"),
        sid: row.get("carrier_sid"),
        claimed: row.get("claimed"),
        reserved: row.get("reserved"),
        verdicts: row.get("verdicts"),
        stamps: row.get("stamps"),
    }))
}

impl TestWorld {
    /// The row of a message that has one.
    ///
    /// # Errors
    /// The database is away, or it has none.
    pub async fn stored(&self, message: MessageId) -> anyhow::Result<Stored> {
        let row = stored(&self.database, message).await?;
        row.ok_or_else(|| anyhow::anyhow!("{message} has no row"))
    }
}
