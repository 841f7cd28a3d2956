//! The seven gates, and eligibility before them. The first gate that does not pass decides; the
//! order is fixed ([`Gate::ORDER`]), and the table below says which gates are asked for which class.

pub mod capacity;
pub mod consent;
pub mod evaluate;
mod evaluation;
pub mod facts;
mod memo;
mod model;
pub mod policy;
pub mod recheck;
mod rules;
mod stamp;
mod wake;
mod walk;

pub use capacity::{
    alerts,
    counters::{CounterKey, Counters, Reserved, reservation},
    kind::CounterKind,
    line::LineKey,
    windows::Windows,
};
pub use consent::{Basis, Consent, ConsentPolicy, Lacking, Needed, OptOutScope};
pub use evaluate::{LEAD_TIME, counter_keys, ends_at, evaluate, examine};
pub use facts::{
    Caps, Facts, RecipientKey, RecipientStatus, SenderFacts, SwitchMode, Switches, TenantFacts,
};
pub use memo::Memo;
pub use model::{Candidate, Decision, Gate, GateAnswer, GateCause, GateResult, Verdict};
pub use policy::{Absent, Named, OnLate, Policy, PolicyError};
pub use recheck::{ClaimFacts, Recheck, recheck};
pub use wake::Wake;

use crate::message::class::MessageClass;

/// Which gates are asked for which class: the table of the seven gates, and eligibility.
fn applies(gate: Gate, class: MessageClass) -> bool {
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
