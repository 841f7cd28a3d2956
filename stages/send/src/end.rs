//! The end of a message's turn, as it is recorded.

use std::time::Duration;

use carriers::Carrier;
use domain::{
    gates::{Gate, PACE_CODE},
    message::{passport::Stamp, state::MessageState},
};
use jiff::Timestamp;
use stage::StageName;
use store::messages::conclude::{Conclusion, NewDoubt, Waiting};
use uuid::Uuid;
use wire::{Admitted, Enriched};

/// The end of a message's turn, decided by the claim or by a carrier's answer.
pub(crate) struct End<'a> {
    /// The message's index in the batch.
    pub(crate) index: usize,
    pub(crate) message: &'a Admitted,
    /// The claim it was decided under, and the number of the attempt.
    pub(crate) claim: (Option<Uuid>, i16),
    pub(crate) state: MessageState,
    pub(crate) gate: Option<Gate>,
    pub(crate) code: String,
    /// The reason in English.
    pub(crate) reason: String,
    /// When it goes back to the gates; business time.
    pub(crate) due: Option<Timestamp>,
    /// What wakes it, while it is held.
    pub(crate) wake: Option<String>,
    /// The carrier's code by which the person wants no more, or no more marketing.
    pub(crate) opt_out: Option<u32>,
    /// The carrier of the sender, as far as this version knows it.
    pub(crate) carrier: Option<Carrier>,
    /// One word for metrics.
    pub(crate) label: &'static str,
}

// === impl End ===

impl<'a> End<'a> {
    /// What is written about it. A doubt waits `first_look` for its first look at the carrier's
    /// list.
    pub(crate) fn conclusion(&self, now: Timestamp, first_look: Duration) -> Conclusion<'a> {
        let head = &self.message.message.head;
        let stamp = Stamp {
            gate: self.gate,
            code: Some(self.code.clone()),
            reason: Some(self.reason.clone()),
            until: self.due,
            policy_version: Some(self.message.route.policy_version),
            ..Stamp::plain(StageName::Send.as_str(), now, self.state.as_str())
        };

        Conclusion {
            tenant: &head.tenant,
            message: head.id,
            turn: head.turn,
            claim: self.claim,
            state: self.state,
            gate: self.gate,
            code: Some(self.code.clone()),
            due: self.due,
            passport: &self.message.message.passport,
            waiting: self.waiting(&stamp),
            doubt: self.doubt(first_look),
            stamp,
        }
    }

    /// The row by which `reconcile` clears up a call whose result is not known.
    fn doubt(&self, first_look: Duration) -> Option<NewDoubt> {
        (self.state == MessageState::InDoubt).then(|| NewDoubt {
            account: self.message.route.account.clone(),
            first_look,
            payload: json(&self.message.message),
        })
    }

    /// The row that brings back a message that waits.
    fn waiting(&self, stamp: &Stamp) -> Option<Waiting> {
        if !self.state.is_parked() {
            return None;
        }
        let mut payload = self.message.message.clone();
        payload.passport.stamp(stamp.clone());

        Some(Waiting {
            cause: format!("{}:{}", StageName::Send.as_str(), self.code),
            cause_key: self.wake.clone(),
            expires_at: payload.head.expires_at,
            line: (self.code == PACE_CODE).then(|| self.message.line()),
            lane: payload.head.class.lane(),
            payload: json(&payload),
        })
    }
}

fn json(message: &Enriched) -> String {
    serde_json::to_string(message).expect("plain data with string keys")
}
