//! What a campaign's messages are counted as: its totals with what has not been folded into them
//! ([`crate::analytics::get`]). So they are what the rows say, and cost the same however many there
//! are.

use std::collections::BTreeMap;

use domain::{
    gates::PACE_CODE,
    ids::{CampaignId, TenantId},
    message::state::{MessageState, NO_RECEIPT},
    money::Micros,
};
use stage::Fault;
use wire::{
    subject::Scope,
    totals::{COST_NAME, RELEASED_NAME, SEGMENTS_NAME},
};

use crate::{
    Scoped,
    analytics::{self, variants},
};

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
    let totals = analytics::get(tx, tenant, &Scope::Campaign(campaign.0)).await?;
    Ok(CampaignCounts(totals.map(|totals| totals.totals).unwrap_or_default()))
}

/// Reads a campaign's counts of each variant that a message of it was made from, by its key. With a
/// snapshot of its own the transaction reads both at one instant.
pub async fn by_variant(
    tx: &mut Scoped,
    tenant: &TenantId,
    campaign: CampaignId,
) -> Result<BTreeMap<String, CampaignCounts>, Fault> {
    let variants = variants::of_campaign(tx, tenant, campaign).await?;
    Ok(variants.into_iter().map(|(key, counts)| (key, CampaignCounts(counts))).collect())
}
