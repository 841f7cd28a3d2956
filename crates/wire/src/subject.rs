//! Subjects, built by types only. No token comes from a caller unchecked, so that no tenant can
//! write a wildcard or another tenant's name.

use std::{fmt, sync::Arc};

use domain::{ids::TenantId, message::class::Lane};
use uuid::Uuid;

use crate::{event::kind::EventKind, stream::Stream};

/// How many shards the hops around `throttle` have. The shard is part of the subject, so a running
/// installation never changes the number.
pub const SHARDS: u32 = 32;

/// The shard of a carrier account: the widest limit that its senders share.
pub fn shard_of(account: &str) -> u8 {
    let fnv1a32 = account
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (fnv1a32 % SHARDS) as u8
}

/// What a carrier's webhook path carries. Receipts and texts have subjects of their own, so that a
/// STOP never waits behind receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookKind {
    /// Delivery receipts alone.
    Status,
    /// Texts from people alone.
    Inbound,
    /// Both, from a carrier that sends them to one address.
    Mixed,
}

impl WebhookKind {
    /// The token in the subject.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Inbound => "inbound",
            Self::Mixed => "mixed",
        }
    }
}

/// A name that is safe as one token of a subject: `[A-Za-z0-9_-]{1,64}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(Arc<str>);

impl Token {
    /// The name as a token; none where it holds anything else, or nothing.
    pub fn new(name: &str) -> Option<Self> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        let is_safe = (1..=64).contains(&name.len()) && name.bytes().all(allowed);

        is_safe.then(|| Self(name.into()))
    }

    /// The name as it stands in the subject.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an analytics subject is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The whole tenant.
    Dashboard,
    /// One campaign of the tenant.
    Campaign(Uuid),
}

impl Scope {
    /// The token in the subject, and the scope column of the totals.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Campaign(_) => "campaign",
        }
    }

    /// The id that follows, if one does.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Dashboard => None,
            Self::Campaign(id) => Some(*id),
        }
    }
}

/// Where something is published.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// An accepted message: `msg.submitted.<lane>`.
    Submitted(Lane),
    /// A rendered message: `msg.enriched.<lane>`.
    Enriched(Lane),
    /// A message past the gates: `msg.admitted.<lane>.<shard>`.
    Admitted(Lane, u8),
    /// A message next to be sent: `msg.released.<lane>.<shard>`.
    Released(Lane, u8),
    /// A webhook request: `carrier.<carrier>.<account>.<kind>`.
    Carrier(Token, Token, WebhookKind),
    /// A text that wants an answer: `inbound.<tenant>`.
    Inbound(TenantId),
    /// Something that happened: `events.<tenant>.<entity>.<what>`.
    Event(TenantId, EventKind),
    /// The totals so far: `analytics.<tenant>.<scope>[.<id>]`.
    Analytics(TenantId, Scope),
    /// A dead letter: `dead.<stage>.<tenant>`; `_` where no tenant is known.
    Dead(&'static str, Option<TenantId>),
}

impl Subject {
    /// The stream that takes this subject.
    pub fn stream(&self) -> Stream {
        match self {
            Self::Submitted(_) => Stream::Submitted,
            Self::Enriched(_) => Stream::Enriched,
            Self::Admitted(..) => Stream::Admitted,
            Self::Released(..) => Stream::Released,
            Self::Carrier(_, _, WebhookKind::Status) => Stream::Carrier,
            Self::Carrier(_, _, WebhookKind::Inbound | WebhookKind::Mixed) => Stream::Texts,
            Self::Inbound(_) => Stream::Inbound,
            Self::Event(..) => Stream::Events,
            Self::Analytics(..) => Stream::Analytics,
            Self::Dead(..) => Stream::Dead,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submitted(lane) => write!(f, "msg.submitted.{}", lane.as_str()),
            Self::Enriched(lane) => write!(f, "msg.enriched.{}", lane.as_str()),
            Self::Admitted(lane, shard) => write!(f, "msg.admitted.{}.{shard}", lane.as_str()),
            Self::Released(lane, shard) => write!(f, "msg.released.{}.{shard}", lane.as_str()),
            Self::Carrier(carrier, account, kind) => {
                write!(f, "carrier.{}.{}.{}", carrier.as_str(), account.as_str(), kind.as_str())
            }
            Self::Inbound(tenant) => write!(f, "inbound.{tenant}"),
            Self::Event(tenant, kind) => write!(f, "events.{tenant}.{}", kind.as_str()),
            Self::Analytics(tenant, scope) => match scope.id() {
                Some(id) => write!(f, "analytics.{tenant}.{}.{id}", scope.as_str()),
                None => write!(f, "analytics.{tenant}.{}", scope.as_str()),
            },
            Self::Dead(stage, Some(tenant)) => write!(f, "dead.{stage}.{tenant}"),
            Self::Dead(stage, None) => write!(f, "dead.{stage}._"),
        }
    }
}
