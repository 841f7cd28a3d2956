//! Analytics rows: what has been counted of each message, and the totals.

use domain::{gates::Gate, ids::TenantId, message::state::MessageState};
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use sqlx::types::Uuid;
use stage::Fault;
use wire::subject::Scope;

use crate::{
    Scoped,
    core::{
        keyed::{self, in_lock_order},
        words,
    },
    fault,
};

/// What is counted of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The tenant that owns the message.
    pub tenant: TenantId,
    /// The message's id.
    pub message: Uuid,
    /// The message's version that this is.
    pub version: i64,
    /// The state that it is in.
    pub state: MessageState,
    /// The gate that blocked it, where one did.
    pub gate: Option<Gate>,
    /// The campaign that it belongs to.
    pub campaign: Option<Uuid>,
    /// Segments counted, once it is at the carrier.
    pub segments: i16,
    /// Cost counted, once it is at the carrier.
    pub cost_micros: i64,
}

/// A difference to one total.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delta {
    /// The tenant whose total it is.
    pub tenant: TenantId,
    /// What it is the total of.
    pub scope: Scope,
    /// The total's name.
    pub name: String,
    /// By how much it moves.
    pub by: i64,
}

/// What a batch has counted for one scope.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The tenant whose scope it is.
    pub tenant: TenantId,
    /// What has moved.
    pub scope: Scope,
    /// How many events were counted.
    pub events: i64,
    /// Business time of the latest of them.
    pub as_of: Timestamp,
}

/// Marks messages that were never counted as counted. Answers the indexes of those in `rows`, from
/// the lowest.
pub async fn count_first(tx: &mut Scoped, rows: &[Counted]) -> Result<Vec<usize>, Fault> {
    let columns = Columns::of(rows);

    let new = sqlx::query!(
        "insert into counted_messages
             (tenant_id, message_id, version, state, gate, campaign_id, segments, cost_micros)
         select * from unnest($1::text[], $2::uuid[], $3::bigint[], $4::smallint[], $5::text[],
                              $6::uuid[], $7::smallint[], $8::bigint[])
         on conflict do nothing
         returning tenant_id, message_id",
        &columns.tenants,
        &columns.messages,
        &columns.versions,
        &columns.states,
        &columns.gates as _,
        &columns.campaigns as _,
        &columns.segments,
        &columns.costs,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let new: std::collections::HashSet<(&str, Uuid)> =
        new.iter().map(|row| (row.tenant_id.as_str(), row.message_id)).collect();
    let is_new = |row: &Counted| new.contains(&(row.tenant.as_str(), row.message));
    Ok(rows.iter().enumerate().filter(|(_, row)| is_new(row)).map(|(i, _)| i).collect())
}

/// Locks what is counted of these messages. Answers the rows that are there, in key order.
pub async fn counted(tx: &mut Scoped, keys: &[(&TenantId, Uuid)]) -> Result<Vec<Counted>, Fault> {
    let (tenants, messages) = split(keys);

    let rows = sqlx::query!(
        "select c.tenant_id, c.message_id, c.version, c.state, c.gate, c.campaign_id, c.segments,
                c.cost_micros
         from counted_messages c
         join unnest($1::text[], $2::uuid[]) as k (tenant_id, message_id)
           on c.tenant_id = k.tenant_id and c.message_id = k.message_id
         order by c.tenant_id, c.message_id
         for update of c",
        &tenants as _,
        &messages,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let counted = rows.into_iter().map(|row| {
        Ok(Counted {
            tenant: keyed::tenant(&row.tenant_id),
            message: row.message_id,
            version: row.version,
            state: words::state(row.state)?,
            gate: words::optional(row.gate.as_deref())?,
            campaign: row.campaign_id,
            segments: row.segments,
            cost_micros: row.cost_micros,
        })
    });
    counted.collect()
}

/// Raises what is counted of these messages, which [`counted`] has locked.
pub async fn recount(tx: &mut Scoped, rows: &[Counted]) -> Result<(), Fault> {
    let columns = Columns::of(rows);
    sqlx::query!(
        "update counted_messages c
         set version = k.version, state = k.state, gate = k.gate, segments = k.segments,
             cost_micros = k.cost_micros
         from unnest($1::text[], $2::uuid[], $3::bigint[], $4::smallint[], $5::text[],
                     $6::smallint[], $7::bigint[])
           as k (tenant_id, message_id, version, state, gate, segments, cost_micros)
         where c.tenant_id = k.tenant_id and c.message_id = k.message_id",
        &columns.tenants,
        &columns.messages,
        &columns.versions,
        &columns.states,
        &columns.gates as _,
        &columns.segments,
        &columns.costs,
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

/// Marks other events as counted, each named by its tenant and id. Answers the ids of those that
/// were not yet.
pub async fn count_events(
    tx: &mut Scoped,
    now: Timestamp,
    keys: &[(&TenantId, Uuid)],
) -> Result<Vec<Uuid>, Fault> {
    let (tenants, events) = split(keys);

    sqlx::query_scalar!(
        "insert into counted_events (tenant_id, event_id, counted_at)
         select distinct *, $3::timestamptz from unnest($1::text[], $2::uuid[]) order by 1, 2
         on conflict do nothing returning event_id",
        &tenants as _,
        &events,
        now.to_sqlx() as _,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)
}

/// Adds differences to totals, and raises the version of each scope that moved. A total and a scope
/// are named once.
pub async fn add(tx: &mut Scoped, deltas: &[Delta], moved: &[Moved]) -> Result<(), Fault> {
    let id = |scope: &Scope| scope.id().unwrap_or_default();
    sqlx::query!(
        "insert into totals as t (tenant_id, scope, scope_id, name, value)
         select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::bigint[])
           as k (tenant_id, scope, scope_id, name, by) order by 1, 2, 3, 4
         on conflict (tenant_id, scope, scope_id, name) do update
         set value = t.value + excluded.value",
        &deltas.iter().map(|delta| delta.tenant.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| delta.scope.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| id(&delta.scope)).collect::<Vec<_>>(),
        &deltas.iter().map(|delta| delta.name.as_str()).collect::<Vec<_>>() as _,
        &deltas.iter().map(|delta| delta.by).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    sqlx::query!(
        "insert into total_heads as h (tenant_id, scope, scope_id, as_of, watermark, version)
         select k.tenant_id, k.scope, k.scope_id, k.as_of, k.events, 1
         from unnest($1::text[], $2::text[], $3::uuid[], $4::timestamptz[], $5::bigint[])
           as k (tenant_id, scope, scope_id, as_of, events) order by 1, 2, 3
         on conflict (tenant_id, scope, scope_id) do update
         set as_of = greatest(h.as_of, excluded.as_of),
             watermark = h.watermark + excluded.watermark,
             version = h.version + 1",
        &moved.iter().map(|one| one.tenant.as_str()).collect::<Vec<_>>() as _,
        &moved.iter().map(|one| one.scope.as_str()).collect::<Vec<_>>() as _,
        &moved.iter().map(|one| id(&one.scope)).collect::<Vec<_>>(),
        &moved.iter().map(|one| one.as_of.to_sqlx()).collect::<Vec<_>>() as _,
        &moved.iter().map(|one| one.events).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}

fn split<'a>(keys: &[(&'a TenantId, Uuid)]) -> (Vec<&'a str>, Vec<Uuid>) {
    keys.iter().map(|(tenant, id)| (tenant.as_str(), *id)).unzip()
}

/// Rows as the arrays of a statement, in key order.
struct Columns {
    tenants: Vec<String>,
    messages: Vec<Uuid>,
    versions: Vec<i64>,
    states: Vec<i16>,
    gates: Vec<Option<&'static str>>,
    campaigns: Vec<Option<Uuid>>,
    segments: Vec<i16>,
    costs: Vec<i64>,
}

impl Columns {
    fn of(rows: &[Counted]) -> Self {
        let rows = in_lock_order(rows, |row| (&row.tenant, row.message));
        Self {
            tenants: rows.iter().map(|row| row.tenant.to_string()).collect(),
            messages: rows.iter().map(|row| row.message).collect(),
            versions: rows.iter().map(|row| row.version).collect(),
            states: rows.iter().map(|row| row.state.code()).collect(),
            gates: rows.iter().map(|row| row.gate.map(Gate::as_str)).collect(),
            campaigns: rows.iter().map(|row| row.campaign).collect(),
            segments: rows.iter().map(|row| row.segments).collect(),
            costs: rows.iter().map(|row| row.cost_micros).collect(),
        }
    }
}
