//! The seven gates, and eligibility before them. The first gate that does not pass decides.
//!
//! The order is fixed ([`Gate::ORDER`]). `classes.rs` says which gates are asked for which class of
//! messages, `rules/` holds the rule of each gate, [`evaluate()`] asks them all before a message is
//! admitted, and [`recheck()`] asks some of them again right before the carrier call.

pub mod capacity;
mod classes;
pub mod consent;
pub mod evaluate;
mod evaluation;
pub mod facts;
mod memo;
pub(crate) mod model;
mod pace;
pub mod policy;
pub mod recheck;
mod rules;
mod stamp;
mod wake;
mod walk;

pub use capacity::{
    alerts,
    counters::{CounterKey, Counters, Reserved, meter_key, reservation},
    kind::CounterKind,
    line::LineKey,
    meter::{ByLane, Meter, depth},
    windows::Windows,
};
pub use consent::{Basis, Consent, ConsentPolicy, Lacking, Needed, OptOutScope, Stops};
pub use evaluate::{counter_keys, ends_at, evaluate, examine};
pub use facts::{
    Caps, Facts, RecipientKey, RecipientStatus, SenderFacts, SwitchMode, Switches, TenantFacts,
};
pub use memo::{LEAD_TIME, Memo};
pub use model::{
    CAMPAIGN_STOPPED, Candidate, Decision, Gate, GateAnswer, GateCause, GateResult, Verdict,
};
pub use pace::{CODE as PACE_CODE, REASON as PACE_REASON, admitted};
pub use policy::{Absent, ClosedStates, OnLate, Policy, PolicyError, PolicyFault};
pub use recheck::{ClaimFacts, Recheck, recheck};
pub use wake::Wake;
