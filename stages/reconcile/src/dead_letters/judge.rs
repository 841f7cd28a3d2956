//! What a letter means for the row that it names. Pure.

use domain::message::state::MessageState;
use stage::StageName;
use store::messages::dead_letter::DeadRow;

use super::letter::Letter;

/// What a letter comes to. Of several about one message, the first in this order holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// The message died in this turn: its row says so from now on.
    Recorded,
    /// The message has no row: one is made that says so.
    Made,
    /// The row says so already, and it is said again.
    Repeated,
    /// The row says something else: another decision of this turn was first, it was released again,
    /// or a carrier may have it.
    MovedOn,
    /// The letter is about a second body under the message's id: the first one stands.
    OtherBody,
    /// The row is in an earlier turn than the letter: only a restored database is.
    Behind,
    /// The letter names a tenant that does not exist.
    UnknownTenant,
}

impl Fate {
    /// The metric label.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Made => "made",
            Self::Repeated => "repeated",
            Self::MovedOn => "moved_on",
            Self::OtherBody => "other_body",
            Self::Behind => "behind",
            Self::UnknownTenant => "unknown_tenant",
        }
    }
}

pub(super) fn judge(letter: &Letter<'_>, row: Option<&DeadRow>, tenant_is_known: bool) -> Fate {
    if !tenant_is_known {
        return Fate::UnknownTenant;
    }
    let Some(row) = row else { return Fate::Made };
    if row.message.turn != letter.turn {
        return if row.message.turn > letter.turn { Fate::MovedOn } else { Fate::Behind };
    }
    let same_body = letter.body_hash.as_deref() == Some(row.body_hash.as_slice());
    if letter.stage == StageName::Enrich && !same_body && !row.is_shell() {
        return Fate::OtherBody;
    }
    let withdrawn = row.is_shell() && row.message.state == MessageState::Cancelled;
    if row.is_dead() || withdrawn {
        return Fate::Repeated;
    }
    if died(letter.stage, row.message.state) && !row.claimed {
        Fate::Recorded
    } else {
        Fate::MovedOn
    }
}

/// Whether a message in this state is where this stage left it. A stage that was done with it has
/// decided something else, or handed it on.
fn died(stage: StageName, state: MessageState) -> bool {
    let (accepted, queued) = (state == MessageState::Accepted, state == MessageState::Queued);
    match stage {
        StageName::Enrich => accepted,
        // It may have recorded the admission and died before saying it.
        StageName::Gate => accepted || queued,
        StageName::Throttle | StageName::Send => queued,
        StageName::Audience
        | StageName::Reconcile
        | StageName::Inbound
        | StageName::Reply
        | StageName::Rollup
        | StageName::Schedule => false,
    }
}
