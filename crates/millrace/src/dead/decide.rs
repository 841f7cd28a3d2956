//! Whether a letter may be sent again. The message's row decides; pure.

use domain::message::{passport::Stamp, state::MessageState};
use jiff::Timestamp;
use store::messages::dead_letter::DeadRow;
use wire::DeadLetter;

use super::opened::{Content, Opened};

/// What is to be done with a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Plan {
    /// It names no message: sent as it was.
    AsItWas,
    /// The message's row is opened in its next turn, then the message is sent.
    Reopen,
    /// An earlier redrive of this letter has opened the row and may have died before sending.
    Resume,
    /// An earlier redrive of this letter has sent the message, and died before deleting it.
    Spent,
    /// It is not sent, and stays.
    Refused(String),
}

/// The name of a redrive in passports.
const STAGE: &str = "redrive";

/// What to do with a letter whose message has this row; none: it has no row.
pub(super) fn decide(letter: &DeadLetter, opened: &Opened, row: Option<&DeadRow>) -> Plan {
    let refused = |why: &str| Plan::Refused(why.to_owned());
    let (Some(_), Some(turn)) = (letter.message, letter.turn.or(opened.turn())) else {
        return Plan::AsItWas;
    };
    let Some(row) = row else {
        return refused("reconcile has not written down that it died; its tenant may be unknown");
    };

    let (state, turn_now) = (row.message.state, row.message.turn);
    if turn_now > turn {
        return match redriven(letter, row) {
            true if state == MessageState::Accepted && turn_now == turn + 1 => Plan::Resume,
            true => Plan::Spent,
            false => Plan::Refused(moved_on(state, turn_now)),
        };
    }
    if turn_now < turn {
        return refused("its row is in an earlier turn than it was");
    }
    if is_other_body(opened, row) {
        return refused("it is a second body under the id of a message that stands");
    }
    if row.is_dead() {
        return Plan::Reopen;
    }

    match state {
        MessageState::Accepted | MessageState::Queued => {
            refused("reconcile has not written down that it died, or left it to its claim")
        }
        MessageState::Deferred
        | MessageState::Held
        | MessageState::InDoubt
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Unknown
        | MessageState::Sent
        | MessageState::Failed
        | MessageState::Delivered
        | MessageState::Read => Plan::Refused(moved_on(state, turn_now)),
    }
}

/// The stamp by which a later redrive knows that this letter was sent.
pub(super) fn stamp(letter: &DeadLetter, now: Timestamp) -> Stamp {
    Stamp { reason: Some(reason(letter)), ..Stamp::plain(STAGE, now, "accept") }
}

/// Whether an earlier redrive of this letter has opened the row.
fn redriven(letter: &DeadLetter, row: &DeadRow) -> bool {
    let reason = reason(letter);
    let own = |stamp: &Stamp| stamp.stage == STAGE && stamp.reason.as_ref() == Some(&reason);
    row.passport.stamps().iter().any(own)
}

fn reason(letter: &DeadLetter) -> String {
    format!("sent again after {} could not handle it (dead letter {})", letter.stage, letter.id)
}

/// Whether the row was made by another body than the letter's. A shell was made by none.
fn is_other_body(opened: &Opened, row: &DeadRow) -> bool {
    match &opened.content {
        Content::Submitted(message) => {
            !row.is_shell() && message.body_hash != wire::hex(&row.body_hash)
        }
        Content::Enriched(_) | Content::Other => false,
    }
}

fn moved_on(state: MessageState, turn: u32) -> String {
    let what = if state.is_at_carrier() { "it was sent already" } else { "it has moved on" };
    format!("{what}: {}, turn {turn}", state.as_str())
}
