//! A campaign's counts by the variant of the template that its messages were made from. A trigger
//! on `moved_counts` adds each group to `variant_totals` as it is folded.

use std::collections::BTreeMap;

use domain::ids::{CampaignId, TenantId};
use stage::Fault;
use wire::{
    event::CountedState,
    totals::{COST_NAME, RELEASED_NAME, SEGMENTS_NAME, names},
};

use crate::{Scoped, core::words, fault};

/// A campaign's counts of each variant by name, as in its totals: what is folded and what is not,
/// from one statement. A message without a variant is in none of them.
pub async fn of_campaign(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: CampaignId,
) -> Result<BTreeMap<String, BTreeMap<String, i64>>, Fault> {
    let rows = sqlx::query!(
        r#"with unfolded as materialized (
               select variant, old_state, old_detail, new_state, new_detail, messages, released,
                      segments, cost_micros
               from moved_counts
               where tenant_id = $1 and campaign_id = $2 and variant is not null
           )
           select t.variant as "variant!", t.state as "state!", nullif(t.detail, '') as detail,
                  t.messages as "messages!", t.released as "released!", t.segments as "segments!",
                  t.cost_micros as "cost_micros!"
           from variant_totals t where t.tenant_id = $1 and t.campaign_id = $2
           union all
           select u.variant, u.new_state, u.new_detail, u.messages, u.released, u.segments,
                  u.cost_micros
           from unfolded u
           union all
           select u.variant, u.old_state, u.old_detail, -u.messages, 0, 0, 0
           from unfolded u where u.old_state is not null"#,
        tenant.as_str(),
        campaign.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut variants: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in rows {
        let counts = variants.entry(row.variant).or_default();
        let mut add = |name: String, by: i64| *counts.entry(name).or_default() += by;
        if let Some(state) = words::readable(words::state(row.state)) {
            let counted = CountedState { state, detail: row.detail };
            names(&counted).for_each(|name| add(name, row.messages));
        }
        add(RELEASED_NAME.into(), row.released);
        add(SEGMENTS_NAME.into(), row.segments);
        add(COST_NAME.into(), row.cost_micros);
    }
    Ok(variants)
}
