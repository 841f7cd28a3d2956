//! A message's row as far as events tell of it, and the event that tells it. The same row always
//! makes the same event, so that whoever finds it again may publish it again.

use domain::{
    billing,
    gates::Gate,
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{class::MessageClass, state::MessageState},
    money::Micros,
};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::types::Uuid;
use wire::event::{Event, EventKind, MessageData};

use crate::core::keyed::tenant;

/// A message as its row has it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMessage {
    /// The tenant that owns it.
    pub tenant: TenantId,
    /// The message's id.
    pub id: MessageId,
    /// How often it was released into the pipe.
    pub turn: u32,
    /// The state that it is in.
    pub state: MessageState,
    /// What it is for.
    pub class: MessageClass,
    /// The person that it is for.
    pub contact: ContactId,
    /// The campaign it belongs to.
    pub campaign: Option<CampaignId>,
    /// The sender that carries it.
    pub sender: Option<SenderId>,
    /// Segments, the carrier's count once it told one.
    pub segments: u16,
    /// Whether the carrier took it, so that it counts as spent when it fails.
    pub billed: bool,
    /// Cost of these segments by the rate card.
    pub cost: Micros,
    /// The gate that blocked, held or deferred it.
    pub gate: Option<Gate>,
    /// The reason, or the carrier's error code.
    pub code: Option<String>,
    /// Until when it waits.
    pub due: Option<Timestamp>,
    /// Raised by every recorded change.
    pub version: i64,
    /// Business time of the last change.
    pub changed_at: Timestamp,
}

impl StoredMessage {
    /// The event of this state and version; none for a message on its way to the carrier call.
    pub fn event(&self) -> Option<Event> {
        let kind = kind_of(self.state)?;
        Some(Event::new(kind, &self.tenant, self.id.0, self.version, self.changed_at, &self.data()))
    }

    fn data(&self) -> MessageData {
        let charged = billing::is_charged(self.state, self.billed);
        MessageData {
            message: self.id,
            state: self.state,
            turn: self.turn,
            class: self.class,
            contact: self.contact,
            campaign: self.campaign,
            sender: self.sender,
            segments: if charged { self.segments } else { 0 },
            cost: if charged { self.cost } else { Micros::ZERO },
            gate: self.gate,
            code: self.code.clone(),
            until: self.due,
        }
    }
}

/// The event that announces a state.
fn kind_of(state: MessageState) -> Option<EventKind> {
    match state {
        MessageState::Accepted => Some(EventKind::MessageAccepted),
        MessageState::Deferred => Some(EventKind::MessageDeferred),
        MessageState::Held => Some(EventKind::MessageHeld),
        MessageState::Queued => None,
        MessageState::InDoubt => Some(EventKind::InDoubtRaised),
        MessageState::Blocked => Some(EventKind::MessageBlocked),
        MessageState::Cancelled => Some(EventKind::MessageCancelled),
        MessageState::Expired => Some(EventKind::MessageExpired),
        MessageState::Unknown => Some(EventKind::MessageUnknown),
        MessageState::Sent => Some(EventKind::MessageSent),
        MessageState::Failed => Some(EventKind::MessageFailed),
        MessageState::Delivered => Some(EventKind::MessageDelivered),
        MessageState::Read => Some(EventKind::MessageRead),
    }
}

/// The columns that make a [`StoredMessage`], with their words and numbers read.
pub(crate) struct Columns {
    pub(crate) tenant_id: String,
    pub(crate) message_id: Uuid,
    pub(crate) turn: i32,
    pub(crate) state: MessageState,
    pub(crate) class: MessageClass,
    pub(crate) contact_id: Uuid,
    pub(crate) campaign_id: Option<Uuid>,
    pub(crate) sender_id: Option<Uuid>,
    pub(crate) segments: i16,
    pub(crate) cost_micros: i64,
    pub(crate) gate: Option<Gate>,
    pub(crate) code: Option<String>,
    pub(crate) due: Option<jiff_sqlx::Timestamp>,
    pub(crate) version: i64,
    pub(crate) changed_at: jiff_sqlx::Timestamp,
    pub(crate) billed: bool,
}

impl From<Columns> for StoredMessage {
    fn from(row: Columns) -> Self {
        Self {
            tenant: tenant(&row.tenant_id),
            id: row.message_id.into(),
            turn: row.turn.unsigned_abs(),
            state: row.state,
            class: row.class,
            contact: row.contact_id.into(),
            campaign: row.campaign_id.map(Into::into),
            sender: row.sender_id.map(Into::into),
            billed: row.billed,
            segments: row.segments.unsigned_abs(),
            cost: Micros(row.cost_micros),
            gate: row.gate,
            code: row.code,
            due: row.due.map(jiff_sqlx::Timestamp::to_jiff),
            version: row.version,
            changed_at: row.changed_at.to_jiff(),
        }
    }
}

/// A turn as its column holds it.
pub(crate) fn turn(turn: u32) -> i32 {
    i32::try_from(turn).expect("turns count from 1, one for each release: never 2^31 of them")
}

/// Segments as their column holds them: a text has far fewer than the column's limit.
pub(crate) fn segments(segments: u16) -> i16 {
    i16::try_from(segments).unwrap_or(i16::MAX)
}

/// A passport or stamp as a `jsonb` parameter takes it.
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    wire::json::to_string(value)
}

/// Takes the columns of [`Columns`] out of a row that has more. Ends the function around it where
/// this version does not know a word or number of the row.
macro_rules! columns {
    ($row:ident) => {
        $crate::messages::row::Columns {
            tenant_id: $row.tenant_id,
            message_id: $row.message_id,
            turn: $row.turn,
            state: $crate::core::words::state($row.state)?,
            class: $crate::core::words::word(&$row.class)?,
            contact_id: $row.contact_id,
            campaign_id: $row.campaign_id,
            sender_id: $row.sender_id,
            billed: $row.billed,
            segments: $row.segments,
            cost_micros: $row.cost_micros,
            gate: $crate::core::words::optional($row.gate.as_deref())?,
            code: $row.code,
            due: $row.due,
            version: $row.version,
            changed_at: $row.changed_at,
        }
    };
}
pub(crate) use columns;
