//! `millrace rollup rebuild --since`: holds the series of a tenant against the events.

use std::collections::{BTreeMap, btree_map::Entry};

use anyhow::bail;
use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use pipeline::Broker;
use store::{
    Store,
    analytics::{
        hourly::{self, HourKey, HourlyCounts},
        timed::{self, Grain, TimedDelta},
    },
};
use wire::{event::CountsData, subject::Scope, totals::came};

use crate::counts_moved;

/// How old a minute is that is compared: by then everything that came in it is recorded.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);

/// From the start of an hour to before the start of a minute, in business time.
#[derive(Debug, Clone, Copy)]
pub struct SeriesSpan {
    from: Timestamp,
    before: Timestamp,
}

impl SeriesSpan {
    /// From the hour of an instant to two minutes ago.
    ///
    /// # Errors
    /// It goes back to where hours have become days.
    pub fn since(since: Timestamp, now: Timestamp) -> anyhow::Result<Self> {
        let span = Self::whole(since, now - SETTLED);
        if since < Grain::Day.start_of(now - timed::HOURS) {
            bail!("--since {since}: series older than 90 days are kept by the day alone");
        }
        Ok(span)
    }

    /// From the hour of an instant to the minute of another one.
    pub fn whole(from: Timestamp, to: Timestamp) -> Self {
        Self { from: Grain::Hour.start_of(from), before: Grain::Minute.start_of(to) }
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.before
    }

    fn pair(self) -> (Timestamp, Timestamp) {
        (self.from, self.before)
    }
}

/// A count of an hour that is not what the events say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourDifference {
    /// The scope, the start of the hour, and the name of the total.
    pub key: HourKey,
    /// What the series says.
    pub counted: i64,
    /// What the events say.
    pub events: i64,
}

/// What a comparison of a tenant's series has found.
pub struct SeriesCheck {
    /// How many counts were compared.
    pub compared: usize,
    /// Those that differ, in the order of their scopes, hours and names.
    pub differences: Vec<HourDifference>,
    read: HourlyCounts,
}

/// Compares the series of a tenant with the events, while everything runs.
///
/// # Errors
/// EVENTS does not go back that far; the database or the broker does not answer.
pub async fn compare(
    store: &Store,
    broker: &Broker,
    tenant: &TenantId,
    span: SeriesSpan,
) -> anyhow::Result<SeriesCheck> {
    if let Some(oldest) = counts_moved::complete_from(broker).await?
        && oldest > span.from
    {
        bail!("EVENTS goes back to {oldest}: give --since of an hour that begins later");
    }

    let read = hourly::read(store, tenant, span.pair()).await?;
    let mut both: BTreeMap<HourKey, (i64, i64)> = BTreeMap::new();
    for (key, counted) in &read.counts {
        both.insert(key.clone(), (*counted, 0));
    }
    let add = |moved: CountsData| {
        if span.holds(moved.minute_start) && !read.unfolded.contains(&moved.group) {
            add_events(&mut both, &moved);
        }
    };
    counts_moved::read(broker, tenant, add).await?;

    let compared = both.len();
    let difference = |(key, (counted, events)): (HourKey, (i64, i64))| {
        (counted != events).then_some(HourDifference { key, counted, events })
    };
    let differences = both.into_iter().filter_map(difference).collect();
    Ok(SeriesCheck { compared, differences, read })
}

/// Makes the series of a tenant what the events say, where they differ.
///
/// # Errors
/// The series has moved since it was compared; the database does not answer.
pub async fn correct(
    store: &Store,
    tenant: &TenantId,
    span: SeriesSpan,
    check: &SeriesCheck,
) -> anyhow::Result<()> {
    let mut deltas: BTreeMap<(Scope, Timestamp), BTreeMap<String, i64>> = BTreeMap::new();
    for HourDifference { key, counted, events } in &check.differences {
        let (scope, hour_start, name) = key.clone();
        deltas.entry((scope, hour_start)).or_default().insert(name, events - counted);
    }
    let delta = |((scope, minute_start), counts)| TimedDelta {
        tenant: tenant.clone(),
        scope,
        minute_start,
        counts,
    };
    let deltas: Vec<TimedDelta> = deltas.into_iter().map(delta).collect();

    if !hourly::correct(store, tenant, span.pair(), &check.read, &deltas).await? {
        bail!("the series of {tenant} has moved meanwhile: nothing is corrected, run it again");
    }
    Ok(())
}

/// Adds a group to the hour that it came in: of the dashboard, and of its campaign.
fn add_events(both: &mut BTreeMap<HourKey, (i64, i64)>, moved: &CountsData) {
    let hour_start = Grain::Hour.start_of(moved.minute_start);
    let campaign = moved.campaign.map(|campaign| Scope::Campaign(campaign.0));
    for scope in std::iter::once(Scope::Dashboard).chain(campaign) {
        for (name, by) in came(moved) {
            match both.entry((scope.clone(), hour_start, name)) {
                Entry::Occupied(mut known) => known.get_mut().1 += by,
                Entry::Vacant(new) => drop(new.insert((0, by))),
            }
        }
    }
}
