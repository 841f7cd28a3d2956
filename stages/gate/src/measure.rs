//! Counts what the gates decide, for dashboards and alerts. A decision is counted once it is
//! committed; what is said again is not.

use std::collections::BTreeMap;

use crate::record::Recorded;

/// Counts the decisions that a batch has recorded, by the state they led to and the gate that did
/// not pass (`none` where all did, or where the message waits for its sender's pace).
pub(crate) fn count(recorded: &[Recorded<'_>]) {
    let mut decided: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
    for Recorded { ruling, .. } in recorded {
        let gate = ruling.gate.map_or("none", |gate| gate.as_str());
        *decided.entry((ruling.state.as_str(), gate)).or_default() += 1;
    }

    for ((state, gate), count) in decided {
        metrics::counter!("millrace_gate_decisions_total", "state" => state, "gate" => gate)
            .increment(count);
    }
}
