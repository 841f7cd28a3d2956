//! What a campaign's messages are counted as: its totals, with what has not been folded into them,
//! from one statement. So they are what the rows say, and cost the same however many there are.

use std::collections::BTreeMap;

use domain::{
    gates::PACE_CODE,
    ids::{CampaignId, TenantId},
    message::state::{MessageState, NO_RECEIPT},
    money::Micros,
};
use stage::Fault;
use wire::{
    event::CountedState,
    subject::Scope,
    totals::{COST_NAME, RELEASED_NAME, SEGMENTS_NAME, names},
};

use crate::{Scoped, core::words, fault};

/// A campaign's counts by name, as in its totals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignCounts(BTreeMap<String, i64>);

impl CampaignCounts {
    /// Messages in a state.
    pub fn of(&self, state: MessageState) -> i64 {
        self.named(state.as_str())
    }

    /// Of the messages in a state, those with this detail.
    pub fn detailed(&self, state: MessageState, detail: &str) -> i64 {
        self.named(&format!("{}.{detail}", state.as_str()))
    }

    /// Messages that wait until their sender has room.
    pub fn waiting_for_pace(&self) -> i64 {
        self.detailed(MessageState::Deferred, PACE_CODE)
    }

    /// Messages that have ended, those among them of which no receipt is expected any more. One
    /// whose state only a newer version knows has not.
    pub fn ended(&self) -> i64 {
        let ended = self.where_state(MessageState::is_final);
        ended + self.detailed(MessageState::Sent, NO_RECEIPT)
    }

    /// Messages in states for which something holds.
    pub fn where_state(&self, holds: impl Fn(MessageState) -> bool) -> i64 {
        let states = MessageState::ALL.into_iter().filter(|state| holds(*state));
        states.map(|state| self.of(state)).sum()
    }

    /// Messages that came into a second turn.
    pub fn released(&self) -> i64 {
        self.named(RELEASED_NAME)
    }

    /// Segments of what the carrier took.
    pub fn segments(&self) -> i64 {
        self.named(SEGMENTS_NAME)
    }

    /// What these cost.
    pub fn cost(&self) -> Micros {
        Micros(self.named(COST_NAME))
    }

    fn named(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn add(&mut self, name: String, by: i64) {
        *self.0.entry(name).or_default() += by;
    }
}

impl FromIterator<(String, i64)> for CampaignCounts {
    fn from_iter<I: IntoIterator<Item = (String, i64)>>(counts: I) -> Self {
        Self(counts.into_iter().collect())
    }
}

/// Reads a campaign's counts.
pub async fn read(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: CampaignId,
) -> Result<CampaignCounts, Fault> {
    let scope = Scope::Campaign(campaign.0);
    let rows = sqlx::query!(
        r#"with unfolded as materialized (
               select * from moved_counts where tenant_id = $1 and campaign_id = $3
           )
           select t.name as "name?", null::smallint as state, null as detail, t.value as "value!",
                  0::bigint as "released!", 0::bigint as "segments!", 0::bigint as "cost_micros!"
           from totals t where t.tenant_id = $1 and t.scope = $2 and t.scope_id = $3
           union all
           select null, u.new_state, u.new_detail, u.messages, u.released, u.segments, u.cost_micros
           from unfolded u
           union all
           select null, u.old_state, u.old_detail, -u.messages, 0, 0, 0
           from unfolded u where u.old_state is not null"#,
        tenant.as_str(),
        scope.as_str(),
        campaign.0,
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(fault)?;

    let mut counts = CampaignCounts::default();
    for row in rows {
        if let Some(name) = row.name {
            counts.add(name, row.value);
        } else if let Some(state) = row.state.and_then(|code| words::readable(words::state(code))) {
            let counted = CountedState { state, detail: row.detail };
            names(&counted).for_each(|name| counts.add(name, row.value));
        }
        counts.add(RELEASED_NAME.into(), row.released);
        counts.add(SEGMENTS_NAME.into(), row.segments);
        counts.add(COST_NAME.into(), row.cost_micros);
    }
    Ok(counts)
}
