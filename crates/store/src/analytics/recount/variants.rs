//! The recount of what campaigns have counted by variant.

use std::collections::{BTreeMap, HashMap};

use domain::{ids::TenantId, message::state::MessageState};
use sqlx::types::Uuid;
use stage::Fault;
use wire::{event::CountedState, totals::names};

use super::rows::{CountedRows, CountedSums};
use crate::{Scoped, core::words, fault};

/// What is counted together: messages of a campaign and variant, in a state with its detail, which
/// may be empty.
type VariantKey = (Uuid, String, MessageState, String);

/// What they come to: as it was counted, and by the rows.
type BothSums = (CountedSums, CountedSums);

/// The counts by variant of a tenant's campaigns.
pub(super) struct VariantCounts(HashMap<VariantKey, BothSums>);

/// Which total: a campaign, a variant of its messages, and the total's name.
pub(super) type VariantTotalKey = (Uuid, String, String);

/// Holds what the rows say against what is counted by variant.
pub(super) async fn count(
    tx: &mut Scoped,
    tenant: &TenantId,
    rows: &[CountedRows],
) -> Result<VariantCounts, Fault> {
    let mut counts: HashMap<VariantKey, BothSums> = HashMap::new();
    for row in rows {
        if let (Some(campaign), Some(variant)) = (row.campaign, &row.variant) {
            let detail = row.detail.clone().unwrap_or_default();
            let key = (campaign, variant.clone(), row.state, detail);
            counts.entry(key).or_default().1 = row.sums;
        }
    }

    let totals = sqlx::query!(
        "select campaign_id, variant, state, detail, messages, released, segments, cost_micros
         from variant_totals where tenant_id = $1",
        tenant.as_str(),
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    for row in totals {
        let key = (row.campaign_id, row.variant, words::state(row.state)?, row.detail);
        counts.entry(key).or_default().0 = CountedSums {
            messages: row.messages,
            released: row.released,
            segments: row.segments,
            cost_micros: row.cost_micros,
        };
    }
    Ok(VariantCounts(counts))
}

impl VariantCounts {
    /// What they come to by name: as it was counted, and by the rows.
    pub(super) fn totals(&self) -> BTreeMap<VariantTotalKey, (i64, i64)> {
        let mut totals: BTreeMap<VariantTotalKey, (i64, i64)> = BTreeMap::new();
        for ((campaign, variant, state, detail), (counted, rows)) in &self.0 {
            let mut add = |name: String, counted: i64, rows: i64| {
                let total = totals.entry((*campaign, variant.clone(), name)).or_default();
                *total = (total.0 + counted, total.1 + rows);
            };

            let detail = Some(detail.clone()).filter(|detail| !detail.is_empty());
            let counted_as = CountedState { state: *state, detail };
            names(&counted_as).for_each(|name| add(name, counted.messages, rows.messages));
            for ((name, counted), (_, rows)) in counted.named().into_iter().zip(rows.named()) {
                add(name.into(), counted, rows);
            }
        }
        totals
    }

    /// Makes what is counted what the rows say, where it differs.
    pub(super) async fn correct(&self, tx: &mut Scoped, tenant: &TenantId) -> Result<(), Fault> {
        let wrong: Vec<(&VariantKey, CountedSums)> = self
            .0
            .iter()
            .filter(|(_, (counted, rows))| counted != rows)
            .map(|(key, (counted, rows))| (key, *rows - *counted))
            .collect();

        sqlx::query!(
            "insert into variant_totals as t (tenant_id, campaign_id, variant, state, detail,
                                              messages, released, segments, cost_micros)
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
            &wrong.iter().map(|(key, _)| key.0).collect::<Vec<_>>(),
            &wrong.iter().map(|(key, _)| key.1.as_str()).collect::<Vec<_>>() as _,
            &wrong.iter().map(|(key, _)| key.2.code()).collect::<Vec<_>>(),
            &wrong.iter().map(|(key, _)| key.3.as_str()).collect::<Vec<_>>() as _,
            &wrong.iter().map(|(_, by)| by.messages).collect::<Vec<_>>(),
            &wrong.iter().map(|(_, by)| by.released).collect::<Vec<_>>(),
            &wrong.iter().map(|(_, by)| by.segments).collect::<Vec<_>>(),
            &wrong.iter().map(|(_, by)| by.cost_micros).collect::<Vec<_>>(),
        )
        .execute(&mut **tx)
        .await
        .map_err(fault)?;

        Ok(())
    }
}
