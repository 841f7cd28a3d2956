//! The days after the first instant: who waits is asked when they would be, oldest first, and who
//! is admitted leaves at the pace of their sender, or is asked again when the time for it is over.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{HORIZON, MOST_ASKS, MOST_WAITING, SenderTotal, Setting, SimulatedRecipient, Waiting};
use crate::{
    gates::{
        Candidate, Counters, Facts, LEAD_TIME, Memo, Reserved, TenantFacts, Verdict, evaluate,
        reservation,
    },
    ids::SenderId,
    message::class::Channel,
    money::Micros,
    zones::Place,
};

/// Who waits, and what has been sent so far.
#[derive(Debug)]
pub(super) struct Forecast {
    ends: Timestamp,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Admitted at the first instant, and too many for their senders' time: the reservations are
    /// given back once everybody has been asked.
    not_in_time: Vec<(Waiting, SenderId)>,
    /// Beyond [`MOST_WAITING`].
    pub(super) not_followed: u64,
    asks: u64,
    /// When each sender is free.
    free: HashMap<SenderId, Timestamp>,
    pub(super) sent: u64,
    pub(super) segments: u64,
    pub(super) cost: Micros,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    /// By sender and the start of its day.
    pub(super) days: BTreeMap<(SenderId, Timestamp), SenderTotal>,
    /// Those who waited and then were not sent to: held, blocked or expired.
    pub(super) dropped: u64,
}

impl Forecast {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            ends: at.saturating_add(HORIZON).unwrap_or(Timestamp::MAX),
            waiting: BinaryHeap::new(),
            not_in_time: Vec::new(),
            not_followed: 0,
            asks: 0,
            free: HashMap::new(),
            sent: 0,
            segments: 0,
            cost: Micros::ZERO,
            first: None,
            last: None,
            days: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// Those who are neither sent to nor given up.
    pub(super) fn left(&self) -> u64 {
        (self.waiting.len() + self.not_in_time.len()) as u64 + self.not_followed
    }

    /// Sends a message that is admitted now, when its sender is free; unless that is too late.
    pub(super) fn send(
        &mut self,
        tenant: &TenantFacts,
        sender: SenderId,
        memo: &mut Memo,
        sendable_until: Timestamp,
        (segments, cost): (u16, Micros),
    ) -> bool {
        let found = tenant.policy.as_ref().zip(tenant.senders.get(&sender));
        let Some((policy, sender)) = found else { return false };
        let at = self.free.get(&sender.id).map_or(memo.now(), |free| memo.now().max(*free));
        if sendable_until.duration_since(at) < LEAD_TIME {
            return false;
        }
        let takes = i64::from(segments) * 1_000_000 / i64::from(sender.pace.max(1));
        let free = at.saturating_add(SignedDuration::from_micros(takes)).unwrap_or(Timestamp::MAX);
        self.free.insert(sender.id, free);
        self.sent += 1;
        self.segments += u64::from(segments);
        self.cost += cost;
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let day = memo.sender_day(sender, policy);
        let total = self.days.entry((sender.id, day.start)).or_insert_with(|| SenderTotal {
            sender: sender.id,
            day: day.start.to_zoned(sender.zone.rules().clone()).date(),
            admitted: 0,
            cap: day.cap,
        });
        total.admitted += 1;
        true
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        if self.waiting.len() + self.not_in_time.len() < MOST_WAITING {
            self.waiting.push(Reverse(waiting));
        } else {
            self.not_followed += 1;
        }
    }

    pub(super) fn not_in_time(&mut self, waiting: Waiting, sender: SenderId) {
        if self.waiting.len() + self.not_in_time.len() < MOST_WAITING {
            self.not_in_time.push((waiting, sender));
        } else {
            self.not_followed += 1;
        }
    }

    /// Gives back what was reserved at the first instant and could not be sent in its time.
    pub(super) fn begin(
        &mut self,
        setting: &Setting,
        facts: &Facts,
        counters: &mut Counters,
        memo: &mut Memo,
    ) {
        let tenant = facts.tenants.get(&setting.tenant);
        for (waiting, sender) in std::mem::take(&mut self.not_in_time) {
            let found = tenant.and_then(|t| Some((t, t.policy.as_ref()?, t.senders.get(&sender)?)));
            if let Some((tenant, policy, sender)) = found {
                let what = Reserved {
                    tenant: &setting.tenant,
                    class: setting.class,
                    campaign: Some(setting.campaign),
                    sender: sender.id,
                    cost: waiting.cost,
                };
                let day = memo.sender_day(sender, policy).start;
                counters.give_back(&reservation(&what, &memo.windows(tenant.zone), day));
            }
            self.waiting.push(Reverse(waiting));
        }
    }

    /// Asks about the next who waits. Says whether it went on.
    pub(super) fn step(
        &mut self,
        setting: &Setting,
        facts: &mut Facts,
        counters: &mut Counters,
        memo: &mut Memo,
    ) -> bool {
        let due = self.waiting.peek().map(|next| next.0.due.0);
        let Some(now) = due.filter(|due| *due < self.ends && self.asks < MOST_ASKS) else {
            return false;
        };
        let Some(Reverse(mut next)) = self.waiting.pop() else { return false };
        self.asks += 1;
        if memo.now() != now {
            *memo = Memo::new(now);
        }
        let decision = evaluate(&next.candidate(setting), facts, counters, memo);
        counters.forget_marketing();
        let again = match decision.verdict {
            Verdict::Admit { sender, sendable_until } => {
                let tenant = facts.tenants.get(&setting.tenant);
                let load = (next.segments, next.cost);
                let sent = tenant
                    .is_some_and(|tenant| self.send(tenant, sender, memo, sendable_until, load));
                if !sent {
                    counters.give_back(&decision.reserved);
                }
                (!sent).then_some(sendable_until)
            }
            Verdict::Defer { until, .. } => Some(until),
            Verdict::Hold { .. } | Verdict::Block { .. } | Verdict::Expire { .. } => {
                self.dropped += 1;
                None
            }
        };
        match again {
            // A deferral leads forward, or it would be asked for ever.
            Some(until) => {
                next.due.0 = until.max(now.saturating_add(SECOND).unwrap_or(Timestamp::MAX));
                self.waiting.push(Reverse(next));
            }
            None => {
                let key = (setting.tenant.clone(), next.number, Channel::Sms);
                facts.recipients.remove(&key);
            }
        }
        true
    }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

impl Waiting {
    fn candidate<'a>(&'a self, setting: &'a Setting) -> Candidate<'a> {
        Candidate {
            id: self.message,
            tenant: &setting.tenant,
            class: setting.class,
            channel: Channel::Sms,
            number: self.number,
            campaign: Some(setting.campaign),
            submitted_at: setting.at,
            expires_at: self.expires_at,
            on_late: None,
            cost: self.cost,
            place: &self.place,
            senders: &self.senders,
        }
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

/// Places and lists of senders that many recipients share, kept once.
#[derive(Debug, Default)]
pub(super) struct Interned {
    places: HashMap<Place, Arc<Place>>,
    senders: HashMap<Vec<SenderId>, Arc<[SenderId]>>,
}

impl Interned {
    pub(super) fn waiting(&mut self, one: &SimulatedRecipient, due: (Timestamp, u64)) -> Waiting {
        let draft = &one.draft;
        let place = match self.places.get(&draft.place) {
            Some(place) => place.clone(),
            None => {
                let place = Arc::new(draft.place.clone());
                self.places.insert(draft.place.clone(), place.clone());
                place
            }
        };
        let senders = match self.senders.get(&draft.senders) {
            Some(senders) => senders.clone(),
            None => {
                let senders: Arc<[SenderId]> = draft.senders.clone().into();
                self.senders.insert(draft.senders.clone(), senders.clone());
                senders
            }
        };
        Waiting {
            due,
            message: one.message,
            number: one.number,
            expires_at: one.expires_at,
            place,
            senders,
            segments: draft.segments,
            cost: draft.cost,
        }
    }
}
