//! The totals as people look at them.

pub mod counts;
pub mod hourly;
pub mod outcomes;
pub mod recount;
pub mod rollup;
pub mod sender_days;
pub mod timed;
pub mod totals;
pub mod variants;

use std::collections::BTreeMap;

use domain::ids::TenantId;
use jiff::Timestamp;
use stage::Fault;
use wire::{
    event::CountedState,
    subject::Scope,
    totals::{COST_NAME, RELEASED_NAME, SEGMENTS_NAME, Totals, names},
};

use crate::{Scoped, core::words, fault};

/// A total, a head, or one side of a group of moves that rollup has not folded.
struct Row {
    /// Of a total alone.
    name: Option<String>,
    state: Option<i16>,
    detail: Option<String>,
    value: i64,
    released: i64,
    segments: i64,
    cost_micros: i64,
    as_of: Option<jiff_sqlx::Timestamp>,
    /// Changes and other events that are counted.
    counted: i64,
    version: i64,
}

/// Reads the rows of a scope. Which groups are its own is said in SQL, so that each scope has the
/// plan that fits it.
macro_rules! read {
    ($tx:ident, $tenant:ident, $scope:ident, $own:literal) => {
        sqlx::query_as!(
            Row,
            "with unfolded as materialized (select * from moved_counts where tenant_id = $1 and "
                + $own
                + r#")
                select t.name as "name?", null::smallint as state, null as detail,
                       t.value as "value!", 0::bigint as "released!", 0::bigint as "segments!",
                       0::bigint as "cost_micros!", null::timestamptz as as_of,
                       0::bigint as "counted!", 0::bigint as "version!"
                from totals t where t.tenant_id = $1 and t.scope = $2 and t.scope_id = $3
                union all
                select null, null, null, 0, 0, 0, 0, h.as_of, h.watermark, h.version
                from total_heads h where h.tenant_id = $1 and h.scope = $2 and h.scope_id = $3
                union all
                select null, u.new_state, u.new_detail, u.messages, u.released, u.segments,
                       u.cost_micros, u.as_of, u.messages, 0
                from unfolded u
                union all
                select null, u.old_state, u.old_detail, -u.messages, 0, 0, 0, null, 0, 0
                from unfolded u where u.old_state is not null"#,
            $tenant.as_str(),
            $scope.as_str(),
            $scope.id().unwrap_or_default(),
        )
        .fetch_all(&mut **$tx)
        .await
        .map_err(fault)?
    };
}

/// The totals of a scope with what rollup has not folded into them, from one statement: what the
/// rows of messages say at this instant, and cost the same however many there are. `version` is
/// that of what is folded. None while nothing was counted.
pub async fn get(
    tx: &mut Scoped,
    tenant: &TenantId,
    scope: &Scope,
) -> Result<Option<Totals>, Fault> {
    let rows: Vec<Row> = match scope {
        Scope::Dashboard => read!(tx, tenant, scope, "true"),
        Scope::Campaign(_) => read!(tx, tenant, scope, "campaign_id = $3"),
    };

    if rows.is_empty() {
        return Ok(None);
    }
    let mut totals = BTreeMap::new();
    let (mut as_of, mut watermark, mut version) = (Timestamp::UNIX_EPOCH, 0, 0);
    for row in rows {
        as_of = as_of.max(row.as_of.map_or(as_of, |at| at.to_jiff()));
        watermark += row.counted;
        version += row.version;

        let mut add = |name: String, by: i64| *totals.entry(name).or_default() += by;
        if let Some(name) = row.name {
            add(name, row.value);
        } else if let Some(state) = row.state.and_then(|code| words::readable(words::state(code))) {
            let counted = CountedState { state, detail: row.detail };
            names(&counted).for_each(|name| add(name, row.value));
        }
        let sums = [
            (RELEASED_NAME, row.released),
            (SEGMENTS_NAME, row.segments),
            (COST_NAME, row.cost_micros),
        ];
        for (name, by) in sums.into_iter().filter(|(_, by)| *by != 0) {
            add(name.to_owned(), by);
        }
    }
    Ok(Some(Totals { as_of, watermark, version, id: scope.id(), totals }))
}
