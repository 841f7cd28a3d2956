//! Whether a message is still to be decided in the turn in which it is handed over.

use domain::message::state::MessageState;
use wire::Enriched;

/// How far a message has come in its turn.
pub(crate) enum TurnState {
    /// No gate has decided it in this turn.
    Open,
    /// Something was decided in this turn.
    Decided,
    /// It is in a later turn: this delivery is late.
    Late,
    /// It has no row of this turn, although `enrich` makes the row, and `schedule` raises its turn,
    /// before they publish the message.
    Unknown,
}

impl TurnState {
    /// What a row says about a message: its turn and its state; none where there is no row.
    pub(crate) fn of(message: &Enriched, row: Option<(u32, MessageState)>) -> Self {
        match row {
            None => Self::Unknown,
            Some((turn, _)) if turn > message.head.turn => Self::Late,
            Some((turn, _)) if turn < message.head.turn => Self::Unknown,
            Some((_, MessageState::Accepted)) => Self::Open,
            Some(_) => Self::Decided,
        }
    }
}
