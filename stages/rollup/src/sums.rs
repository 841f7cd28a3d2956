//! What a batch adds to which total, summed. Pure.

use std::collections::{BTreeMap, HashMap};

use domain::ids::TenantId;
use jiff::Timestamp;
use store::analytics::rollup::{Counted, Delta, Moved};
use uuid::Uuid;
use wire::{subject::Scope, totals::blocked_by};

use crate::tally::{Latest, Other};

type ScopeKey = (TenantId, Scope);

/// Differences to totals, summed over a batch.
#[derive(Debug, Default)]
pub(crate) struct TotalSums {
    deltas: BTreeMap<(ScopeKey, String), i64>,
    /// How many events each scope has counted, and business time of the latest of them.
    moved: HashMap<ScopeKey, (i64, Timestamp)>,
}

impl TotalSums {
    /// Moves the totals from what was counted of a message, if anything, to what it is now.
    pub(crate) fn add(&mut self, old: Option<&Counted>, new: &Latest) {
        for scope in scopes(&new.counted.tenant, new.counted.campaign) {
            if let Some(old) = old {
                self.count(&scope, old, -1);
            }
            self.count(&scope, &new.counted, 1);
            self.moved(scope, new.at);
        }
    }

    /// Adds one other event.
    pub(crate) fn add_other(&mut self, other: &Other) {
        for scope in scopes(&other.tenant, other.campaign) {
            *self.deltas.entry((scope.clone(), other.name.into())).or_default() += other.by;
            self.moved(scope, other.at);
        }
    }

    /// The differences and the scopes that moved, in key order.
    pub(crate) fn finish(self) -> (Vec<Delta>, Vec<Moved>) {
        let delta = |(((tenant, scope), name), by)| Delta { tenant, scope, name, by };
        let moved = |((tenant, scope), (events, as_of))| Moved { tenant, scope, events, as_of };

        let deltas = self.deltas.into_iter().filter(|(_, by)| *by != 0).map(delta).collect();
        (deltas, self.moved.into_iter().map(moved).collect())
    }

    /// Adds what one message counts for, or takes it away where `sign` is -1.
    fn count(&mut self, scope: &ScopeKey, row: &Counted, sign: i64) {
        let mut add = |name: String, by: i64| {
            if by != 0 {
                *self.deltas.entry((scope.clone(), name)).or_default() += by * sign;
            }
        };

        add(row.state.as_str().into(), 1);
        if let Some(gate) = row.gate {
            add(blocked_by(gate.as_str()), 1);
        }
        add("segments".into(), row.segments.into());
        add("cost_micros".into(), row.cost_micros);
    }

    /// Notes that an event of this instant was counted for a scope.
    fn moved(&mut self, scope: ScopeKey, at: Timestamp) {
        let (events, as_of) = self.moved.entry(scope).or_insert((0, at));
        *events += 1;
        *as_of = at.max(*as_of);
    }
}

/// The scopes that an event counts for: the tenant's dashboard, and its campaign.
fn scopes(tenant: &TenantId, campaign: Option<Uuid>) -> Vec<ScopeKey> {
    let dashboard = (tenant.clone(), Scope::Dashboard);
    let campaign = campaign.map(|id| (tenant.clone(), Scope::Campaign(id)));
    std::iter::once(dashboard).chain(campaign).collect()
}
