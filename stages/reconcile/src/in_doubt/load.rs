//! Loads what a list is compared with, under the locks of the messages that are open.

use std::collections::HashSet;

use carriers::MessageRecord;
use domain::gates::{Absent, Policy};
use stage::Fault;
use store::{
    Scoped,
    messages::in_doubt::{self, Open},
};

use super::{lists::Listed, pairs::Pair};

/// What is known about a pair.
pub(super) struct Loaded<'a> {
    /// Its messages that are in doubt, or under a claim that still holds.
    pub(super) open: Vec<Open>,
    /// The texts of the list.
    pub(super) records: &'a [MessageRecord],
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
    let open = in_doubt::lock_open(tx, &pair.tenant, pair.contact, pair.sender).await?;
    // A doubt of another account has another list.
    let is_ours = |one: &Open| one.account.as_ref().is_none_or(|of| *of == pair.account);
    let open: Vec<Open> = open.into_iter().filter(is_ours).collect();

    let (records, absent) = match listed {
        Listed::Whole(records) => (records.as_slice(), absent_by_policy(tx, pair).await?),
        // What cannot be proven absent is never sent again.
        Listed::NotOffered => ([].as_slice(), Some(Absent::Never)),
    };

    let account = (&pair.tenant, pair.account.as_str());
    let sids: Vec<&str> = records.iter().map(|record| record.sid.as_str()).collect();
    let known = in_doubt::known_sids(tx, account, pair.contact, &sids).await?;
    Ok(Loaded { open, records, known, absent })
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
