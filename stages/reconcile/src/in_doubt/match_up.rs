//! Which of the texts that a carrier lists are those in doubt: pure. Of n equal texts in doubt of
//! which the list has k, exactly k are found. Which text goes to which message does not matter: the
//! texts are equal. A carrier that keeps no text lists records without one, which may be of any
//! text of their time: unequal ones are decided only where there is a record for each, or none.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use carriers::MessageRecord;
use domain::encoding::smart;
use jiff::{SignedDuration, Timestamp};

/// How far the carrier's clock may be behind ours: a listed text that is older than a call by more
/// than this is not that call's.
pub(crate) const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A text that may have been sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) text: &'a str,
    /// The latest instant at which its call began.
    pub(crate) call_by: Timestamp,
    /// When the list must have it, if the carrier has it; none while its claim may still hold.
    pub(crate) listed_at: Option<Timestamp>,
}

/// What the list says about a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing can be said yet.
    Wait,
    /// It is the text at this index of the list.
    Found(usize),
    /// The carrier does not have it.
    Absent,
}

/// Decides about all texts between a sender and a person. `known` are the ids that belong to other
/// messages already; `at` is when the list was asked. Equal texts are decided together, once the
/// list must have all of them: until then a listed text may be of any of them.
pub(crate) fn match_up(
    members: &[Member<'_>],
    listed: &[MessageRecord],
    known: &HashSet<String>,
    at: Timestamp,
) -> Vec<Fate> {
    // The listed texts that are nobody's yet, oldest first. One without a time may be of any time:
    // it comes last, when every member has had its choice.
    let mut free: Vec<usize> =
        (0..listed.len()).filter(|index| !known.contains(&listed[*index].sid)).collect();
    free.sort_by_key(|index| listed[*index].created_at.unwrap_or(Timestamp::MAX));

    let mut equal: BTreeMap<Cow<'_, str>, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        equal.entry(canonical(member.text)).or_default().push(index);
    }

    // Where all texts are equal, a record without a text is of them.
    let is_blank = |index: &mut usize| listed[*index].body.is_empty();
    let blanks: Vec<usize> = match equal.len() {
        0 | 1 => Vec::new(),
        _ => free.extract_if(.., is_blank).collect(),
    };

    let mut fates = vec![Fate::Wait; members.len()];
    for (text, group) in equal {
        let must_be_listed =
            |index: &usize| members[*index].listed_at.is_some_and(|listed_at| listed_at <= at);
        if !group.iter().all(must_be_listed) {
            continue;
        }

        // Each free text goes to the member nearest in time; whoever gets none is absent.
        let mut left = group;
        free.retain(|index| {
            let record = &listed[*index];
            let owner = nearest(members, &left, record).filter(|_| is_text(record, &text));
            let Some(owner) = owner else { return true };
            fates[left.swap_remove(owner)] = Fate::Found(*index);
            false
        });
        for absent in left {
            fates[absent] = Fate::Absent;
        }
    }
    match_blanks(members, listed, &blanks, at, &mut fates);
    fates
}

/// Decides about unequal texts by records that do not tell their text: each of the texts that such
/// a record can be of is found where all of them have one; else nobody knows which was sent.
fn match_blanks(
    members: &[Member<'_>],
    listed: &[MessageRecord],
    blanks: &[usize],
    at: Timestamp,
    fates: &mut [Fate],
) {
    let in_time = |member: &usize| {
        blanks.iter().any(|index| nearest(members, &[*member], &listed[*index]).is_some())
    };
    let is_open = |member: &usize| !matches!(fates[*member], Fate::Found(_));
    let open: Vec<usize> = (0..members.len()).filter(is_open).filter(in_time).collect();
    let is_due =
        |member: &usize| members[*member].listed_at.is_some_and(|listed_at| listed_at <= at);

    let mut left = open.clone();
    let mut found = Vec::new();
    for index in blanks {
        if let Some(owner) = nearest(members, &left, &listed[*index]) {
            found.push((left.swap_remove(owner), *index));
        }
    }

    for member in &open {
        fates[*member] = Fate::Wait;
    }
    if left.is_empty() && open.iter().all(is_due) {
        for (member, index) in found {
            fates[member] = Fate::Found(index);
        }
    }
}

/// The member whose call was nearest in time to this text, of those that it can be of: an index
/// into `left`.
fn nearest(members: &[Member<'_>], left: &[usize], record: &MessageRecord) -> Option<usize> {
    let distance = |member: usize| match record.created_at {
        None => Some(SignedDuration::ZERO),
        Some(created) => {
            let after = created.duration_since(members[member].call_by);
            (after >= -SKEW).then(|| after.abs())
        }
    };

    let candidates = left.iter().enumerate();
    let in_time = candidates.filter_map(|(i, member)| Some((distance(*member)?, i)));
    in_time.min().map(|(_, i)| i)
}

/// A body that the carrier has redacted, or does not keep, may be any text.
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
