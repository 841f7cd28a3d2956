//! The recount of what campaigns have counted by variant.

use std::collections::BTreeMap;

use domain::ids::TenantId;
use sqlx::types::Uuid;
use stage::Fault;
use wire::{
    event::CountedState,
    totals::{COST_NAME, RELEASED_NAME, SEGMENTS_NAME, names},
};

use crate::{Scoped, core::words, fault};

/// What messages of a campaign and variant add up to in a state with its detail: by the rows, and
/// as it was counted.
pub(super) struct VariantCount {
    campaign: Uuid,
    variant: String,
    state: i16,
    detail: String,
    rows: CountedSums,
    counted: CountedSums,
}

/// Sums over messages that are counted alike.
#[derive(Clone, Copy, PartialEq, Eq)]
struct CountedSums {
    messages: i64,
    released: i64,
    segments: i64,
    cost_micros: i64,
}

/// Counts the messages of a tenant's campaigns that have a variant, and reads what is counted of
/// them.
pub(super) async fn count(tx: &mut Scoped, tenant: &TenantId) -> Result<Vec<VariantCount>, Fault> {
    let rows = sqlx::query!(
        r#"with rows as (
               select m.campaign_id, m.variant, m.state,
                      coalesce(state_detail(m.state, m.gate, m.code), '') as detail,
                      count(*) as messages, count(*) filter (where m.turn > 1) as released,
                      coalesce(sum(m.segments) filter (where m.carrier_sid is not null), 0)
                          as segments,
                      coalesce(sum(m.cost_micros) filter (where m.carrier_sid is not null), 0)
                          as cost_micros
               from messages m where m.tenant_id = $1 and m.variant is not null group by 1, 2, 3, 4
               union all
               select g.campaign_id, g.variant, g.state, g.detail, g.messages, g.released,
                      g.segments, g.cost_micros
               from gone_counts g where g.tenant_id = $1 and g.variant <> ''
               union all
               select u.campaign_id, u.variant, u.new_state, coalesce(u.new_detail, ''),
                      -u.messages, -u.released, -u.segments, -u.cost_micros
               from moved_counts u where u.tenant_id = $1 and u.variant is not null
               union all
               select u.campaign_id, u.variant, u.old_state, coalesce(u.old_detail, ''),
                      u.messages, 0, 0, 0
               from moved_counts u
               where u.tenant_id = $1 and u.variant is not null and u.old_state is not null
           ), both_sides as (
               select campaign_id, variant, state, detail, messages, released, segments,
                      cost_micros, 0::bigint as counted, 0::bigint as counted_released,
                      0::bigint as counted_segments, 0::bigint as counted_cost
               from rows where campaign_id <> $2
               union all
               select t.campaign_id, t.variant, t.state, t.detail, 0, 0, 0, 0, t.messages,
                      t.released, t.segments, t.cost_micros
               from variant_totals t where t.tenant_id = $1
           )
           select campaign_id as "campaign_id!", variant as "variant!", state as "state!",
                  detail as "detail!", sum(messages)::bigint as "messages!",
                  sum(released)::bigint as "released!", sum(segments)::bigint as "segments!",
                  sum(cost_micros)::bigint as "cost_micros!", sum(counted)::bigint as "counted!",
                  sum(counted_released)::bigint as "counted_released!",
                  sum(counted_segments)::bigint as "counted_segments!",
                  sum(counted_cost)::bigint as "counted_cost!"
           from both_sides group by 1, 2, 3, 4"#,
        tenant.as_str(),
        Uuid::nil(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let counts = rows.into_iter().map(|row| VariantCount {
        campaign: row.campaign_id,
        variant: row.variant,
        state: row.state,
        detail: row.detail,
        rows: CountedSums {
            messages: row.messages,
            released: row.released,
            segments: row.segments,
            cost_micros: row.cost_micros,
        },
        counted: CountedSums {
            messages: row.counted,
            released: row.counted_released,
            segments: row.counted_segments,
            cost_micros: row.counted_cost,
        },
    });
    Ok(counts.collect())
}

/// Which total: a campaign, a variant of its messages, and the total's name.
pub(super) type VariantTotalKey = (Uuid, String, String);

/// What the counts come to by name: as it was counted, and by the rows.
pub(super) fn totals(
    counts: &[VariantCount],
) -> Result<BTreeMap<VariantTotalKey, (i64, i64)>, Fault> {
    let mut totals: BTreeMap<VariantTotalKey, (i64, i64)> = BTreeMap::new();
    for count in counts {
        let mut add = |name: String, counted: i64, rows: i64| {
            let total = totals.entry((count.campaign, count.variant.clone(), name)).or_default();
            *total = (total.0 + counted, total.1 + rows);
        };

        let detail = Some(count.detail.clone()).filter(|detail| !detail.is_empty());
        let counted_as = CountedState { state: words::state(count.state)?, detail };
        let (counted, rows) = (count.counted, count.rows);
        names(&counted_as).for_each(|name| add(name, counted.messages, rows.messages));
        add(RELEASED_NAME.into(), counted.released, rows.released);
        add(SEGMENTS_NAME.into(), counted.segments, rows.segments);
        add(COST_NAME.into(), counted.cost_micros, rows.cost_micros);
    }
    Ok(totals)
}

/// Makes what is counted what the rows say, where it differs.
pub(super) async fn correct(
    tx: &mut Scoped,
    tenant: &TenantId,
    counts: &[VariantCount],
) -> Result<(), Fault> {
    let wrong: Vec<&VariantCount> = counts.iter().filter(|one| one.rows != one.counted).collect();
    let by = |of: fn(&CountedSums) -> i64| -> Vec<i64> {
        wrong.iter().map(|one| of(&one.rows) - of(&one.counted)).collect()
    };

    sqlx::query!(
        "insert into variant_totals as t (tenant_id, campaign_id, variant, state, detail, messages,
                                          released, segments, cost_micros)
         select $1, k.* from unnest($2::uuid[], $3::text[], $4::smallint[], $5::text[],
                                    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
           as k (campaign_id, variant, state, detail, messages, released, segments, cost_micros)
         order by campaign_id, variant, state, detail
         on conflict (tenant_id, campaign_id, variant, state, detail) do update
         set messages = t.messages + excluded.messages,
             released = t.released + excluded.released,
             segments = t.segments + excluded.segments,
             cost_micros = t.cost_micros + excluded.cost_micros",
        tenant.as_str(),
        &wrong.iter().map(|one| one.campaign).collect::<Vec<_>>(),
        &wrong.iter().map(|one| one.variant.as_str()).collect::<Vec<_>>() as _,
        &wrong.iter().map(|one| one.state).collect::<Vec<_>>(),
        &wrong.iter().map(|one| one.detail.as_str()).collect::<Vec<_>>() as _,
        &by(|sums| sums.messages),
        &by(|sums| sums.released),
        &by(|sums| sums.segments),
        &by(|sums| sums.cost_micros),
    )
    .execute(&mut **tx)
    .await
    .map_err(fault)?;

    Ok(())
}
