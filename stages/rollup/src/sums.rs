//! What a batch adds to which total, summed. Pure.

use std::collections::{BTreeMap, HashMap};

use domain::{ids::TenantId, message::state::MessageState};
use jiff::Timestamp;
use store::analytics::{
    outcomes::OutcomeKey,
    rollup::{Delta, Moved},
    sender_days::{Carried, CarriedDay},
    timed::{Grain, TimedDelta},
};
use uuid::Uuid;
use wire::{
    event::{CountedState, CountsData},
    subject::Scope,
    totals::{came, names, sums},
};

use crate::tally::{Other, ToldCounts};

type ScopeKey = (TenantId, Scope);

/// Differences to totals, summed over a batch.
#[derive(Debug, Default)]
pub(crate) struct TotalSums {
    deltas: BTreeMap<(ScopeKey, String), i64>,
    /// How many changes and events each scope has counted, and business time of the latest.
    moved: HashMap<ScopeKey, (i64, Timestamp)>,
    /// What each minute of a scope has counted, by its start.
    minutes: BTreeMap<(ScopeKey, Timestamp), BTreeMap<String, i64>>,
    /// How senders' texts ended.
    outcomes: BTreeMap<OutcomeKey, i64>,
    /// What senders have carried, by the day.
    days: BTreeMap<CarriedDay, Carried>,
}

/// A batch, summed: each list in key order.
pub(crate) struct Sums {
    /// Differences to totals.
    pub(crate) deltas: Vec<Delta>,
    /// The scopes that moved.
    pub(crate) moved: Vec<Moved>,
    /// What came in which minute.
    pub(crate) timed: Vec<TimedDelta>,
    /// How senders' texts ended.
    pub(crate) outcomes: BTreeMap<OutcomeKey, i64>,
    /// What senders have carried, by the day.
    pub(crate) days: BTreeMap<CarriedDay, Carried>,
}

impl TotalSums {
    /// Moves a group of messages from what they were counted as, if anything, to what they are now.
    pub(crate) fn add(&mut self, told: &ToldCounts) {
        let counts = &told.counts;
        self.carried(&told.tenant, counts);
        if let Some(key) = outcome(&told.tenant, counts) {
            *self.outcomes.entry(key).or_default() += counts.messages;
        }
        for scope in scopes(&told.tenant, counts.campaign.map(|campaign| campaign.0)) {
            if let Some(from) = &counts.from {
                self.count(&scope, from, -counts.messages);
            }
            self.count(&scope, &counts.to, counts.messages);
            for (name, by) in sums(counts) {
                self.by(&scope, name, by);
            }
            self.in_minute(&scope, counts.minute_start, came(counts));
            self.moved(scope, counts.messages, told.at);
        }
    }

    /// Adds one other event.
    pub(crate) fn add_other(&mut self, other: &Other) {
        for scope in scopes(&other.tenant, other.campaign) {
            self.by(&scope, other.name.into(), other.by);
            let minute_start = Grain::Minute.start_of(other.at);
            self.in_minute(&scope, minute_start, [(other.name.to_owned(), other.by)]);
            self.moved(scope, 1, other.at);
        }
    }

    /// What all that was added comes to.
    pub(crate) fn finish(self) -> Sums {
        let delta = |(((tenant, scope), name), by)| Delta { tenant, scope, name, by };
        let moved = |((tenant, scope), (counted, as_of))| Moved { tenant, scope, counted, as_of };
        let timed = |(((tenant, scope), minute_start), counts)| TimedDelta {
            tenant,
            scope,
            minute_start,
            counts,
        };

        Sums {
            deltas: self.deltas.into_iter().filter(|(_, by)| *by != 0).map(delta).collect(),
            moved: self.moved.into_iter().map(moved).collect(),
            timed: self.minutes.into_iter().map(timed).collect(),
            outcomes: self.outcomes,
            days: self.days,
        }
    }

    /// Adds what a group's sender has carried, where that is something.
    fn carried(&mut self, tenant: &TenantId, counts: &CountsData) {
        let Some(sender) = counts.sender else { return };
        if (counts.segments, counts.cost.0) == (0, 0) {
            return;
        }
        let day_start = Grain::Day.start_of(counts.minute_start);
        let key = CarriedDay { tenant: tenant.clone(), sender, day_start };
        let day = self.days.entry(key).or_default();
        day.segments += counts.segments;
        day.cost += counts.cost;
    }

    /// Adds messages to a state, and to their detail.
    fn count(&mut self, scope: &ScopeKey, counted: &CountedState, by: i64) {
        names(counted).for_each(|name| self.by(scope, name, by));
    }

    fn by(&mut self, scope: &ScopeKey, name: String, by: i64) {
        *self.deltas.entry((scope.clone(), name)).or_default() += by;
    }

    /// Adds what came in a minute of a scope.
    fn in_minute(
        &mut self,
        scope: &ScopeKey,
        minute_start: Timestamp,
        came: impl IntoIterator<Item = (String, i64)>,
    ) {
        let minute = self.minutes.entry((scope.clone(), minute_start)).or_default();
        for (name, by) in came.into_iter().filter(|(_, by)| *by != 0) {
            *minute.entry(name).or_default() += by;
        }
    }

    /// Notes that so much was counted for a scope, the latest of it at this instant.
    fn moved(&mut self, scope: ScopeKey, counted: i64, at: Timestamp) {
        let moved = self.moved.entry(scope).or_insert((0, at));
        *moved = (moved.0 + counted, moved.1.max(at));
    }
}

/// The scopes that an event counts for: the tenant's dashboard, and its campaign.
fn scopes(tenant: &TenantId, campaign: Option<Uuid>) -> Vec<ScopeKey> {
    let dashboard = (tenant.clone(), Scope::Dashboard);
    let campaign = campaign.map(|id| (tenant.clone(), Scope::Campaign(id)));
    std::iter::once(dashboard).chain(campaign).collect()
}

/// How a group's texts ended, by their sender: the phone has them, or the carrier has refused
/// them or could not deliver them, and said why. None of every other change, and of a failure
/// of our own.
fn outcome(tenant: &TenantId, counts: &CountsData) -> Option<OutcomeKey> {
    let (is, was) = (ending(counts.to.state), counts.from.as_ref().map(|from| ending(from.state)));
    if was == Some(is) {
        return None;
    }

    let code = match is {
        Ending::Delivered => String::new(),
        Ending::Failed => counts.code.clone().filter(|code| code.parse::<u32>().is_ok())?,
        Ending::None => return None,
    };
    let (tenant, sender, minute_start) = (tenant.clone(), counts.sender?, counts.minute_start);
    Some(OutcomeKey { tenant, sender, minute_start, code })
}

/// What a state says of a text's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    None,
    Delivered,
    Failed,
}

fn ending(state: MessageState) -> Ending {
    match state {
        MessageState::Delivered | MessageState::Read => Ending::Delivered,
        MessageState::Failed => Ending::Failed,
        MessageState::Accepted
        | MessageState::Deferred
        | MessageState::Held
        | MessageState::Queued
        | MessageState::InDoubt
        | MessageState::Sent
        | MessageState::Blocked
        | MessageState::Cancelled
        | MessageState::Expired
        | MessageState::Unknown => Ending::None,
    }
}
