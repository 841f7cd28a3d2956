//! The days after the first instant: who waits is asked when they would be, oldest first, and who
//! is admitted leaves at the pace of their sender, or is asked again when the time for it is over.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
};

use jiff::{SignedDuration, Timestamp, civil::Date};

use super::{setting::Setting, waiting::Waiting};
use crate::{
    gates::{
        Counters, Decision, Facts, LEAD_TIME, Memo, Reserved, TenantFacts, Verdict, evaluate,
        reservation,
    },
    gcra,
    ids::SenderId,
    money::Micros,
};

/// How far ahead a simulation looks.
pub const HORIZON: SignedDuration = SignedDuration::from_hours(60 * 24);

/// How many recipients may wait at once. Who comes beyond that is counted, and not followed.
pub const MOST_WAITING: usize = 250_000;

/// How often recipients who wait are asked again, all together. It ends a simulation in which a
/// small cap meets a large audience: each day asks everybody and lets a few pass.
pub const MOST_ASKS: u64 = 2_000_000;

/// The soonest after an ask that the same recipient is asked again.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// What one sender carries in one of its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderTotal {
    /// The sender that carries them.
    pub sender: SenderId,
    /// The day, in the sender's zone.
    pub day: Date,
    /// Messages of this campaign.
    pub admitted: u64,
    /// Messages that fit the day, those of others included.
    pub cap: u32,
}

/// What a message takes of its sender's time and of the budgets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) segments: u16,
    pub(super) cost: Micros,
}

/// Who waits, and what has been sent so far.
#[derive(Debug)]
pub(super) struct Forecast {
    /// The end of what is looked at.
    ends_at: Timestamp,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Admitted at the first instant, and too many for their senders' time: the reservations are
    /// given back once everybody has been asked.
    unsent: Vec<(Waiting, SenderId)>,
    /// How many came beyond [`MOST_WAITING`].
    not_followed: u64,
    asks: u64,
    /// When each sender is free again.
    next_free: HashMap<SenderId, Timestamp>,
    pub(super) sent: u64,
    pub(super) segments: u64,
    pub(super) cost: Micros,
    pub(super) first_send_at: Option<Timestamp>,
    pub(super) last_send_at: Option<Timestamp>,
    /// By sender and the start of its day.
    pub(super) days: BTreeMap<(SenderId, Timestamp), SenderTotal>,
    /// Those who waited and then were not sent to: held, blocked or expired.
    pub(super) dropped: u64,
}

impl Forecast {
    pub(super) fn new(at: Timestamp) -> Self {
        Self {
            ends_at: at.saturating_add(HORIZON).unwrap_or(Timestamp::MAX),
            waiting: BinaryHeap::new(),
            unsent: Vec::new(),
            not_followed: 0,
            asks: 0,
            next_free: HashMap::new(),
            sent: 0,
            segments: 0,
            cost: Micros::ZERO,
            first_send_at: None,
            last_send_at: None,
            days: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// Those who are neither sent to nor given up.
    pub(super) fn left(&self) -> u64 {
        self.followed() as u64 + self.not_followed
    }

    /// Sends a message that is admitted now, when its sender is free. Says whether it did: not
    /// where that is too late.
    pub(super) fn send(
        &mut self,
        tenant: &TenantFacts,
        sender: SenderId,
        memo: &mut Memo,
        sendable_until: Timestamp,
        load: Load,
    ) -> bool {
        let found = tenant.policy.as_ref().zip(tenant.senders.get(&sender));
        let Some((policy, sender)) = found else { return false };
        let next_free = self.next_free.get(&sender.id);
        let leaves_at = next_free.map_or(memo.now(), |free| memo.now().max(*free));
        if sendable_until.duration_since(leaves_at) < LEAD_TIME {
            return false;
        }

        let takes = gcra::time_of(load.segments, sender.pace);
        let next_free = leaves_at.saturating_add(takes).unwrap_or(Timestamp::MAX);
        self.next_free.insert(sender.id, next_free);
        self.count(leaves_at, load);

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

    /// Keeps somebody who is to be asked again, if there is room.
    pub(super) fn keep_waiting(&mut self, waiting: Waiting) {
        if self.followed() < MOST_WAITING {
            self.waiting.push(Reverse(waiting));
        } else {
            self.not_followed += 1;
        }
    }

    /// Keeps somebody who was admitted for a sender that has no time for them, if there is room.
    pub(super) fn keep_unsent(&mut self, waiting: Waiting, sender: SenderId) {
        if self.followed() < MOST_WAITING {
            self.unsent.push((waiting, sender));
        } else {
            self.not_followed += 1;
        }
    }

    /// Gives back what was reserved at the first instant and could not be sent in its time.
    pub(super) fn give_back_unsent(
        &mut self,
        setting: &Setting,
        facts: &Facts,
        counters: &mut Counters,
        memo: &mut Memo,
    ) {
        let tenant = facts.tenants.get(&setting.tenant);

        for (waiting, sender) in std::mem::take(&mut self.unsent) {
            let found = tenant.and_then(|t| Some((t, t.policy.as_ref()?, t.senders.get(&sender)?)));
            if let Some((tenant, policy, sender)) = found {
                let what = Reserved {
                    tenant: &setting.tenant,
                    class: setting.class,
                    campaign: Some(setting.campaign),
                    sender: sender.id,
                    cost: waiting.cost,
                    segments: waiting.segments,
                };
                let day = memo.sender_day(sender, policy).start;
                counters.give_back(&reservation(&what, &memo.windows(tenant.zone), day));
            }

            self.waiting.push(Reverse(waiting));
        }
    }

    /// Asks about the next who waits. Says whether it did: not where nobody is left to ask.
    pub(super) fn step(
        &mut self,
        setting: &Setting,
        facts: &mut Facts,
        counters: &mut Counters,
        memo: &mut Memo,
    ) -> bool {
        let due = self.waiting.peek().map(|Reverse(next)| next.due.0);
        let Some(now) = due.filter(|due| *due < self.ends_at && self.asks < MOST_ASKS) else {
            return false;
        };
        let Some(Reverse(mut next)) = self.waiting.pop() else { return false };

        self.asks += 1;
        if memo.now() != now {
            *memo = Memo::new(now);
        }
        let decision = evaluate(&next.candidate(setting), facts, counters, memo);
        counters.forget_marketing();

        let tenant = facts.tenants.get(&setting.tenant);
        match self.ask_again_at(&next, &decision, tenant, counters, memo) {
            // A deferral leads forward, or it would be asked for ever.
            Some(until) => {
                next.due.0 = until.max(now.saturating_add(SECOND).unwrap_or(Timestamp::MAX));
                self.waiting.push(Reverse(next));
            }
            None => {
                let key = (setting.tenant.clone(), next.address, setting.channel);
                facts.recipients.remove(&key);
            }
        }
        true
    }

    /// Sends, or gives up. When it is to be asked again; none where it is not.
    fn ask_again_at(
        &mut self,
        waiting: &Waiting,
        decision: &Decision,
        tenant: Option<&TenantFacts>,
        counters: &mut Counters,
        memo: &mut Memo,
    ) -> Option<Timestamp> {
        match decision.verdict {
            Verdict::Admit { sender, sendable_until } => {
                let load = Load { segments: waiting.segments, cost: waiting.cost };
                let is_sent = tenant
                    .is_some_and(|tenant| self.send(tenant, sender, memo, sendable_until, load));
                if is_sent {
                    return None;
                }

                counters.give_back(&decision.reserved);
                Some(sendable_until)
            }
            Verdict::Defer { until, .. } | Verdict::AwaitPace { until } => Some(until),
            Verdict::Hold { .. } | Verdict::Block { .. } | Verdict::Expire { .. } => {
                self.dropped += 1;
                None
            }
        }
    }

    fn count(&mut self, leaves_at: Timestamp, load: Load) {
        self.sent += 1;
        self.segments += u64::from(load.segments);
        self.cost += load.cost;
        self.first_send_at =
            Some(self.first_send_at.map_or(leaves_at, |first| first.min(leaves_at)));
        self.last_send_at = Some(self.last_send_at.map_or(leaves_at, |last| last.max(leaves_at)));
    }

    /// How many are followed at the moment.
    fn followed(&self) -> usize {
        self.waiting.len() + self.unsent.len()
    }
}
