//! Which of the texts that a carrier lists are those in doubt: pure. Of n equal texts in doubt of
//! which the list has k, exactly k are found; which of them is which does not matter to anybody.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use carriers::MessageRecord;
use domain::encoding::smart;
use jiff::{SignedDuration, Timestamp};

/// How far the carrier's clock may be behind ours. A text that is older than its call by more than
/// this is not that call's. Texts of ours are told apart by their ids, not by this.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A text that may have been sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) text: &'a str,
    /// When its call began at the latest.
    pub(crate) call_by: Timestamp,
    /// From when on the list has it, if the carrier has it; none while its claim may still hold.
    pub(crate) listed_from: Option<Timestamp>,
}

/// What the list says about a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing yet.
    Wait,
    /// It is the text at this place of the list.
    Found(usize),
    /// The carrier does not have it.
    Absent,
}

/// Decides about all texts between a sender and a person. `known` are the ids that belong to other
/// messages already; `at` is when the list was asked. Equal texts are decided together, and not
/// before the list must have all of them: an answer that is still to come may be any of theirs.
pub(crate) fn match_up(
    members: &[Member<'_>],
    listed: &[MessageRecord],
    known: &HashSet<String>,
    at: Timestamp,
) -> Vec<Fate> {
    let mut free: Vec<usize> =
        (0..listed.len()).filter(|place| !known.contains(&listed[*place].sid)).collect();
    // One without a time may be of any time: it comes last, when every member has had its choice.
    free.sort_by_key(|place| listed[*place].created_at.unwrap_or(Timestamp::MAX));
    let mut equal: BTreeMap<Cow<'_, str>, Vec<usize>> = BTreeMap::new();
    for (place, member) in members.iter().enumerate() {
        equal.entry(canonical(member.text)).or_default().push(place);
    }
    let mut fates = vec![Fate::Wait; members.len()];
    for (text, group) in equal {
        let ready = |place: &usize| members[*place].listed_from.is_some_and(|from| from <= at);
        if !group.iter().all(ready) {
            continue;
        }
        let mut left = group;
        free.retain(|place| {
            let record = &listed[*place];
            let owner = nearest(members, &left, record).filter(|_| is_text(record, &text));
            let Some(owner) = owner else { return true };
            fates[left.swap_remove(owner)] = Fate::Found(*place);
            false
        });
        for absent in left {
            fates[absent] = Fate::Absent;
        }
    }
    fates
}

/// The member whose call was nearest in time to this text, of those that it can be of: a place in
/// `left`.
fn nearest(members: &[Member<'_>], left: &[usize], record: &MessageRecord) -> Option<usize> {
    let distance = |place: usize| match record.created_at {
        None => Some(SignedDuration::ZERO),
        Some(created) => {
            let after = created.duration_since(members[place].call_by);
            (after >= -SKEW).then(|| after.abs())
        }
    };
    let candidates = left.iter().enumerate();
    let of_time = candidates.filter_map(|(at, place)| Some((distance(*place)?, at)));
    of_time.min().map(|(_, at)| at)
}

/// A body that the carrier has redacted may be any text.
fn is_text(record: &MessageRecord, text: &str) -> bool {
    record.body.is_empty() || canonical(&record.body) == text
}

/// Carriers may replace typographic characters and drop blanks at the ends.
fn canonical(text: &str) -> Cow<'_, str> {
    match smart(text).text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

#[cfg(test)]
#[path = "match_up_tests.rs"]
mod tests;
