//! Which gates are asked for which class of messages: one table for every caller.

use super::model::Gate;
use crate::message::class::MessageClass;

/// Whether a gate is asked about messages of a class.
pub(super) fn applies(gate: Gate, class: MessageClass) -> bool {
    use MessageClass::{Compliance, Conversational, Journey, Promo, Transactional};

    match (gate, class) {
        (Gate::KillSwitch, Compliance) => true,
        (
            Gate::Eligible
            | Gate::KillSwitch
            | Gate::Budget
            | Gate::Dnc
            | Gate::Rate
            | Gate::Warmup,
            Promo | Journey | Conversational | Transactional,
        ) => true,
        (Gate::Suppression, Promo) => true,
        (Gate::QuietHours, Promo | Journey) => true,
        (Gate::Suppression, Journey | Conversational | Transactional) => false,
        (Gate::QuietHours, Conversational | Transactional) => false,
        (
            Gate::Eligible
            | Gate::Budget
            | Gate::Dnc
            | Gate::Suppression
            | Gate::QuietHours
            | Gate::Rate
            | Gate::Warmup,
            Compliance,
        ) => false,
    }
}
