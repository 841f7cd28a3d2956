//! Doubts by sender and person: a carrier's list is asked for all texts between two numbers at
//! once.

use std::collections::BTreeMap;

use domain::ids::{ContactId, MessageId, SenderId, TenantId};
use jiff::Timestamp;
use store::{messages::in_doubt::DueDoubt, settings::accounts::Access};

use crate::under_way::Account;

/// A sender and a person, and the account that the texts went through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) tenant: TenantId,
    pub(super) account: String,
    pub(super) contact: ContactId,
    pub(super) sender: Option<SenderId>,
    /// The person's address, as carriers write it.
    pub(super) to: String,
    /// The sender's number; none where the sender is gone.
    pub(super) from: Option<String>,
}

/// A doubt of a pair that is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) message: MessageId,
    /// Looks so far.
    pub(super) looks: i32,
    /// Since when it is in doubt; business time.
    pub(super) raised_at: Timestamp,
}

/// The doubts of a pair that are due, and how to ask about them.
pub(super) struct DuePair {
    pub(super) pair: Pair,
    /// How the account's list is asked; none where the account is gone.
    pub(super) access: Option<Access>,
    /// When the first of the calls began at the latest; none where a row does not say it.
    pub(super) since: Option<Timestamp>,
    pub(super) due: Vec<Due>,
}

/// Sorts doubts by account, and by pair.
pub(super) fn by_account(due: Vec<DueDoubt>) -> BTreeMap<Account, Vec<DuePair>> {
    let mut accounts: BTreeMap<Account, Vec<DuePair>> = BTreeMap::new();
    for of_pair in pairs(due) {
        let account = (of_pair.pair.tenant.clone(), of_pair.pair.account.clone());
        accounts.entry(account).or_default().push(of_pair);
    }
    accounts
}

fn pairs(due: Vec<DueDoubt>) -> Vec<DuePair> {
    let mut pairs: BTreeMap<Pair, DuePair> = BTreeMap::new();
    for DueDoubt { message, account, to, from, access, looks, raised_at, call_by, .. } in due {
        let (contact, sender) = (message.contact, message.sender);
        let pair = Pair { tenant: message.tenant, account, contact, sender, to, from };

        let of_pair = pairs.entry(pair.clone());
        let of_pair = of_pair.or_insert(DuePair { pair, access, since: call_by, due: Vec::new() });
        // None is less than any instant: one call without a time, and all are asked about.
        of_pair.since = of_pair.since.min(call_by);
        of_pair.due.push(Due { message: message.id, looks, raised_at });
    }
    pairs.into_values().collect()
}
