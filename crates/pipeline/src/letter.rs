//! Dead letters: what could not be handled, sealed as it was read, with the cause.

use domain::ids::TenantId;
use serde::{Deserialize, de::IgnoredAny};
use stage::{StageName, machine};
use uuid::Uuid;
use wire::{
    dead::DeadLetter,
    frame::{Outgoing, Payload, Undecodable},
    json,
    stream::Stream,
    subject::Subject,
};

/// Seals what was read, so that a dead letter shows no text or number to a reader of the stream.
pub trait Seal: Send + Sync {
    /// Encrypts with the master key, and gives base64.
    fn seal(&self, plain: &[u8]) -> String;
}

/// The tenant that a letter names where the bytes do not say one.
pub const NOBODY: &str = "platform";

/// Whose message the bytes were, as far as they say.
struct Identity {
    tenant: Option<TenantId>,
    message: Option<Uuid>,
    turn: Option<u32>,
}

/// Writes the letters of one stage.
pub(crate) struct Writer<'a> {
    pub(crate) stage: StageName,
    pub(crate) from: Stream,
    pub(crate) seal: &'a dyn Seal,
    /// The longest JSON that the broker takes.
    pub(crate) longest: usize,
}

/// Why a letter is written.
#[derive(Debug, Clone)]
pub(crate) struct Why {
    /// One word, see [`DeadLetter::cause`].
    pub(crate) cause: &'static str,
    /// A sentence, without the message's text or number.
    pub(crate) detail: String,
    /// How often it was handed over.
    pub(crate) attempts: u32,
}

impl Writer<'_> {
    /// The letter of a message that decodes but cannot be handled.
    pub(crate) fn message<P: Payload>(&self, subject: &str, payload: &P, why: Why) -> Outgoing {
        let key = payload.key();
        let named = self.reads_messages();
        let identity = Identity {
            tenant: payload.tenant().cloned(),
            message: named.then_some(key.id),
            turn: named.then_some(key.turn),
        };
        self.write(subject, &json::to_vec(payload), identity, why)
    }

    /// The letter of one member of a frame that does not decode.
    pub(crate) fn member(&self, subject: &str, member: &Undecodable) -> Outgoing {
        let why = Why { cause: "undecodable", detail: member.why.clone(), attempts: 0 };
        self.unread(subject, member.bytes.as_bytes(), why)
    }

    /// The letter of a whole frame that does not decode.
    pub(crate) fn frame(&self, subject: &str, bytes: &[u8], detail: String) -> Outgoing {
        self.unread(subject, bytes, Why { cause: "undecodable", detail, attempts: 0 })
    }

    fn unread(&self, subject: &str, bytes: &[u8], why: Why) -> Outgoing {
        let probe = Probe::of(bytes);
        let tenant = probe.tenant();
        // An id names a message only together with its tenant.
        let named = tenant.is_some() && self.reads_messages();
        let message = probe.message().filter(|_| named);
        let turn = message.and_then(|_| probe.turn());

        self.write(subject, bytes, Identity { tenant, message, turn }, why)
    }

    fn write(&self, subject: &str, bytes: &[u8], identity: Identity, why: Why) -> Outgoing {
        // Sealing makes a third more, and the letter's own fields need room.
        let room = self.longest.saturating_sub(4096) / 3 * 2;
        let kept = &bytes[..bytes.len().min(room)];
        let cut = if kept.len() < bytes.len() {
            format!("; cut to {} of {} bytes", kept.len(), bytes.len())
        } else {
            String::new()
        };

        let stage = self.stage.as_str();
        let Identity { tenant, message, turn } = identity;
        let nobody = || NOBODY.parse().expect("a valid tenant key");
        let name = [stage.as_bytes(), b"\0", subject.as_bytes(), b"\0", bytes].concat();
        let letter = DeadLetter {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &name),
            tenant: tenant.clone().unwrap_or_else(nobody),
            stage: stage.into(),
            subject: subject.into(),
            message,
            turn,
            cause: why.cause.into(),
            detail: why.detail + &cut,
            attempts: why.attempts,
            at: machine::now(),
            sealed: self.seal.seal(kept),
        };

        Outgoing::new(Subject::Dead(stage, tenant), &letter)
    }

    /// Whether an id read here is a message's: a webhook's or an event's is not.
    fn reads_messages(&self) -> bool {
        match self.from {
            Stream::Submitted | Stream::Enriched | Stream::Admitted | Stream::Released => true,
            Stream::Carrier
            | Stream::Texts
            | Stream::Inbound
            | Stream::Events
            | Stream::Analytics
            | Stream::Dead => false,
        }
    }
}

/// The little to look for in bytes that do not decode: whose message it may have been.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Probe {
    id: Option<Lenient<Uuid>>,
    tenant: Option<Lenient<TenantId>>,
    turn: Option<Lenient<u32>>,
    head: Option<Box<Probe>>,
    message: Option<Box<Lenient<Probe>>>,
}

/// A field that may be anything.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient<T> {
    Right(T),
    Wrong(IgnoredAny),
}

impl Probe {
    fn of(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// The head, by itself or within a message: where an id and a turn are a message's.
    fn inner(&self) -> Option<&Self> {
        let message = self.message.as_deref().and_then(Lenient::right);
        self.head.as_deref().or_else(|| message.and_then(Self::inner))
    }

    fn message(&self) -> Option<Uuid> {
        self.inner()?.id.as_ref().and_then(Lenient::right).copied()
    }

    fn turn(&self) -> Option<u32> {
        self.inner()?.turn.as_ref().and_then(Lenient::right).copied()
    }

    fn tenant(&self) -> Option<TenantId> {
        let own = self.tenant.as_ref().and_then(Lenient::right);
        own.or_else(|| self.inner()?.tenant.as_ref().and_then(Lenient::right)).cloned()
    }
}

impl<T> Lenient<T> {
    fn right(&self) -> Option<&T> {
        match self {
            Self::Right(value) => Some(value),
            Self::Wrong(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_finds_whose_message_it_was_in_each_shape() {
        let id = Uuid::from_u128(7);
        let head = format!(r#"{{"id":"{id}","tenant":"acme","turn":3,"to":1}}"#);
        for bytes in [
            format!(r#"{{"head":{head},"content":5}}"#),
            format!(r#"{{"message":{{"head":{head}}},"route":null}}"#),
        ] {
            let probe = Probe::of(bytes.as_bytes());

            assert_eq!((probe.message(), probe.turn()), (Some(id), Some(3)), "{bytes}");
            assert_eq!(probe.tenant().expect("a tenant").as_str(), "acme");
        }
    }

    #[test]
    fn a_probe_of_anything_else_says_nothing() {
        for bytes in ["", "null", "[1]", r#"{"head":{"id":3,"tenant":"A"}}"#, r#"{"message":"x"}"#]
        {
            let probe = Probe::of(bytes.as_bytes());
            assert_eq!((probe.message(), probe.tenant()), (None, None), "{bytes}");
        }
    }
}
