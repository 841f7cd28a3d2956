//! Subjects, built by types only. No token comes from a caller unchecked, so that no tenant can
//! write a wildcard or another tenant's name.

use std::{fmt, sync::Arc};

use domain::{ids::TenantId, message::class::Lane};
use uuid::Uuid;

use crate::{event::kind::EventKind, stream::Stream};

/// How many shards the hops around `throttle` have. Never changed live: it is part of the subject.
pub const SHARDS: u32 = 32;

/// The shard of a carrier account: the widest limit that its senders share.
pub fn shard_of(account: &str) -> u8 {
    let fnv1a32 = account
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (fnv1a32 % SHARDS) as u8
}

/// What a carrier's webhook path carries. A STOP never waits behind receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookKind {
    /// Delivery receipts.
    Status,
    /// Texts from people.
    Inbound,
    /// A carrier that sends both to one address.
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
    /// Checks a name.
    pub fn new(name: &str) -> Option<Self> {
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
        ((1..=64).contains(&name.len()) && name.bytes().all(allowed)).then(|| Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an analytics subject is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The whole tenant.
    Dashboard,
    /// One campaign.
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
    /// `msg.submitted.<lane>`
    Submitted(Lane),
    /// `msg.enriched.<lane>`
    Enriched(Lane),
    /// `msg.admitted.<lane>.<shard>`
    Admitted(Lane, u8),
    /// `msg.released.<lane>.<shard>`
    Released(Lane, u8),
    /// `carrier.<carrier>.<account>.<kind>`
    Carrier(Token, Token, WebhookKind),
    /// `inbound.<tenant>`
    Inbound(TenantId),
    /// `events.<tenant>.<entity>.<what>`
    Event(TenantId, EventKind),
    /// `analytics.<tenant>.<scope>[.<id>]`
    Analytics(TenantId, Scope),
    /// `dead.<stage>.<tenant>`; `_` where no tenant is known.
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
            Self::Carrier(..) => Stream::Carrier,
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
