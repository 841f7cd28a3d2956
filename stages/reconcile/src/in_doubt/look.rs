//! Looks leased doubts up in the lists of their carriers, pair by pair.

use std::time::Duration;

use carriers::Clients;
use domain::{ids::TenantId, message::state::MessageState};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use stage::Fault;
use store::{
    Store,
    messages::in_doubt::{self, DueDoubt, LeasedDoubts},
};

use super::{
    config::InDoubtSweepConfig,
    decide::Look,
    lists::{Listed, NoList, list},
    pairs::{Due, DuePair, pairs},
    say::Cleared,
    settle::{end_late, settle},
};

/// Lists asked at once.
const AT_ONCE: usize = 16;

/// Clears up the leased doubts. A pair that cannot be settled does not hold the others.
pub(super) async fn look_up(
    store: &Store,
    clients: &Clients,
    config: &InDoubtSweepConfig,
    (now, over_before): (Timestamp, Timestamp),
    leased: LeasedDoubts,
) -> Cleared {
    let (open, ended): (Vec<DueDoubt>, Vec<DueDoubt>) =
        leased.due.into_iter().partition(|due| due.message.state == MessageState::InDoubt);
    let mut cleared = Cleared::default();
    for due in ended {
        cleared.end_elsewhere(due);
    }

    let asking = stream::iter(pairs(open)).map(|of_pair| async {
        let listed = list(clients, &of_pair).await;
        (of_pair, listed)
    });
    let mut answers = asking.buffer_unordered(AT_ONCE);

    while let Some((of_pair, listed)) = answers.next().await {
        let listed_after = config.listed_after(of_pair.access.as_ref());
        let retry = config.retry;
        let look = Look { now, over_before, at: leased.at, listed_after, retry };
        match settle_or_postpone(store, config, look, &of_pair, listed).await {
            Ok(more) => cleared.add(more),
            // They are looked at again when their lease ends.
            Err(fault) => tracing::warn!(fault = fault.label(), "doubts could not be settled"),
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
