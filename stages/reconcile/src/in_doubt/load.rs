//! Loads what a list is compared with, under the locks of the messages that are open.

use std::collections::HashSet;

use carriers::MessageRecord;
use domain::gates::{Absent, Policy};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Scoped,
    messages::in_doubt::{self, AllOpen, Open},
};

use super::{lists::Listed, pairs::Pair};

/// What is known about a pair.
pub(super) struct Loaded<'a> {
    /// Its messages that are in doubt, or under a claim that still holds.
    pub(super) open: Vec<Open>,
    /// The texts of the list.
    pub(super) records: &'a [MessageRecord],
    /// The list says nothing about calls before; none where it is about all.
    pub(super) since: Option<Timestamp>,
    /// The ids of texts that belong to other messages already.
    pub(super) known: HashSet<String>,
    /// What to do with an absent text; none while the tenant's policy cannot be read.
    pub(super) absent: Option<Absent>,
}

/// Locks the open messages of a pair, and reads what their list is compared with.
pub(super) async fn load<'a>(
    tx: &mut Scoped,
    pair: &Pair,
    listed: &'a Listed,
) -> Result<Loaded<'a>, Fault> {
    let AllOpen { open, newer } = lock_open(tx, pair).await?;
    let (records, since, absent) = match listed {
        // Any text of the list may be the one of a message that only a newer version can read, so
        // the list says nothing about the others.
        Listed::Whole { .. } if !newer.is_empty() => ([].as_slice(), None, None),
        Listed::Whole { records, since } => {
            (records.as_slice(), *since, absent_by_policy(tx, pair).await?)
        }
        // What cannot be proven absent is never sent again.
        Listed::NotOffered => ([].as_slice(), None, Some(Absent::Never)),
    };

    let account = (&pair.tenant, pair.account.as_str());
    let sids: Vec<&str> = records.iter().map(|record| record.sid.as_str()).collect();
    let known = in_doubt::known_sids(tx, account, pair.contact, &sids).await?;
    Ok(Loaded { open, records, since, known, absent })
}

/// Locks the open messages of a pair. A doubt of another account has another list.
pub(super) async fn lock_open(tx: &mut Scoped, pair: &Pair) -> Result<AllOpen, Fault> {
    let mut all = in_doubt::lock_open(tx, &pair.tenant, pair.contact, pair.sender).await?;
    let is_ours = |of: &Option<String>| of.as_ref().is_none_or(|of| *of == pair.account);
    all.open.retain(|one| is_ours(&one.account));
    all.newer.retain(is_ours);
    Ok(all)
}

/// What the tenant wants done with absent texts.
async fn absent_by_policy(tx: &mut Scoped, pair: &Pair) -> Result<Option<Absent>, Fault> {
    let stored = in_doubt::policy(tx, &pair.tenant).await?;
    let policy = stored.map_or_else(|| Ok(Policy::default()), |json| Policy::read(&json));
    let read = policy.inspect_err(|_| {
        let tenant = &pair.tenant;
        tracing::error!(%tenant, "absent texts stay in doubt: the policy is unreadable");
    });
    Ok(read.ok().map(|policy| policy.in_doubt.absent))
}
