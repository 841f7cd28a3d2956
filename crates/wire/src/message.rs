//! A message on its way: what each step of the pipe says about it to the next.

use std::collections::BTreeMap;

use domain::{
    address::Address,
    gates::{Candidate, CounterKind, LineKey, OnLate},
    ids::{CampaignId, ContactId, MessageId, SenderId, TenantId},
    message::{
        class::{Channel, MessageClass},
        passport::Passport,
    },
    money::Micros,
    zones::Place,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use domain::draft::{
    CarrierTemplate, Content, FileKind, From, ListRow, ReplyButton, RichContent,
};

use crate::{
    frame::{MemberKey, Payload},
    json,
};

/// What every step knows about a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The message's id, the same in every turn.
    pub id: MessageId,
    /// The tenant that sends it.
    pub tenant: TenantId,
    /// How often it has been released into the pipe; starts at 1.
    pub turn: u32,
    /// What it is for: the class decides which gates it passes.
    pub class: MessageClass,
    /// Whether it travels as SMS or by another channel.
    #[serde(default)]
    pub channel: Channel,
    /// The recipient's address.
    pub to: Address,
    /// The campaign it belongs to; none for a message of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// Business time at which it was accepted.
    pub submitted_at: Timestamp,
    /// When it is of no use any more; the carrier is told as well. None: it never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What becomes of it when it is late; none: the policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_late: Option<OnLate>,
    /// W3C `traceparent` of the request that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// `msg.submitted.<lane>`: a message as it was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// What every step knows about it.
    pub head: Head,
    /// What the text is made of: a body, or a template with its variables.
    pub content: Content,
    /// What goes with the text on a channel with rich messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rich: Option<RichContent>,
    /// Which of the tenant's senders may carry it.
    pub from: From,
    /// SHA-256 of the validated, canonical message, hexadecimal: another body under the same id is
    /// a conflict.
    pub body_hash: String,
    /// The caller's own fields, at most 2 KiB, stored and given back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// The batch that it came in, where the batch alone has a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<BatchKey>,
}

/// A batch that its caller has named by a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchKey {
    /// What the key makes: the same key always names the same batch.
    pub id: Uuid,
    /// SHA-256 of all that the batch says, hexadecimal: another batch under the key is a conflict,
    /// whatever single items of it say.
    pub body_hash: String,
}

/// `msg.enriched.<lane>`: a message that is rendered, counted and stored.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Enriched {
    /// What every step knows about it.
    pub head: Head,
    /// The contact that it goes to.
    pub contact: ContactId,
    /// The rendered text, opt-out line included; of a template of the carrier, what is shown of it.
    pub text: String,
    /// What it is sent with: ids of media that the platform has, or addresses that carriers fetch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
    /// The template that the carrier is to fill, where the message is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<CarrierTemplate>,
    /// What goes with the text on a channel with rich messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rich: Option<RichContent>,
    /// How many segments the text takes.
    pub segments: u16,
    /// What these segments cost by the rate card.
    pub cost: Micros,
    /// Where the recipient may be: candidate zones and states, and what they rest on.
    pub place: Place,
    /// Senders that may carry it, preferred first, at most 8.
    pub senders: Vec<SenderId>,
    /// The sender from whose line it comes, and whose meter has it already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placed: Option<SenderId>,
    /// What the gates and later stages have decided so far.
    pub passport: Passport,
}

/// How an admitted message leaves: by which sender, how fast, and until when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The sender that the gates chose.
    pub sender: SenderId,
    /// The sender's number or id, as the carrier knows it.
    pub number: String,
    /// The handle of the carrier account that it belongs to.
    pub account: String,
    /// Segments per second that the sender may send.
    pub pace: u32,
    /// No call may begin that could end after this instant.
    pub sendable_until: Timestamp,
    /// The policy version that admitted it.
    pub policy_version: i64,
    /// The tenant's part of the account where several tenants compete for it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
}

/// `msg.admitted.<lane>.<shard>` and `msg.released.<lane>.<shard>`: a message past the gates.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Admitted {
    /// The message as enriched; its passport holds the admission.
    pub message: Enriched,
    /// The sender and the limits that the gates gave it.
    pub route: Route,
}

fn one() -> u32 {
    1
}

fn is_one(weight: &u32) -> bool {
    *weight == 1
}

impl std::fmt::Debug for Enriched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enriched")
            .field("head", &self.head)
            .field("segments", &self.segments)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Admitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admitted").field("message", &self.message).finish_non_exhaustive()
    }
}

impl Submitted {
    /// Fills in [`Submitted::body_hash`]: SHA-256 of what the caller asked for, in canonical JSON.
    /// What each try makes anew (id, turn, trace, times) is not part of it.
    #[must_use]
    pub fn with_body_hash(mut self) -> Self {
        let Head { class, channel, to, campaign, .. } = &self.head;
        let body = (class, channel, to, campaign, &self.content, &self.from, &self.metadata);
        // A message without it keeps the hash that it had before there was any.
        let json = match &self.rich {
            None => json::to_vec(&body),
            Some(rich) => json::to_vec(&(body, rich)),
        };

        self.body_hash = crate::hex(&Sha256::digest(json));
        self
    }
}

impl Enriched {
    /// The message as the gates see it.
    pub fn candidate(&self) -> Candidate<'_> {
        Candidate {
            id: self.head.id,
            tenant: &self.head.tenant,
            class: self.head.class,
            channel: self.head.channel,
            is_carrier_template: self.template.is_some(),
            address: &self.head.to,
            campaign: self.head.campaign,
            submitted_at: self.head.submitted_at,
            expires_at: self.head.expires_at,
            on_late: self.head.on_late,
            cost: self.cost,
            segments: self.segments,
            placed: self.placed,
            place: &self.place,
            senders: &self.senders,
        }
    }
}

impl Admitted {
    /// The line for its sender's pace, which it waits in when it does not find its turn.
    pub fn line(&self) -> LineKey {
        let kind = CounterKind::admitted(self.message.head.class.lane());
        LineKey { kind, target: Some(self.route.sender.0) }
    }

    /// The message as the last look before its call sees it: the only sender left is the one that
    /// the gates chose.
    pub fn candidate(&self) -> Candidate<'_> {
        let senders = std::slice::from_ref(&self.route.sender);
        Candidate { senders, ..self.message.candidate() }
    }
}

impl Head {
    fn key(&self, body: u64) -> MemberKey {
        MemberKey { id: self.id.0, turn: self.turn, body }
    }
}

impl Payload for Submitted {
    fn key(&self) -> MemberKey {
        let body = self.body_hash.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        self.head.key(body.unwrap_or_default())
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.head.tenant)
    }

    fn trace(&self) -> Option<&str> {
        self.head.trace.as_deref()
    }
}

impl Payload for Enriched {
    fn key(&self) -> MemberKey {
        self.head.key(0)
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.head.tenant)
    }

    fn trace(&self) -> Option<&str> {
        self.head.trace.as_deref()
    }
}

impl Payload for Admitted {
    fn key(&self) -> MemberKey {
        self.message.key()
    }

    fn tenant(&self) -> Option<&TenantId> {
        self.message.tenant()
    }

    fn trace(&self) -> Option<&str> {
        self.message.trace()
    }
}
