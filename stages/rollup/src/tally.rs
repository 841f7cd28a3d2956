//! What a batch of events says: the latest state of each message, and each other event once. Pure.

use std::collections::BTreeMap;

use domain::{ids::TenantId, message::state::MessageState};
use jiff::Timestamp;
use store::analytics::rollup::Counted;
use uuid::Uuid;
use wire::{
    Event, EventKind,
    event::{CampaignData, ContactData, MessageData, ReceivedData},
};

/// The latest that a batch says of one message.
#[derive(Debug, Clone)]
pub(crate) struct Latest {
    /// What is to be counted.
    pub(crate) counted: Counted,
    /// Business time of the event.
    pub(crate) at: Timestamp,
}

/// An event that is counted once, by its id.
#[derive(Debug, Clone)]
pub(crate) struct Other {
    pub(crate) tenant: TenantId,
    /// The event's id.
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
    /// One entry per message, in key order.
    pub(crate) messages: Vec<Latest>,
    /// Events counted by id, each once, in key order.
    pub(crate) others: Vec<Other>,
}

impl Tally {
    /// Sorts a batch. An event whose data cannot be read is not counted: its kind says what data it
    /// has, and the wire's golden files keep that readable.
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut messages: BTreeMap<(TenantId, Uuid), Latest> = BTreeMap::new();
        let mut others: BTreeMap<(TenantId, Uuid), Other> = BTreeMap::new();

        for event in events {
            if let Some(latest) = latest(event) {
                let key = (event.tenant.clone(), latest.counted.message);
                let known = messages.get(&key);
                if known.is_none_or(|old| old.counted.version < latest.counted.version) {
                    messages.insert(key, latest);
                }
            } else if let Some(other) = other(event) {
                others.insert((event.tenant.clone(), event.id), other);
            }
        }

        Self { messages: messages.into_values().collect(), others: others.into_values().collect() }
    }

    /// The tenants in the batch.
    pub(crate) fn tenants(&self) -> Vec<TenantId> {
        let messages = self.messages.iter().map(|latest| latest.counted.tenant.clone());
        messages.chain(self.others.iter().map(|other| other.tenant.clone())).collect()
    }
}

/// What an event says of its message; none where it says no state.
fn latest(event: &Event) -> Option<Latest> {
    if !says_state(event.kind) {
        return None;
    }
    let data: MessageData = serde_json::from_str(event.data.get()).ok()?;

    let is_billed = data.state.is_at_carrier();
    let counted = Counted {
        tenant: event.tenant.clone(),
        message: data.message.0,
        version: event.version,
        state: data.state,
        gate: data.gate.filter(|_| data.state == MessageState::Blocked),
        campaign: data.campaign.map(|campaign| campaign.0),
        segments: if is_billed { i16::try_from(data.segments).unwrap_or(i16::MAX) } else { 0 },
        cost_micros: if is_billed { data.cost.0 } else { 0 },
    };
    Some(Latest { counted, at: event.at })
}

/// Whether an event of this kind says a message's state. `message.rejected` speaks of a second body
/// that never became a message.
fn says_state(kind: EventKind) -> bool {
    use EventKind as K;
    match kind {
        K::MessageAccepted | K::MessageBlocked | K::MessageDeferred | K::MessageHeld => true,
        K::MessageSent | K::MessageDelivered | K::MessageRead | K::MessageFailed => true,
        K::MessageUnknown | K::MessageCancelled | K::MessageExpired | K::InDoubtRaised => true,
        K::MessageRejected | K::MessageReceived => false,
        K::ContactOptedOut | K::ContactOptedIn => false,
        K::CampaignStarted | K::CampaignPaused | K::CampaignResumed => false,
        K::CampaignStopped | K::CampaignCompleted => false,
        K::BudgetWarning | K::BudgetExhausted => false,
    }
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
        K::CampaignCompleted => {
            let data: CampaignData = serde_json::from_str(event.data.get()).ok()?;
            ("audience", data.audience, Some(data.campaign))
        }

        // No total has these.
        K::CampaignStarted
        | K::CampaignPaused
        | K::CampaignResumed
        | K::CampaignStopped
        | K::BudgetWarning
        | K::BudgetExhausted => return None,

        // Counted by their message's state.
        K::MessageAccepted
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
