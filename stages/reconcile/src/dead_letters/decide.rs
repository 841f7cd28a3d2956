//! What letters mean for the row that they name. Pure.

use domain::message::state::MessageState;
use stage::StageName;
use store::messages::dead_letter::{DeadKey, DeadRow};

use super::{letter::Letter, load::Loaded};

/// What a letter comes to. Of several about one message, the first in this order holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// The message died in this turn: its row says so from now on.
    Recorded,
    /// The message has no row: one is made that says so.
    Made,
    /// The row says so already: its event is said again.
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

/// What the letters about one message come to.
pub(super) struct Verdict<'a> {
    pub(super) key: &'a DeadKey,
    pub(super) fate: Fate,
    /// The letter that decided.
    pub(super) letter: &'a Letter<'a>,
    /// What each of the letters came to, with the stage that wrote it.
    pub(super) counted: Vec<(StageName, Fate)>,
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

/// Decides about a message by all letters of the batch that name it; none where there are none.
pub(super) fn decide<'a>(
    key: &'a DeadKey,
    of_message: &'a [(usize, Letter<'a>)],
    loaded: &Loaded,
) -> Option<Verdict<'a>> {
    let row = loaded.rows.get(key);
    let tenant_is_known = loaded.tenants.contains(&key.0);
    let fates: Vec<(Fate, &Letter<'_>)> = of_message
        .iter()
        .map(|(_, letter)| (fate_of(letter, row, tenant_is_known), letter))
        .collect();

    let counted = fates.iter().map(|(fate, letter)| (letter.stage, *fate)).collect();
    let (fate, letter) = fates.into_iter().min_by_key(|(fate, _)| *fate)?;
    Some(Verdict { key, fate, letter, counted })
}

fn fate_of(letter: &Letter<'_>, row: Option<&DeadRow>, tenant_is_known: bool) -> Fate {
    if !tenant_is_known {
        return Fate::UnknownTenant;
    }
    let Some(row) = row else { return Fate::Made };
    if row.message.turn > letter.turn {
        return Fate::MovedOn;
    }
    if row.message.turn < letter.turn {
        return Fate::Behind;
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

/// Whether a message in this state is where this stage found it. In any other state the stage, or a
/// later one, has decided about it.
fn died(stage: StageName, state: MessageState) -> bool {
    let (accepted, queued) = (state == MessageState::Accepted, state == MessageState::Queued);
    match stage {
        StageName::Enrich => accepted,
        // The gate may have recorded the admission and died before saying it.
        StageName::Gate => accepted || queued,
        StageName::Throttle | StageName::Send => queued,
        StageName::Audience
        | StageName::Reconcile
        | StageName::Inbound
        | StageName::Media
        | StageName::Reply
        | StageName::Rollup
        | StageName::Schedule => false,
    }
}
