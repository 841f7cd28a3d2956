//! What a list says about each open message of a pair. Pure.

use std::{collections::HashSet, time::Duration};

use carriers::MessageRecord;
use domain::{
    gates::Absent,
    ids::MessageId,
    message::state::{MAX_CALLS, MessageState},
};
use jiff::Timestamp;
use store::messages::in_doubt::Open;

use super::{
    load::Loaded,
    match_up::{Fate, Member, match_up},
};

/// The soonest and the latest that a text which is too young is looked at again.
const SOON: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(600);

/// The times of one look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// The business time of the tick.
    pub(super) now: Timestamp,
    /// Doubts raised at this time or before are past their last date; business time.
    pub(super) over_before: Timestamp,
    /// The database's clock when the doubts were leased.
    pub(super) at: Timestamp,
    /// How long after its `call_by` a text must be in the list.
    pub(super) listed_after: Duration,
    /// The wait for the next look at a text that must be listed by now and could not be decided.
    pub(super) retry: Duration,
}

/// What becomes of an open message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Decision<'a> {
    /// The carrier has this text of it: it was sent.
    Found(&'a MessageRecord),
    /// The carrier does not have it.
    Absent(End),
    /// Nothing can be said yet.
    Wait,
}

/// What becomes of a text that the carrier does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It goes back to the gates.
    Resend,
    /// It is unknown for good: the tenant wants nothing sent again, or absence cannot be proven.
    Never,
    /// It has failed: too many of its calls came to nothing.
    GiveUp,
    /// It is unknown for good: nothing was learnt about it until its last date.
    LastDate,
}

/// Decides about the open messages of a pair, each in turn. An absent text stays in doubt while the
/// tenant's policy cannot be read.
pub(super) fn decide<'a>(loaded: &Loaded<'a>, look: Look) -> Vec<Decision<'a>> {
    let members: Vec<Member<'_>> =
        loaded.open.iter().map(|one| member(look, loaded, one)).collect();
    let fates = match_up(&members, loaded.records, &loaded.known, look.at);

    loaded
        .open
        .iter()
        .zip(fates)
        .map(|(one, fate)| match (fate, loaded.absent) {
            (Fate::Found(index), _) => Decision::Found(&loaded.records[index]),
            (Fate::Absent, Some(policy)) => Decision::Absent(End::of(one, policy)),
            (Fate::Absent, None) | (Fate::Wait, _) => Decision::Wait,
        })
        .collect()
}

/// The messages of a pair that are in doubt past their last date, but for those that have ended.
pub(super) fn past_last_date<'a>(
    look: Look,
    open: &'a [Open],
    ended: &HashSet<MessageId>,
) -> Vec<(&'a Open, End)> {
    open.iter()
        .filter(|one| one.is_in_doubt() && !ended.contains(&one.message.id))
        .filter(|one| one.raised_at.is_some_and(|raised_at| look.is_over(raised_at)))
        .map(|one| (one, End::LastDate))
        .collect()
}

fn member<'a>(look: Look, loaded: &Loaded<'_>, one: &'a Open) -> Member<'a> {
    let is_covered = loaded.since.is_none_or(|since| since <= one.call_by);
    let listed_at = one.call_by.checked_add(look.listed_after).ok();
    Member {
        text: &one.text,
        call_by: one.call_by,
        listed_at: listed_at.filter(|_| one.is_in_doubt() && is_covered),
    }
}

// === impl Look ===

impl Look {
    /// Whether a doubt that was raised then is past its last date.
    pub(super) fn is_over(self, raised_at: Timestamp) -> bool {
        raised_at <= self.over_before
    }

    /// How long until a message that stays in doubt is looked at again. One that the list need not
    /// have yet waits until the list must have it: then it can be decided.
    pub(super) fn wait(self, one: &Open) -> Duration {
        let listed_at = one.call_by.checked_add(self.listed_after).unwrap_or(Timestamp::MAX);
        match Duration::try_from(listed_at.duration_since(self.at)) {
            Ok(young) if !young.is_zero() => young.clamp(SOON, LONG),
            Ok(_) | Err(_) => self.retry,
        }
    }
}

// === impl End ===

impl End {
    fn of(one: &Open, policy: Absent) -> Self {
        match policy {
            Absent::Never => Self::Never,
            Absent::Resend if one.claim.1 >= MAX_CALLS => Self::GiveUp,
            Absent::Resend => Self::Resend,
        }
    }

    /// The state that it leaves the message in.
    pub(super) fn state(self) -> MessageState {
        match self {
            Self::Resend => MessageState::Deferred,
            Self::Never | Self::LastDate => MessageState::Unknown,
            Self::GiveUp => MessageState::Failed,
        }
    }

    /// The code, and the reason in English.
    pub(super) fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::Resend => ("absent", "the carrier's list does not have it: it is sent again"),
            Self::Never => {
                ("absent", "the carrier's list does not have it, and it is not to be sent again")
            }
            Self::GiveUp => ("given_up", "no call to the carrier has come to an end"),
            Self::LastDate => {
                ("no_evidence", "nothing told until the last date whether the carrier has it")
            }
        }
    }

    /// One word for metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Resend => "absent_resent",
            Self::Never => "absent_unknown",
            Self::GiveUp => "given_up",
            Self::LastDate => "last_date",
        }
    }
}
