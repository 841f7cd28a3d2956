//! The seven gates, and eligibility before them. The first gate that does not pass decides; the
//! order is fixed (`Gate::ORDER`).

pub mod alerts;
mod ask;
mod budget;
mod case;
pub mod consent;
pub mod counters;
pub mod decide;
mod dnc;
mod eligible;
pub mod facts;
mod kill_switch;
pub mod line;
pub mod policy;
mod quiet;
mod rate;
mod stamp;
mod suppression;
pub mod warmup;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use consent::{Basis, Consent, ConsentPolicy, Lacking, Needed, OptOutScope};
pub use counters::{CounterKey, CounterKind, Counters, Reserved, Windows, reservation};
pub use decide::{
    Answer, Decision, GateResult, Judged, Memo, Wake, counter_keys, decide, ends_at, examine,
};
pub use facts::{Caps, Facts, SenderFacts, Standing, SwitchMode, Switches, TenantFacts};
pub use line::LineKey;
pub use policy::{Absent, Named, OnLate, Policy, PolicyError};

use crate::ids::SenderId;

/// A gate, in the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// 0: the country is allowed, the sender usable, the conversation open.
    Eligible,
    /// 1: switches of platform, tenant, campaign and sender.
    KillSwitch,
    /// 2: daily and monthly caps of tenant and campaign.
    Budget,
    /// 3: opt-out, do-not-contact, missing consent.
    Dnc,
    /// 4: days since the last promo to this contact.
    Suppression,
    /// 5: the recipient's local time.
    QuietHours,
    /// 6: the tenant's quota and the contact's frequency.
    Rate,
    /// 7: the sender's daily cap while it warms up.
    Warmup,
}

impl Gate {
    /// The gates in the order in which they are asked.
    pub const ORDER: [Self; 8] = [
        Self::Eligible,
        Self::KillSwitch,
        Self::Budget,
        Self::Dnc,
        Self::Suppression,
        Self::QuietHours,
        Self::Rate,
        Self::Warmup,
    ];

    /// The name in reason codes, rows and totals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::KillSwitch => "kill_switch",
            Self::Budget => "budget",
            Self::Dnc => "dnc",
            Self::Suppression => "suppression",
            Self::QuietHours => "quiet_hours",
            Self::Rate => "rate",
            Self::Warmup => "warmup",
        }
    }
}

/// What the gates say about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be sent from this sender, until this instant.
    Admit {
        /// The sender chosen from the candidates.
        sender: SenderId,
        /// The earliest of window close, end of the reserved budget and sender day, and validity.
        sendable_until: Timestamp,
    },
    /// It is asked again at this instant.
    Defer {
        /// When.
        until: Timestamp,
        /// Who said so, and why.
        cause: GateCause,
    },
    /// It is asked again when the cause goes away.
    Hold {
        /// Who said so, and why.
        cause: GateCause,
    },
    /// It is never sent.
    Block {
        /// From when on the gate would let another message pass, where there is such an instant.
        until: Option<Timestamp>,
        /// Who said so, and why.
        cause: GateCause,
    },
    /// Its validity ends before it could be sent.
    Expire {
        /// The gate that would have made it wait beyond its use, where one did.
        gate: Option<Gate>,
        /// The gate's code, else `validity_ended`.
        code: &'static str,
        /// One English clause.
        reason: String,
    },
}

impl Verdict {
    /// The name in passports and answers.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Admit { .. } => "admit",
            Self::Defer { .. } => "defer",
            Self::Hold { .. } => "hold",
            Self::Block { .. } => "block",
            Self::Expire { .. } => "expire",
        }
    }
}

/// The gate that decided, with a reason code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateCause {
    /// The gate.
    pub gate: Gate,
    /// Machine-readable, stable: `opted_out`, `no_consent`, `quiet_hours`, `daily_budget`, ...
    pub code: &'static str,
    /// One English clause with the facts used; no numbers or texts of persons.
    pub reason: String,
}
