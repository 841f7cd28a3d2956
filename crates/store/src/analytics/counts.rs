//! Counts on their way to the totals: what the statements that move messages have recorded, one row
//! per group of equal moves.

use std::{collections::HashSet, time::Duration};

use domain::{
    ids::{CampaignId, SenderId, TenantId},
    money::Micros,
};
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::event::{CountedState, CountsData};

use crate::{
    Scoped, Store,
    core::{
        keyed::{self, in_lock_order},
        words::{self, Unreadable},
    },
    fault,
};

/// How long rollup has to fold what it was told of before it is told again, in machine time.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// For how long no message is stored once there are too many groups, unless they are counted again
/// before; machine time.
const STOPS: Duration = Duration::from_secs(120);

/// A group of moves that rollup is to be told of.
#[derive(Debug, Clone)]
pub struct DueCounts {
    /// The tenant that owns the messages.
    pub tenant: TenantId,
    /// Business time of the latest move.
    pub as_of: Timestamp,
    /// The group, as it is told.
    pub counts: CountsData,
}

/// Takes up to `at_most` groups that rollup is to be told of, and notes that it is. Those that this
/// version cannot read are left out: a newer one tells of them.
pub async fn take(
    store: &Store,
    machine: Timestamp,
    at_most: i64,
) -> Result<Vec<DueCounts>, Fault> {
    let before = machine - AGAIN;
    let found = sqlx::query!(
        r#"select tenant_id as "tenant_id!", group_id as "group_id!" from unfolded_counts($1, $2)"#,
        before.to_sqlx(),
        at_most,
    )
    .fetch_all(store.pool())
    .await
    .map_err(fault)?;

    if found.is_empty() {
        return Ok(Vec::new());
    }
    let tenants: Vec<String> = found.iter().map(|row| row.tenant_id.clone()).collect();
    let readable = tenants.iter().filter_map(|key| words::readable(words::tenant(key)));
    let mut tx = store.scoped(readable).await?;

    let rows = sqlx::query!(
        "with due as (
             select m.tenant_id, m.group_id from moved_counts m
             join unnest($1::text[], $2::uuid[]) as k (tenant_id, group_id)
               on m.tenant_id = k.tenant_id and m.group_id = k.group_id
             where m.said_at is null or m.said_at < $3
             for update of m skip locked
         )
         update moved_counts m set said_at = $4
         from due d where m.tenant_id = d.tenant_id and m.group_id = d.group_id
         returning m.tenant_id, m.group_id, m.minute_start, m.as_of, m.campaign_id, m.variant,
                   m.sender_id, m.country, m.code, m.old_state, m.old_detail, m.new_state,
                   m.new_detail, m.messages, m.released, m.segments, m.cost_micros",
        &tenants,
        &found.iter().map(|row| row.group_id).collect::<Vec<_>>(),
        before.to_sqlx(),
        machine.to_sqlx(),
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(fault)?;

    tx.commit().await.map_err(fault)?;
    let due = rows.into_iter().map(|row| {
        let from = row.old_state.map(|state| counted_state(state, row.old_detail)).transpose()?;
        let counts = CountsData {
            group: row.group_id,
            minute_start: row.minute_start.to_jiff(),
            campaign: row.campaign_id.map(CampaignId),
            variant: row.variant,
            sender: row.sender_id.map(SenderId),
            country: row.country.and_then(|country| country.parse().ok()),
            code: row.code,
            from,
            to: counted_state(row.new_state, row.new_detail)?,
            messages: row.messages,
            released: row.released,
            segments: row.segments,
            cost: Micros(row.cost_micros),
        };
        Ok(DueCounts { tenant: keyed::tenant(&row.tenant_id), as_of: row.as_of.to_jiff(), counts })
    });
    Ok(due.filter_map(words::readable).collect())
}

fn counted_state(state: i16, detail: Option<String>) -> Result<CountedState, Unreadable> {
    Ok(CountedState { state: words::state(state)?, detail })
}

/// How many groups of moves are in no total yet, over all tenants, counted up to a limit. Where
/// that is reached, no message is stored: whoever inserts one is told of an outage, until this is
/// called again and finds fewer, or two minutes later.
pub async fn limit(store: &Store, most: i64) -> Result<i64, Fault> {
    sqlx::query_scalar!(r#"select limit_counts($1, $2) as "groups!""#, most, STOPS.as_secs_f64())
        .fetch_one(store.pool())
        .await
        .map_err(fault)
}

/// How many groups of moves are in no total yet, over all tenants. The owner alone sees them.
pub async fn unfolded_of_all(store: &Store) -> Result<i64, Fault> {
    sqlx::query_scalar!(r#"select count(*) as "groups!" from moved_counts"#)
        .fetch_one(store.pool())
        .await
        .map_err(fault)
}

/// How many groups of a tenant's moves are in no total yet.
pub async fn unfolded(store: &Store, tenant: &TenantId) -> Result<i64, Fault> {
    let mut tx = store.scoped([tenant]).await?;
    sqlx::query_scalar!(
        r#"select count(*) as "groups!" from moved_counts where tenant_id = $1"#,
        tenant.as_str()
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(fault)
}

/// Removes groups, each named by its tenant and id, for whoever adds them to the totals in the same
/// transaction. Answers those that were there, and that nobody else is removing: each is counted
/// once.
pub async fn fold(tx: &mut Scoped, groups: &[(&TenantId, Uuid)]) -> Result<HashSet<Uuid>, Fault> {
    if groups.is_empty() {
        return Ok(HashSet::new());
    }
    let groups = in_lock_order(groups, |group| *group);

    let folded = sqlx::query_scalar!(
        "with found as (
             select m.tenant_id, m.group_id from moved_counts m
             join unnest($1::text[], $2::uuid[]) as k (tenant_id, group_id)
               on m.tenant_id = k.tenant_id and m.group_id = k.group_id
             for update of m skip locked
         )
         delete from moved_counts m
         using found f where m.tenant_id = f.tenant_id and m.group_id = f.group_id
         returning m.group_id",
        &groups.iter().map(|group| group.0.as_str()).collect::<Vec<_>>() as _,
        &groups.iter().map(|group| group.1).collect::<Vec<_>>(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(folded.into_iter().collect())
}
