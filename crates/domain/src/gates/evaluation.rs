//! What a gate sees of one message, and what it may answer.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    capacity::{
        counters::{Counters, Marketing},
        kind::CounterKind,
        line::{CapacityLine, LineKey},
        sender_day::SenderDay,
        windows::Windows,
    },
    facts::{Facts, RecipientStatus, SenderFacts, SwitchMode, TenantFacts},
    memo::Memo,
    model::{Candidate, Decision, Gate, GateAnswer, GateCause, GateResult, Verdict},
    policy::Policy,
    wake::Wake,
};
use crate::message::class::MessageClass;

/// How long a compliance answer may wait in the pipe when it says nothing itself.
const COMPLIANCE_VALIDITY: SignedDuration = SignedDuration::from_hours(24);

/// One message before the gates. Each gate may narrow the senders and the time to send.
pub(super) struct Evaluation<'a> {
    pub(super) now: Timestamp,
    /// What must be left of every window for the message to be sent in it.
    pub(super) lead: SignedDuration,
    pub(super) candidate: &'a Candidate<'a>,
    /// The platform's own switch.
    pub(super) platform: SwitchMode,
    pub(super) tenant: &'a TenantFacts,
    pub(super) policy: &'a Policy,
    pub(super) recipient: &'a RecipientStatus,
    /// The tenant's windows.
    pub(super) windows: Windows,
    /// The candidates that no gate has ruled out, preferred first.
    pub(super) senders: Vec<&'a SenderFacts>,
    pub(super) counters: &'a Counters,
    /// The contact's marketing, where this batch has changed it.
    pub(super) marketing: Option<&'a Marketing>,
    pub(super) memo: &'a mut Memo,
    /// The earliest end of what has been looked at so far.
    pub(super) sendable_until: Option<Timestamp>,
}

/// What one gate says.
#[derive(Debug)]
pub(super) enum Step {
    /// The next gate is asked.
    Pass,
    /// This gate is not for messages of this class.
    NotAsked,
    /// It asks the candidate senders, and the gates before it left none.
    Moot,
    /// This gate decides, unless one before it has.
    Reject(Rejection),
}

/// Why a gate does not pass, and what becomes of the message.
#[derive(Debug, Clone)]
pub(super) struct Rejection {
    pub(super) ruling: Ruling,
    /// The reason code: stable, and read by machines.
    pub(super) code: &'static str,
    /// The same in an English clause.
    pub(super) reason: String,
    /// The line that the message waits in, where it waits for a capacity.
    pub(super) line: Option<Box<CapacityLine>>,
    /// What ends a deferral before its time, where it is no line.
    pub(super) wake: Option<Wake>,
}

/// What becomes of a message that a gate does not let pass.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ruling {
    /// It is asked again at this instant.
    Defer(Timestamp),
    /// It waits for this to go away.
    Hold(Wake),
    /// It is never sent; with the instant from which the gate would pass again, where there is one.
    Block(Option<Timestamp>),
}

/// The facts without which no gate can be asked: the tenant, its policy, and what is known of the
/// recipient. Where they cannot be read the message is held: nothing is sent and nothing is lost.
pub(super) fn readable<'a>(
    candidate: &Candidate<'_>,
    facts: &'a Facts,
) -> Result<(&'a TenantFacts, &'a Policy, &'a RecipientStatus), Rejection> {
    let hold = |code, reason: &str| Rejection::new(Ruling::Hold(Wake::Policy), code, reason.into());

    let tenant = facts.tenants.get(candidate.tenant);
    let tenant = tenant.and_then(|tenant| Some((tenant, tenant.policy.as_ref()?)));
    let Some((tenant, policy)) = tenant else {
        return Err(hold("policy_unreadable", "the tenant's policy cannot be read"));
    };

    let Some(recipient) = facts.recipients.get(&candidate.recipient()) else {
        return Err(hold("standing_unreadable", "where the number stands is not known"));
    };
    Ok((tenant, policy, recipient))
}

impl<'a> Evaluation<'a> {
    /// The message may not be sent from this instant on.
    pub(super) fn until(&mut self, end: Timestamp) {
        self.sendable_until = Some(self.sendable_until.map_or(end, |until| until.min(end)));
    }

    /// The end of everything that an admission rests on.
    pub(super) fn sendable_until(&self) -> Timestamp {
        let default = self.now.saturating_add(COMPLIANCE_VALIDITY).unwrap_or(Timestamp::MAX);
        self.sendable_until.unwrap_or(default)
    }

    /// Whether an end is so near that the message could not be sent before it.
    pub(super) fn too_late(&self, end: Timestamp) -> bool {
        end.duration_since(self.now) < self.lead
    }

    /// Whether the message is marketing, or something that somebody waits for.
    pub(super) fn can_wait(&self) -> bool {
        match self.candidate.class {
            MessageClass::Promo | MessageClass::Journey => true,
            MessageClass::Conversational
            | MessageClass::Transactional
            | MessageClass::Compliance => false,
        }
    }

    /// An instant in the first minutes after an opening, at most so long after it, by the message's
    /// id: the same every time.
    pub(super) fn spread(&self, opens_at: Timestamp, at_most: SignedDuration) -> Timestamp {
        let at_most = u32::try_from(at_most.as_secs().max(0)).unwrap_or(u32::MAX);
        self.spread_over(opens_at, self.policy.quiet_hours.spread_seconds.min(at_most))
    }

    /// An instant in the first `seconds` after an opening, by the message's id.
    pub(super) fn spread_over(&self, opens_at: Timestamp, seconds: u32) -> Timestamp {
        let after = self.candidate.id.0.as_u64_pair().1 % (u64::from(seconds) + 1);
        let after = SignedDuration::from_secs(i64::try_from(after).unwrap_or_default());
        opens_at.saturating_add(after).unwrap_or(opens_at)
    }

    /// The last promotion to this contact, those of this batch included.
    pub(super) fn last_promo_at(&self) -> Option<Timestamp> {
        self.marketing.map_or(self.recipient.last_promo_at, |marketing| marketing.last_promo_at)
    }

    /// The latest marketing to this contact, that of this batch included.
    pub(super) fn marketing_at(&self) -> &'a [Timestamp] {
        match self.marketing {
            Some(marketing) => &marketing.latest,
            None => &self.recipient.marketing_at,
        }
    }

    /// The day of a candidate sender.
    pub(super) fn sender_day(&mut self, sender: &SenderFacts) -> SenderDay {
        self.memo.sender_day(sender, self.policy)
    }

    /// The line for a capacity whose next window begins at `opens_at`, of which `limit` fits into a
    /// window and the message takes `amount`.
    pub(super) fn line(
        &self,
        kind: CounterKind,
        target: Option<Uuid>,
        opens_at: Timestamp,
        limit: i64,
        amount: i64,
    ) -> CapacityLine {
        let key = LineKey { kind, target };
        let next_due = self.counters.line(self.candidate.tenant, key);
        let next_due = next_due.or_else(|| self.tenant.lines.get(&key).copied());
        CapacityLine { key, next_due, opens_at, limit, amount, zone: self.tenant.zone }
    }
}

impl Step {
    /// The message is asked again at an instant.
    pub(super) fn defer(until: Timestamp, code: &'static str, reason: String) -> Self {
        Self::Reject(Rejection::new(Ruling::Defer(until), code, reason))
    }

    /// The message is asked again at an instant, or as soon as something wakes it.
    pub(super) fn defer_unless_woken(
        until: Timestamp,
        wake: Wake,
        code: &'static str,
        reason: String,
    ) -> Self {
        let rejection = Rejection::new(Ruling::Defer(until), code, reason);
        Self::Reject(Rejection { wake: Some(wake), ..rejection })
    }

    /// The message waits in line for a capacity. `spread` are the seconds after its due time that
    /// such messages are spread over.
    pub(super) fn defer_in_line(
        evaluation: &Evaluation<'_>,
        line: CapacityLine,
        spread: u32,
        code: &'static str,
        reason: String,
    ) -> Self {
        let until = evaluation.spread_over(line.due(), spread);
        Self::Reject(Rejection {
            line: Some(Box::new(line)),
            ..Rejection::new(Ruling::Defer(until), code, reason)
        })
    }

    /// The message waits for a cause to go away.
    pub(super) fn hold(wake: Wake, code: &'static str, reason: String) -> Self {
        Self::Reject(Rejection::new(Ruling::Hold(wake), code, reason))
    }

    /// The message is never sent, and no other would pass at a later instant that is known.
    pub(super) fn block(code: &'static str, reason: String) -> Self {
        Self::Reject(Rejection::new(Ruling::Block(None), code, reason))
    }

    /// The message is never sent; another would pass from an instant on.
    pub(super) fn block_until(until: Timestamp, code: &'static str, reason: String) -> Self {
        Self::Reject(Rejection::new(Ruling::Block(Some(until)), code, reason))
    }
}

impl Rejection {
    pub(super) fn new(ruling: Ruling, code: &'static str, reason: String) -> Self {
        Self { ruling, code, reason, line: None, wake: None }
    }

    /// The gate that does not pass, and why.
    pub(super) fn cause(self, gate: Gate) -> GateCause {
        GateCause { gate, code: self.code, reason: self.reason }
    }

    /// What the gate says, for the list of all gates.
    pub(super) fn result(&self, gate: Gate) -> GateResult {
        let (answer, until) = match self.ruling {
            Ruling::Defer(until) => (GateAnswer::Defer, Some(until)),
            Ruling::Hold(_) => (GateAnswer::Hold, None),
            Ruling::Block(until) => (GateAnswer::Block, until),
        };
        let (code, reason) = (Some(self.code), Some(self.reason.clone()));
        GateResult { gate, answer, code, reason, until }
    }

    /// The decision of the first gate that does not pass. A message whose use ends before it would
    /// be asked again has expired.
    pub(super) fn decide(
        self,
        gate: Gate,
        gates: Vec<GateResult>,
        of_use_until: Option<Timestamp>,
    ) -> Decision {
        let Self { ruling, code, reason, line, wake } = self;

        let (wake, verdict) = match ruling {
            Ruling::Defer(until) if of_use_until.is_some_and(|end| until >= end) => {
                let reason = format!("{reason}; it would wait until {until}, beyond its use");
                (None, Verdict::Expire { gate: Some(gate), code, reason })
            }
            Ruling::Defer(until) => {
                let wake = line.map(|line| Wake::Line(line.key)).or(wake);
                (wake, Verdict::Defer { until, cause: GateCause { gate, code, reason } })
            }
            Ruling::Hold(wake) => {
                (Some(wake), Verdict::Hold { cause: GateCause { gate, code, reason } })
            }
            Ruling::Block(until) => {
                (None, Verdict::Block { until, cause: GateCause { gate, code, reason } })
            }
        };
        Decision { verdict, wake, gates, reserved: Vec::new(), policy_version: None }
    }
}
