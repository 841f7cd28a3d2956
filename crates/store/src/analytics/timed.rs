//! Totals by time: how many messages came into each state in a minute, an hour or a day (UTC), and
//! what else was counted then. Old minutes become hours, and old hours days.

use std::collections::BTreeMap;

use domain::ids::TenantId;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Json;
use stage::Fault;
use wire::subject::Scope;

use crate::{
    Scoped, Store,
    core::words::{self, words},
    fault,
    retention::{Removed, Step},
};

/// How long minutes are kept.
pub const MINUTES: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long hours are kept.
pub const HOURS: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long a time is that is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// A minute, kept for seven days.
    Minute,
    /// An hour, kept for ninety days.
    Hour,
    /// A day in UTC, kept for good.
    Day,
}

impl Grain {
    /// Every grain, the shortest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The grain of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grain| grain.as_str() == name)
    }

    /// How long it is.
    pub fn length(self) -> SignedDuration {
        match self {
            Self::Minute => SignedDuration::from_mins(1),
            Self::Hour => SignedDuration::from_hours(1),
            Self::Day => SignedDuration::from_hours(24),
        }
    }

    /// The beginning of the time of this grain that an instant is in.
    pub fn start_of(self, at: Timestamp) -> Timestamp {
        let seconds = self.length().as_secs();
        let start = at.as_second().div_euclid(seconds) * seconds;
        Timestamp::from_second(start).unwrap_or(Timestamp::MIN)
    }

    /// What becomes of it once it is old, and when it is; a day stays.
    fn then(self) -> Option<(Self, SignedDuration)> {
        match self {
            Self::Minute => Some((Self::Hour, MINUTES)),
            Self::Hour => Some((Self::Day, HOURS)),
            Self::Day => None,
        }
    }
}

words! { Grain = "grain of totals" }

/// What was counted of a scope in a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedDelta {
    /// The tenant whose counts they are.
    pub tenant: TenantId,
    /// What they are of.
    pub scope: Scope,
    /// Business time at which the minute starts.
    pub minute_start: Timestamp,
    /// What is added, by the names of totals.
    pub counts: BTreeMap<String, i64>,
}

/// Adds what was counted to its minutes. A minute of a scope is named once.
pub async fn add(tx: &mut Scoped, deltas: &[TimedDelta]) -> Result<(), Fault> {
    if deltas.is_empty() {
        return Ok(());
    }
    let counts = deltas.iter().map(|delta| wire::json::to_string(&delta.counts));

    sqlx::query!(
        "insert into timed_totals as t (tenant_id, scope, scope_id, grain, starts_at, counts)
         select k.tenant_id, k.scope, k.scope_id, $1, k.starts_at, k.counts::jsonb
         from unnest($2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::text[])
           as k (tenant_id, scope, scope_id, starts_at, counts) order by 1, 2, 3, 5
         on conflict (tenant_id, scope, scope_id, grain, starts_at) do update
         set counts = add_counts(t.counts, excluded.counts)",
        Grain::Minute.as_str(),
        &deltas.iter().map(|delta| delta.tenant.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| delta.scope.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| delta.scope.id().unwrap_or_default()).collect::<Vec<_>>(),
        &deltas.iter().map(|delta| delta.minute_start.to_sqlx()).collect::<Vec<_>>() as _,
        &counts.collect::<Vec<String>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// What was counted in a time of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesPoint {
    /// When it starts.
    pub starts_at: Timestamp,
    /// What was counted in it, by the names of totals.
    pub counts: BTreeMap<String, i64>,
}

/// The counts of a scope from one instant to before another, by times of a grain. Times in which
/// nothing was counted are left out; so are times that are kept in a longer grain by now.
pub async fn series(
    tx: &mut Scoped,
    tenant: &TenantId,
    scope: &Scope,
    grain: Grain,
    (from, before): (Timestamp, Timestamp),
) -> Result<Vec<SeriesPoint>, Fault> {
    let grains = Grain::ALL.into_iter().filter(|one| *one <= grain);
    let rows = sqlx::query!(
        r#"select s.starts_at as "starts_at!",
                  jsonb_object_agg(s.name, s.value) as "counts!: Json<BTreeMap<String, i64>>"
           from (
               select date_trunc($4, t.starts_at, 'UTC') as starts_at, c.key as name,
                      sum(c.value::bigint) as value
               from timed_totals t
               cross join lateral jsonb_each_text(t.counts) c
               where t.tenant_id = $1 and t.scope = $2 and t.scope_id = $3 and t.grain = any ($5)
                 and t.starts_at >= $6 and t.starts_at < $7
               group by 1, 2
           ) s
           group by s.starts_at order by s.starts_at"#,
        tenant.as_str(),
        scope.as_str(),
        scope.id().unwrap_or_default(),
        grain.as_str(),
        &grains.map(Grain::as_str).collect::<Vec<_>>() as _,
        grain.start_of(from).to_sqlx(),
        before.to_sqlx(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let point = |(starts_at, Json(counts)): (jiff_sqlx::Timestamp, Json<BTreeMap<String, i64>>)| {
        SeriesPoint { starts_at: starts_at.to_jiff(), counts }
    };
    Ok(rows.into_iter().map(|row| point((row.starts_at, row.counts))).collect())
}

/// Makes longer times of the oldest that are due. What they counted is in one of them at every
/// instant.
pub async fn downsample(store: &Store, step: &Step) -> Result<Removed, Fault> {
    let mut removed = Removed::default();
    for grain in Grain::ALL {
        let Some((longer, kept)) = grain.then() else { continue };
        // A time goes as a whole, once all of what it becomes a part of is old.
        let before = longer.start_of(step.now - kept);
        let rows = downsample_grain(store, grain, longer, before, step.rows).await?;
        removed.rows += rows;
        removed.more |= rows >= step.rows.unsigned_abs();
    }
    Ok(removed)
}

async fn downsample_grain(
    store: &Store,
    grain: Grain,
    longer: Grain,
    before: Timestamp,
    at_most: i64,
) -> Result<u64, Fault> {
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", scope as "scope!", scope_id as "scope_id!",
                  starts_at as "starts_at!"
           from aged_totals($1, $2, $3)"#,
        grain.as_str(),
        before.to_sqlx(),
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    let readable = found.iter().filter_map(|row| words::readable(words::tenant(&row.tenant_id)));
    let tenants: Vec<TenantId> = readable.collect();
    if tenants.is_empty() {
        return Ok(0);
    }

    let mut tx = store.scoped(&tenants).await?;
    let gone = sqlx::query_scalar!(
        r#"with due as (
               select t.tenant_id, t.scope, t.scope_id, t.grain, t.starts_at from timed_totals t
               join unnest($3::text[], $4::text[], $5::uuid[], $6::timestamptz[])
                 as k (tenant_id, scope, scope_id, starts_at)
                 on t.tenant_id = k.tenant_id and t.scope = k.scope and t.scope_id = k.scope_id
                and t.starts_at = k.starts_at
               where t.grain = $1 for update of t skip locked
           ), gone as (
               delete from timed_totals t using due d
               where t.tenant_id = d.tenant_id and t.scope = d.scope and t.scope_id = d.scope_id
                 and t.grain = d.grain and t.starts_at = d.starts_at
               returning t.*
           ), added as (
               insert into timed_totals as t (tenant_id, scope, scope_id, grain, starts_at, counts)
               select s.tenant_id, s.scope, s.scope_id, $2, s.starts_at,
                      jsonb_object_agg(s.name, s.value)
               from (
                   select g.tenant_id, g.scope, g.scope_id,
                          date_trunc($2, g.starts_at, 'UTC') as starts_at, c.key as name,
                          sum(c.value::bigint) as value
                   from gone g cross join lateral jsonb_each_text(g.counts) c
                   group by 1, 2, 3, 4, 5
               ) s
               group by 1, 2, 3, 5 order by 1, 2, 3, 5
               on conflict (tenant_id, scope, scope_id, grain, starts_at) do update
               set counts = add_counts(t.counts, excluded.counts)
           )
           select count(*) as "gone!" from gone"#,
        grain.as_str(),
        longer.as_str(),
        &found.iter().map(|row| row.tenant_id.as_str()).collect::<Vec<_>>() as _,
        &found.iter().map(|row| row.scope.as_str()).collect::<Vec<_>>() as _,
        &found.iter().map(|row| row.scope_id).collect::<Vec<_>>(),
        &found.iter().map(|row| row.starts_at).collect::<Vec<_>>() as _,
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    Ok(gone.unsigned_abs())
}
