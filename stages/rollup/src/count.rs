//! What an event adds to which total. Pure.

use std::collections::{BTreeMap, HashMap};

use domain::{ids::TenantId, message::state::MessageState};
use jiff::Timestamp;
use store::analytics::rollup::{Counted, Delta, Moved};
use uuid::Uuid;
use wire::{
    Event, EventKind,
    event::{CampaignData, ContactData, MessageData, ReceivedData},
    subject::Scope,
    totals::blocked_by,
};

/// The latest that a batch says of one message.
#[derive(Debug, Clone)]
pub struct Latest {
    /// What is to be counted.
    pub counted: Counted,
    /// Business time of the event.
    pub at: Timestamp,
}

/// An event that is counted once, by its id.
#[derive(Debug, Clone)]
pub struct Other {
    /// Whose.
    pub tenant: TenantId,
    /// Which event.
    pub event: Uuid,
    /// Business time.
    pub at: Timestamp,
    /// The campaign that it counts for, beside the dashboard.
    pub campaign: Option<Uuid>,
    /// The total it raises.
    pub name: &'static str,
    /// By how much.
    pub by: i64,
}

/// A batch of events, sorted by what is counted how.
#[derive(Debug, Default)]
pub struct Tally {
    /// One entry per message, in key order.
    pub messages: Vec<Latest>,
    /// Events counted by id, each once, in key order.
    pub others: Vec<Other>,
}

impl Tally {
    /// Sorts a batch. An event whose data cannot be read is not counted: its kind says what data it
    /// has, and the wire's golden files keep that readable.
    pub fn of(events: &[Event]) -> Self {
        let mut messages: BTreeMap<(TenantId, Uuid), Latest> = BTreeMap::new();
        let mut others: BTreeMap<(TenantId, Uuid), Other> = BTreeMap::new();
        for event in events {
            if let Some(latest) = message(event) {
                let key = (event.tenant.clone(), latest.counted.message);
                let newer = messages
                    .get(&key)
                    .is_none_or(|old| old.counted.version < latest.counted.version);
                if newer {
                    messages.insert(key, latest);
                }
            } else if let Some(other) = other(event) {
                others.insert((event.tenant.clone(), event.id), other);
            }
        }
        Self { messages: messages.into_values().collect(), others: others.into_values().collect() }
    }

    /// The tenants in the batch.
    pub fn tenants(&self) -> Vec<TenantId> {
        let messages = self.messages.iter().map(|latest| latest.counted.tenant.clone());
        messages.chain(self.others.iter().map(|other| other.tenant.clone())).collect()
    }
}

fn message(event: &Event) -> Option<Latest> {
    if !says_state(event.kind) {
        return None;
    }
    let data: MessageData = serde_json::from_str(event.data.get()).ok()?;
    let billed = data.state.is_at_carrier();
    let counted = Counted {
        tenant: event.tenant.clone(),
        message: data.message.0,
        version: event.version,
        state: data.state,
        gate: data.gate.filter(|_| data.state == MessageState::Blocked),
        campaign: data.campaign.map(|campaign| campaign.0),
        segments: if billed { i16::try_from(data.segments).unwrap_or(i16::MAX) } else { 0 },
        cost_micros: if billed { data.cost.0 } else { 0 },
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
        K::CampaignStarted | K::CampaignPaused | K::CampaignResumed | K::CampaignStopped => {
            return None;
        }
        K::BudgetWarning | K::BudgetExhausted => return None,
        K::MessageAccepted | K::MessageBlocked | K::MessageDeferred | K::MessageHeld => {
            return None;
        }
        K::MessageSent | K::MessageDelivered | K::MessageRead | K::MessageFailed => return None,
        K::MessageUnknown | K::MessageCancelled | K::MessageExpired | K::InDoubtRaised => {
            return None;
        }
    };
    let campaign = campaign.map(|campaign| campaign.0);
    Some(Other { tenant: event.tenant.clone(), event: event.id, at: event.at, campaign, name, by })
}

/// A message's step from what was counted of it to what is.
pub struct TotalChange<'a> {
    /// What was counted, if anything.
    pub old: Option<&'a Counted>,
    /// What is to be counted.
    pub new: &'a Latest,
}

type ScopeKey = (TenantId, Scope);

/// Differences to totals, summed over a batch.
#[derive(Debug, Default)]
pub struct TotalSums {
    deltas: BTreeMap<(ScopeKey, String), i64>,
    moved: HashMap<ScopeKey, (i64, Timestamp)>,
}

impl TotalSums {
    /// Adds one message's step.
    pub fn add(&mut self, change: &TotalChange<'_>) {
        let new = &change.new.counted;
        for scope in scopes(&new.tenant, new.campaign) {
            if let Some(old) = change.old {
                self.count(&scope, old, -1);
            }
            self.count(&scope, new, 1);
            self.moved(scope, change.new.at);
        }
    }

    /// Adds one other event.
    pub fn add_other(&mut self, other: &Other) {
        for scope in scopes(&other.tenant, other.campaign) {
            *self.deltas.entry((scope.clone(), other.name.into())).or_default() += other.by;
            self.moved(scope, other.at);
        }
    }

    /// The differences and the scopes that moved, in key order.
    pub fn finish(self) -> (Vec<Delta>, Vec<Moved>) {
        let delta = |(((tenant, scope), name), by)| Delta { tenant, scope, name, by };
        let moved = |((tenant, scope), (events, as_of))| Moved { tenant, scope, events, as_of };
        let deltas = self.deltas.into_iter().filter(|(_, by)| *by != 0).map(delta).collect();
        (deltas, self.moved.into_iter().map(moved).collect())
    }

    fn count(&mut self, scope: &ScopeKey, row: &Counted, sign: i64) {
        let mut add = |name: String, by: i64| {
            if by != 0 {
                *self.deltas.entry((scope.clone(), name)).or_default() += by * sign;
            }
        };
        add(row.state.as_str().into(), 1);
        if let Some(gate) = row.gate {
            add(blocked_by(gate.as_str()), 1);
        }
        add("segments".into(), row.segments.into());
        add("cost_micros".into(), row.cost_micros);
    }

    fn moved(&mut self, scope: ScopeKey, at: Timestamp) {
        let (events, as_of) = self.moved.entry(scope).or_insert((0, at));
        *events += 1;
        *as_of = at.max(*as_of);
    }
}

/// The scopes that an event counts for: the tenant's dashboard, and its campaign.
fn scopes(tenant: &TenantId, campaign: Option<Uuid>) -> Vec<ScopeKey> {
    let dashboard = (tenant.clone(), Scope::Dashboard);
    let campaign = campaign.map(|id| (tenant.clone(), Scope::Campaign(id)));
    std::iter::once(dashboard).chain(campaign).collect()
}
