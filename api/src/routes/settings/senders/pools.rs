//! The pools that a sender is to be in, and what that makes of each.

use std::collections::BTreeSet;

use domain::{
    draft::MAX_CANDIDATES,
    ids::{SenderId, TenantId},
};
use store::{
    Scoped,
    settings::pools::{self, Pool},
};
use uuid::Uuid;

use crate::http::{Errors, Problem};

/// Pools that have other senders by a change, and everything that is wrong with it.
#[derive(Default)]
pub(crate) struct PoolMoves {
    pub(crate) changed: Vec<Pool>,
    pub(crate) errors: Errors,
}

/// What it takes for a sender to be in these pools and in no other; nothing where nobody says. The
/// pools are locked until the transaction ends.
pub(crate) async fn moves(
    tx: &mut Scoped,
    tenant: &TenantId,
    sender: SenderId,
    wanted: Option<&[Uuid]>,
) -> Result<PoolMoves, Problem> {
    let Some(wanted) = wanted else { return Ok(PoolMoves::default()) };
    let distinct: BTreeSet<Uuid> = wanted.iter().copied().collect();
    let mut moves = PoolMoves::default();
    moves.errors.check(wanted.len() <= 100, "pools", "out_of_range", "at most 100 pools");
    moves.errors.check(distinct.len() == wanted.len(), "pools", "duplicate", "each pool once");
    if !moves.errors.is_empty() {
        return Ok(moves);
    }

    let found = pools::lock(tx, tenant, sender, wanted).await?;
    let known: BTreeSet<Uuid> = found.iter().map(|pool| pool.id.0).collect();
    for (index, id) in wanted.iter().enumerate().filter(|(_, id)| !known.contains(*id)) {
        let detail = format!("no pool with the id {id}");
        moves.errors.add(&format!("pools[{index}]"), "not_found", detail);
    }
    for pool in found {
        let is_wanted = distinct.contains(&pool.id.0);
        moves.add(pool, sender, is_wanted);
    }
    Ok(moves)
}

impl PoolMoves {
    /// Puts the sender into a pool, or takes it out of it, where it is not so already.
    fn add(&mut self, mut pool: Pool, sender: SenderId, is_wanted: bool) {
        let is_in = pool.senders.contains(&sender.0);
        if is_in == is_wanted {
            return;
        }

        if is_wanted {
            pool.senders.push(sender.0);
            let fits = pool.senders.len() <= MAX_CANDIDATES;
            let detail = format!("{} has {MAX_CANDIDATES} senders, the most", pool.name);
            self.errors.check(fits, "pools", "too_many", &detail);
        } else {
            pool.senders.retain(|other| *other != sender.0);
            let detail = format!("{} has no other sender: delete it, or add one first", pool.name);
            self.errors.check(!pool.senders.is_empty(), "pools", "last_sender", &detail);
        }
        self.changed.push(pool);
    }
}
