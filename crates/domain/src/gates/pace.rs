//! Whether a message that every gate lets pass may go into the pipe now, and by which sender. This
//! is no gate: explain and simulate know no meters, and do not ask.

use jiff::{SignedDuration, Timestamp};

use super::{
    capacity::{
        counters::{Counters, meter_key},
        kind::CounterKind,
        line::{CapacityLine, PACE_WINDOW},
        meter::{ByLane, Meter},
    },
    evaluation::Evaluation,
    model::{Decision, GateResult, Verdict},
    wake::Wake,
};
use crate::{
    ids::{SenderId, TenantId},
    message::class::Lane,
};

/// The code of a message that waits for its sender's pace.
pub const CODE: &str = "pace";

/// The same as an English clause.
pub const REASON: &str = "its senders have as many texts before it as they can send in a moment";

/// A sender that the gates have left.
#[derive(Debug, Clone, Copy)]
pub(super) struct PassedSender {
    pub(super) id: SenderId,
    /// Start of its day, for the reservation.
    pub(super) day_start: Timestamp,
    /// Until when it may carry the message.
    pub(super) sendable_until: Timestamp,
}

/// What becomes of a message past the gates.
pub(super) enum Turn {
    /// This sender carries it.
    Now(PassedSender),
    /// It waits in this line.
    InLine(CapacityLine),
}

/// Asks the senders that the gates have left, preferred first; none where they left none. A message
/// that comes from a line has its place already; a new one stands behind those who wait, in the
/// line that is the shortest.
pub(super) fn turn(evaluation: &Evaluation<'_>, senders: &[PassedSender]) -> Option<Turn> {
    let Evaluation { candidate, tenant, counters, .. } = evaluation;
    let placed = senders.iter().find(|sender| Some(sender.id) == candidate.placed);
    if let Some(placed) = placed {
        return Some(Turn::Now(*placed));
    }

    let lane = candidate.class.lane();
    let mut lines = Vec::new();
    for sender in senders {
        let Some(meter) = tenant.meters.get(&sender.id) else { return Some(Turn::Now(*sender)) };
        let wait = meter.wait(lane, admitted(counters, candidate.tenant, sender.id));
        if wait.is_none() && !meter.is_awaited.of(lane) {
            return Some(Turn::Now(*sender));
        }
        lines.push(line(evaluation, sender.id, meter, wait.unwrap_or_default()));
    }
    lines.into_iter().min_by_key(CapacityLine::due).map(Turn::InLine)
}

/// What was ever admitted to a sender, this batch's admissions included.
pub fn admitted(counters: &Counters, tenant: &TenantId, sender: SenderId) -> ByLane<i64> {
    let used = |lane| counters.used(&meter_key(tenant, sender, lane));
    ByLane { urgent: used(Lane::Urgent), bulk: used(Lane::Bulk) }
}

/// The line for a sender's pace. Its due times are what the pace would make of it; a row leaves it
/// when its sender has room.
fn line(
    evaluation: &Evaluation<'_>,
    sender: SenderId,
    meter: &Meter,
    wait: SignedDuration,
) -> CapacityLine {
    let candidate = evaluation.candidate;
    let opens_at = evaluation.now.saturating_add(wait).unwrap_or(evaluation.now);
    let segment = meter.segment.of(candidate.class.lane());
    let segment = i64::try_from(segment.as_micros()).unwrap_or(i64::MAX);
    let limit = PACE_WINDOW * 1_000_000 / segment.max(1);

    let kind = CounterKind::admitted(candidate.class.lane());
    evaluation.line(kind, Some(sender.0), opens_at, limit, candidate.segments.max(1).into())
}

/// The decision about a message that stands in a line. When its turn comes is an estimate, so it
/// does not end one whose use is over before: those ahead of it may be withdrawn.
pub(super) fn wait(line: &CapacityLine, gates: Vec<GateResult>) -> Decision {
    Decision {
        verdict: Verdict::AwaitPace { until: line.due() },
        wake: Some(Wake::Line(line.key)),
        gates,
        reserved: Vec::new(),
        policy_version: None,
    }
}
