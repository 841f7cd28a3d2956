//! The message state machine: a monotonic merge. Reports may come in any order, any number of
//! times; the state that results is the same.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The code of a message that stayed `sent` until the receipt horizon: nothing is expected any
/// more, and a receipt that comes after all still raises it.
pub const NO_RECEIPT: &str = "no_receipt";

/// How many carrier calls a message gets. After so many that surely sent nothing, about three
/// hours, it has failed.
pub const MAX_CALLS: i16 = 20;

/// The code of a message in doubt whose call was begun and never recorded.
pub const CALL_UNANSWERED: &str = "call_unanswered";

/// [`CALL_UNANSWERED`] in English.
pub const CALL_UNANSWERED_REASON: &str =
    "its carrier call was begun, and whoever made it never said how it ended";

/// How far a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum MessageState {
    /// Stored; no gate has decided yet in this turn.
    Accepted = 0,
    /// Parked until a due time.
    Deferred = 1,
    /// Parked until its cause goes away.
    Held = 2,
    /// Admitted; on its way to the carrier call.
    Queued = 3,
    /// A carrier call was begun and its result is not known.
    InDoubt = 4,
    /// A gate blocked it.
    Blocked = 10,
    /// Withdrawn by the tenant.
    Cancelled = 11,
    /// Its validity ended first.
    Expired = 12,
    /// In doubt for good: the carrier can neither list nor call back.
    Unknown = 13,
    /// The carrier has taken it.
    Sent = 20,
    /// The carrier refused it or could not deliver it.
    Failed = 21,
    /// The carrier says that the phone has it.
    Delivered = 22,
    /// The person opened it (WhatsApp).
    Read = 23,
}

impl MessageState {
    /// Every state, in the order of the ledger.
    pub const ALL: [Self; 13] = [
        Self::Accepted,
        Self::Deferred,
        Self::Held,
        Self::Queued,
        Self::InDoubt,
        Self::Sent,
        Self::Blocked,
        Self::Cancelled,
        Self::Expired,
        Self::Failed,
        Self::Unknown,
        Self::Delivered,
        Self::Read,
    ];

    /// The number that rows hold.
    pub fn code(self) -> i16 {
        self as i16
    }

    /// The state with this number.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Held => "held",
            Self::Queued => "queued",
            Self::InDoubt => "in_doubt",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether this state ends a message. `Sent` stays open until a receipt or the receipt horizon.
    pub fn is_final(self) -> bool {
        match self {
            Self::Accepted | Self::Deferred | Self::Held | Self::Queued => false,
            Self::InDoubt | Self::Sent => false,
            Self::Blocked | Self::Cancelled | Self::Expired | Self::Unknown => true,
            Self::Failed | Self::Delivered | Self::Read => true,
        }
    }

    /// Whether a message in this state, with this code, has ended: `Sent` has once the receipt
    /// horizon has passed over it.
    pub fn is_final_with(self, code: Option<&str>) -> bool {
        self.is_final() || self == Self::Sent && code == Some(NO_RECEIPT)
    }

    /// Whether it is put aside in a parked row, until a time or until its cause goes away.
    pub fn is_parked(self) -> bool {
        match self {
            Self::Deferred | Self::Held => true,
            Self::Accepted | Self::Queued | Self::InDoubt => false,
            Self::Blocked | Self::Cancelled | Self::Expired | Self::Unknown => false,
            Self::Sent | Self::Failed | Self::Delivered | Self::Read => false,
        }
    }

    /// Whether the gates are still to decide it: they have not in this turn, or will be asked
    /// again.
    pub fn awaits_gates(self) -> bool {
        match self {
            Self::Accepted | Self::Deferred | Self::Held => true,
            Self::Queued | Self::InDoubt => false,
            Self::Blocked | Self::Cancelled | Self::Expired | Self::Unknown => false,
            Self::Sent | Self::Failed | Self::Delivered | Self::Read => false,
        }
    }

    /// Whether a stage works on it: it is neither put aside, nor at the carrier, nor final.
    pub fn is_in_pipe(self) -> bool {
        match self {
            Self::Accepted | Self::Queued | Self::InDoubt => true,
            Self::Deferred | Self::Held => false,
            Self::Blocked | Self::Cancelled | Self::Expired | Self::Unknown => false,
            Self::Sent | Self::Failed | Self::Delivered | Self::Read => false,
        }
    }

    /// Whether a carrier call was begun whose result nobody knows: it may be billed.
    pub fn may_be_at_carrier(self) -> bool {
        match self {
            Self::InDoubt | Self::Unknown => true,
            Self::Accepted | Self::Deferred | Self::Held | Self::Queued => false,
            Self::Blocked | Self::Cancelled | Self::Expired => false,
            Self::Sent | Self::Failed | Self::Delivered | Self::Read => false,
        }
    }

    /// Whether the carrier took the message.
    pub fn is_at_carrier(self) -> bool {
        self.rank() >= Self::Sent.rank()
    }

    /// What the state is after evidence from the carrier: never lower than it was. Evidence may
    /// raise a final state (a late receipt), never lower one.
    #[must_use]
    pub fn merge(self, reported: Self) -> Self {
        if reported.rank() > self.rank() { reported } else { self }
    }

    /// The order of knowledge: `unknown < sent < failed < delivered < read`; what we decided
    /// ourselves lies below any evidence of a carrier.
    fn rank(self) -> u8 {
        match self {
            Self::Accepted | Self::Deferred | Self::Held => 0,
            Self::Queued => 1,
            Self::InDoubt => 2,
            Self::Blocked | Self::Cancelled | Self::Expired | Self::Unknown => 3,
            Self::Sent => 4,
            Self::Failed => 5,
            Self::Delivered => 6,
            Self::Read => 7,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reports() -> impl Strategy<Value = Vec<MessageState>> {
        use MessageState::{Delivered, Failed, Read, Sent};
        proptest::collection::vec(prop::sample::select(vec![Sent, Failed, Delivered, Read]), 0..8)
    }

    fn fold(start: MessageState, reports: &[MessageState]) -> MessageState {
        reports.iter().fold(start, |state, report| state.merge(*report))
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_of_reports_ends_in_the_same_state(
            reports in reports(),
            seed in 0usize..100,
            start in prop::sample::select(MessageState::ALL.to_vec()),
        ) {
            let mut other = reports.clone();
            other.extend(reports.iter().copied());
            let len = other.len().max(1);
            other.rotate_left(seed % len);
            other.reverse();
            prop_assert_eq!(fold(start, &reports), fold(start, &other));
        }

        #[test]
        fn a_report_never_lowers_the_state(reports in reports()) {
            let mut state = MessageState::Queued;
            for report in reports {
                let next = state.merge(report);
                prop_assert!(next.rank() >= state.rank());
                state = next;
            }
        }
    }

    #[test]
    fn only_the_receipt_horizon_makes_sent_final() {
        for state in MessageState::ALL {
            assert_eq!(state.is_final_with(None), state.is_final(), "{state:?}");
            assert_eq!(state.is_final_with(Some("30003")), state.is_final(), "{state:?}");
            let ended = state.is_final() || state == MessageState::Sent;
            assert_eq!(state.is_final_with(Some(NO_RECEIPT)), ended, "{state:?}");
        }
    }

    #[test]
    fn a_message_is_parked_in_the_pipe_at_the_carrier_or_ended() {
        for state in MessageState::ALL {
            let places = [state.is_parked(), state.is_in_pipe(), state == MessageState::Sent];
            let somewhere = places.into_iter().chain([state.is_final()]).filter(|here| *here);
            assert_eq!(somewhere.count(), 1, "{state:?}");
        }
    }

    #[test]
    fn names_and_numbers_read_back() {
        for state in MessageState::ALL {
            assert_eq!(MessageState::from_code(state.code()), Some(state));
            assert_eq!(MessageState::from_name(state.as_str()), Some(state));
        }
    }
}
