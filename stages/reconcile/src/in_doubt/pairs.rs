//! Doubts by sender and person: a carrier's list is asked for all texts between two numbers at
//! once.

use std::collections::BTreeMap;

use domain::ids::{ContactId, MessageId, SenderId, TenantId};
use store::{messages::in_doubt::DueDoubt, settings::accounts::Access};

/// A sender and a person, and the account that the texts went through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) tenant: TenantId,
    pub(super) account: String,
    pub(super) contact: ContactId,
    pub(super) sender: SenderId,
    /// The person's address, as carriers write it.
    pub(super) to: String,
    /// The sender's number.
    pub(super) from: String,
}

/// The doubts of a pair that are due, and how to ask about them.
pub(super) struct DuePair {
    pub(super) pair: Pair,
    /// How the account's list is asked; none where the account is gone.
    pub(super) access: Option<Access>,
    /// The messages, each with its looks so far.
    pub(super) due: Vec<(MessageId, i32)>,
}

/// Sorts doubts by pair. One whose sender is gone belongs to none: only a receipt can clear it up.
pub(super) fn pairs(due: Vec<DueDoubt>) -> Vec<DuePair> {
    let mut pairs: BTreeMap<Pair, DuePair> = BTreeMap::new();
    for DueDoubt { message, account, to, from, access, looks, .. } in due {
        let (Some(sender), Some(from)) = (message.sender, from) else { continue };
        let pair =
            Pair { tenant: message.tenant, account, contact: message.contact, sender, to, from };

        let of_pair = pairs.entry(pair.clone());
        of_pair.or_insert(DuePair { pair, access, due: Vec::new() }).due.push((message.id, looks));
    }
    pairs.into_values().collect()
}
