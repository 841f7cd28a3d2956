//! What a batch of events says: groups of messages that moved, and other events, once each. Pure.

use std::collections::BTreeMap;

use domain::ids::{TenantId, event_id};
use jiff::Timestamp;
use uuid::Uuid;
use wire::{
    Event, EventKind,
    event::{CampaignData, ContactData, CountsData, ReceivedData},
};

/// A group of messages that moved, counted once by its id.
#[derive(Debug, Clone)]
pub(crate) struct ToldCounts {
    pub(crate) tenant: TenantId,
    /// Business time of the latest move.
    pub(crate) at: Timestamp,
    /// The group, as it is told.
    pub(crate) counts: CountsData,
}

/// An event that is counted once, by its id.
#[derive(Debug, Clone)]
pub(crate) struct Other {
    pub(crate) tenant: TenantId,
    /// The event's id, or one for all events that tell the same.
    pub(crate) event: Uuid,
    /// Business time of the event.
    pub(crate) at: Timestamp,
    /// The campaign that it counts for, beside the dashboard.
    pub(crate) campaign: Option<Uuid>,
    /// The total it raises.
    pub(crate) name: &'static str,
    /// By how much.
    pub(crate) by: i64,
}

/// A batch of events, sorted by what is counted how.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Groups of messages, each once, in key order.
    pub(crate) moves: Vec<ToldCounts>,
    /// Events counted by id, each once, in key order.
    pub(crate) others: Vec<Other>,
}

impl Tally {
    /// Sorts a batch. An event whose data cannot be read is not counted: its kind says what data it
    /// has, and the wire's golden files keep that readable.
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut moves: BTreeMap<(TenantId, Uuid), ToldCounts> = BTreeMap::new();
        let mut others: BTreeMap<(TenantId, Uuid), Other> = BTreeMap::new();

        for event in events {
            if let Some(told) = told(event) {
                moves.insert((event.tenant.clone(), told.counts.group), told);
            } else if let Some(other) = other(event) {
                others.insert((event.tenant.clone(), event.id), other);
            }
        }

        Self { moves: moves.into_values().collect(), others: others.into_values().collect() }
    }

    /// The tenants in the batch.
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        let moves = self.moves.iter().map(|told| told.tenant.clone());
        moves.chain(self.others.iter().map(|other| other.tenant.clone())).collect()
    }
}

/// The group that an event tells of; none for every other event.
fn told(event: &Event) -> Option<ToldCounts> {
    if event.kind != EventKind::CountsMoved {
        return None;
    }
    let counts = serde_json::from_str(event.data.get()).ok()?;
    Some(ToldCounts { tenant: event.tenant.clone(), at: event.at, counts })
}

/// What an event that is counted by its id adds to which total; none for every other event.
fn other(event: &Event) -> Option<Other> {
    use EventKind as K;
    let contact = || serde_json::from_str::<ContactData>(event.data.get()).ok()?.campaign;

    let (name, by, campaign) = match event.kind {
        K::MessageRejected => ("rejected", 1, None),
        K::MessageReceived => {
            let data: ReceivedData = serde_json::from_str(event.data.get()).ok()?;
            ("received", 1, data.campaign)
        }
        K::ContactOptedOut => ("opt_outs", 1, contact()),
        K::ContactOptedIn => ("opt_ins", 1, contact()),
        // Whichever comes first: its audience is the same from then on, and counted once.
        K::CampaignAudienceFixed | K::CampaignStopped | K::CampaignCompleted => {
            let data: CampaignData = serde_json::from_str(event.data.get()).ok()?;
            return Some(audience(event, &data));
        }

        // No total has these.
        K::ContactReviewed
        | K::ContactMerged
        | K::ContactUnmerged
        | K::CampaignStarted
        | K::CampaignPaused
        | K::CampaignResumed
        | K::BudgetWarning
        | K::BudgetExhausted
        | K::SenderQuarantined
        | K::SenderRecovered
        | K::ConversationOpened
        | K::ConversationReplied
        | K::ConversationNoted
        | K::ConversationRead
        | K::ConversationLabelled
        | K::ConversationAssigned
        | K::ConversationSnoozed
        | K::ConversationClosed
        | K::ConversationReopened
        | K::ConversationTakenOver
        | K::ConversationHandedBack
        | K::ConversationHandedOff => return None,

        // Counted by the groups that `counts.moved` tells of.
        K::CountsMoved
        | K::MessageAccepted
        | K::MessageBlocked
        | K::MessageDeferred
        | K::MessageHeld
        | K::MessageSent
        | K::MessageDelivered
        | K::MessageRead
        | K::MessageFailed
        | K::MessageUnknown
        | K::MessageCancelled
        | K::MessageExpired
        | K::InDoubtRaised => return None,
    };

    let campaign = campaign.map(|campaign| campaign.0);
    Some(Other { tenant: event.tenant.clone(), event: event.id, at: event.at, campaign, name, by })
}

/// A campaign's audience, counted under one id whichever event tells of it.
fn audience(event: &Event, data: &CampaignData) -> Other {
    let campaign = data.campaign.0;
    Other {
        tenant: event.tenant.clone(),
        event: event_id(campaign, "audience", 1),
        at: event.at,
        campaign: Some(campaign),
        name: "audience",
        by: data.audience,
    }
}
