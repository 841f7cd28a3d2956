//! What the gates are asked about and what they say, as plain data: the candidate, the verdict, and
//! what each gate answered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{capacity::counters::CounterKey, facts::RecipientKey, policy::OnLate, wake::Wake};
use crate::{
    address::Address,
    ids::{CampaignId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        state::MessageState,
    },
    money::Micros,
    zones::Place,
};

/// A gate, in the order in which they are asked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
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

    /// The gate of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ORDER.into_iter().find(|gate| gate.as_str() == name)
    }
}

/// What the gates look at in a message.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The message's id, by which deferred messages are spread.
    pub id: MessageId,
    /// The tenant that sends it.
    pub tenant: &'a TenantId,
    /// Its class: which gates are asked, and how strictly.
    pub class: MessageClass,
    /// The channel that it travels on.
    pub channel: Channel,
    /// Whether it is a template that the carrier keeps: WhatsApp takes one at any time.
    pub is_carrier_template: bool,
    /// The recipient's address.
    pub address: &'a Address,
    /// The campaign it belongs to; none for a single message.
    pub campaign: Option<CampaignId>,
    /// When it was submitted: lateness counts from then.
    pub submitted_at: Timestamp,
    /// When its validity ends; none: never.
    pub expires_at: Option<Timestamp>,
    /// What becomes of it when it is late; none: what the policy says.
    pub on_late: Option<OnLate>,
    /// What it costs by the rate card.
    pub cost: Micros,
    /// How many segments it takes of its sender's time.
    pub segments: u16,
    /// The sender whose meter has it already: it comes from that sender's line.
    pub placed: Option<SenderId>,
    /// Where the recipient may be.
    pub place: &'a Place,
    /// Candidate senders, preferred first.
    pub senders: &'a [SenderId],
}

impl Candidate<'_> {
    /// Whose status the gates look at.
    pub fn recipient(&self) -> RecipientKey {
        (self.tenant.clone(), self.address.clone(), self.channel)
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
        /// The instant, before which it need not be asked.
        until: Timestamp,
        /// The gate that said so, and why.
        cause: GateCause,
    },
    /// Every gate lets it pass, and its senders have enough in the pipe: it waits in the line of
    /// one. Said by the gate stage alone.
    AwaitPace {
        /// When its turn would come at the sender's pace.
        until: Timestamp,
    },
    /// It is asked again when the cause goes away.
    Hold {
        /// The gate that said so, and why.
        cause: GateCause,
    },
    /// It is never sent.
    Block {
        /// From when on the gate would let another message pass, where there is such an instant.
        until: Option<Timestamp>,
        /// The gate that said so, and why.
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
            Self::Defer { .. } | Self::AwaitPace { .. } => "defer",
            Self::Hold { .. } => "hold",
            Self::Block { .. } => "block",
            Self::Expire { .. } => "expire",
        }
    }
}

/// The gate that decided, with a reason code and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateCause {
    /// The gate that decided.
    pub gate: Gate,
    /// Machine-readable, stable: `opted_out`, `no_consent`, `quiet_hours`, `daily_budget`, ...
    pub code: &'static str,
    /// One English clause with the facts used; no numbers or texts of persons.
    pub reason: String,
}

/// The code of a message whose campaign was stopped.
pub const CAMPAIGN_STOPPED: &str = "campaign_stopped";

impl GateCause {
    /// The state of a message that is never sent for this cause: whoever stops a campaign cancels
    /// what is left of it, and everything else is blocked.
    pub fn ends_as(&self) -> MessageState {
        if self.code == CAMPAIGN_STOPPED { MessageState::Cancelled } else { MessageState::Blocked }
    }
}

/// What the gates decided about one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of the message.
    pub verdict: Verdict,
    /// What wakes a message before its time, for one that is held or waits in line.
    pub wake: Option<Wake>,
    /// What each gate said, in order: [`evaluate`](super::evaluate::evaluate) lists them up to the
    /// one that decided, [`examine`](super::evaluate::examine) lists all.
    pub gates: Vec<GateResult>,
    /// What it has taken from the counters. Without an admission at most what it gives back: its
    /// place with the sender whose line it came from.
    pub reserved: Vec<(CounterKey, i64)>,
    /// The version of the policy in force; none where the tenant's facts could not be read.
    pub policy_version: Option<i64>,
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateResult {
    /// The gate that was asked.
    pub gate: Gate,
    /// Its answer in one word.
    pub answer: GateAnswer,
    /// The reason code of a gate that does not pass, or could not be asked.
    pub code: Option<&'static str>,
    /// The same in an English clause.
    pub reason: Option<String>,
    /// Until when it says so, where that is known.
    pub until: Option<Timestamp>,
}

/// A gate's answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateAnswer {
    /// The next gate is asked.
    Pass,
    /// This gate is not for messages of this class.
    NotAsked,
    /// It could not be asked: the gates before it left nothing to ask about.
    Moot,
    /// Wait until an instant.
    Defer,
    /// Wait until the cause goes away.
    Hold,
    /// Never send it.
    Block,
}

impl GateAnswer {
    /// The name in the api's answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NotAsked => "not_asked",
            Self::Moot => "moot",
            Self::Defer => "defer",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }

    /// Whether a message gets no further at this gate.
    pub fn stops(self) -> bool {
        match self {
            Self::Defer | Self::Hold | Self::Block => true,
            Self::Pass | Self::NotAsked | Self::Moot => false,
        }
    }
}

impl GateResult {
    pub(super) fn plain(gate: Gate, answer: GateAnswer) -> Self {
        Self { gate, answer, code: None, reason: None, until: None }
    }

    /// A gate that could not be asked, and why.
    pub(super) fn moot(gate: Gate, code: &'static str, reason: &str) -> Self {
        let (code, reason) = (Some(code), Some(reason.to_owned()));
        Self { code, reason, ..Self::plain(gate, GateAnswer::Moot) }
    }
}
