//! Looks leased doubts up in the lists of their carriers, account by account.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use carriers::Clients;
use domain::ids::TenantId;
use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    messages::in_doubt::{self, DueDoubt},
};

use super::{
    config::InDoubtSweepConfig,
    decide::Look,
    lists::{Answer, Listed, NoList, lists as ask},
    pairs::{Due, DuePair, by_account},
    say::Cleared,
    settle::{end_late, settle},
};
use crate::under_way::UnderWay;

/// How soon doubts are due again whose account could not be asked now.
const TURNED_AWAY: Duration = Duration::from_secs(5);

/// What an account has said about pairs.
pub(super) struct Answers {
    /// The database's clock when the doubts were leased.
    at: Timestamp,
    answers: Vec<Answer>,
}

/// Accounts that are asked for lists.
pub(super) type Lists = UnderWay<Answers>;

/// Begins to ask accounts about leased doubts, each account once at a time. Doubts of one that
/// cannot be asked now are given back; answers whose they are.
pub(super) async fn begin(
    store: &Store,
    clients: &Arc<Clients>,
    lists: &mut Lists,
    due: Vec<DueDoubt>,
    at: Timestamp,
) -> Result<BTreeSet<TenantId>, Fault> {
    let mut turned_away = Vec::new();
    for (account, pairs) in by_account(due) {
        if !lists.has_room(&account) {
            turned_away.extend(pairs);
            continue;
        }

        let clients = Arc::clone(clients);
        let ask = async move { Answers { at, answers: ask(&clients, pairs).await } };
        lists.begin(account, ask);
    }

    let doubts = turned_away.iter().flat_map(|of_pair| {
        let tenant = &of_pair.pair.tenant;
        of_pair.due.iter().map(move |due| (tenant, due.message))
    });
    in_doubt::give_back(store, &doubts.collect::<Vec<_>>(), TURNED_AWAY).await?;
    Ok(turned_away.into_iter().map(|of_pair| of_pair.pair.tenant).collect())
}

/// Clears up what accounts have answered, account by account as they do. A pair that cannot be
/// settled does not hold the others.
pub(super) async fn clear_up(
    store: &Store,
    config: &InDoubtSweepConfig,
    (now, over_before): (Timestamp, Timestamp),
    lists: &mut Lists,
) -> Cleared {
    let mut cleared = Cleared::default();
    while let Some(Answers { at, answers }) = lists.next().await {
        for (of_pair, listed) in answers {
            let listed_after = config.listed_after(of_pair.access.as_ref());
            let look = Look { now, over_before, at, listed_after, retry: config.retry };
            match settle_or_postpone(store, config, look, &of_pair, listed).await {
                Ok(more) => cleared.add(more),
                // They are looked at again when their lease ends.
                Err(fault) => tracing::warn!(fault = fault.label(), "doubts could not be settled"),
            }
        }
    }
    cleared
}

/// Settles a pair by its list. Where the list could not be read, what is past its last date ends,
/// and the other doubts are put off.
async fn settle_or_postpone(
    store: &Store,
    config: &InDoubtSweepConfig,
    look: Look,
    of_pair: &DuePair,
    listed: Result<Listed, NoList>,
) -> Result<Cleared, Fault> {
    match listed {
        Ok(listed) => settle(store, look, &of_pair.pair, &listed).await,
        Err(why) => {
            let (tenant, account) = (&of_pair.pair.tenant, &of_pair.pair.account);
            tracing::warn!(%tenant, account, %why, "a carrier's list could not be read");

            let (late, open): (Vec<Due>, Vec<Due>) =
                of_pair.due.iter().partition(|due| look.is_over(due.raised_at));
            let cleared = match late[..] {
                [] => Cleared::default(),
                [_, ..] => end_late(store, look, &of_pair.pair).await?,
            };
            postpone(store, config, tenant, &open, why.retry_after()).await?;
            Ok(cleared)
        }
    }
}

/// Puts off doubts of a pair, each by `at_least` or longer where the carrier asks for it.
async fn postpone(
    store: &Store,
    config: &InDoubtSweepConfig,
    tenant: &TenantId,
    open: &[Due],
    at_least: Option<Duration>,
) -> Result<(), Fault> {
    let later: Vec<_> = open
        .iter()
        .map(|due| {
            let wait = config.retry_after(due.message, due.looks);
            (tenant, due.message, wait.max(at_least.unwrap_or(wait)))
        })
        .collect();

    let mut tx = store.scoped([tenant]).await?;
    in_doubt::postpone(&mut tx, &later).await?;
    tx.commit().await.map_err(store::fault)
}
