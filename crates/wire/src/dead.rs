//! `dead.<stage>.<tenant>`: a message that could not be handled, as it was, and why.

use domain::{ids::TenantId, message::class::Lane};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    event::kind::EventKind,
    frame::{MemberKey, Payload},
    subject::{SHARDS, Subject, Token, WebhookKind},
};

/// One dead letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Derived from the stage and what was read, so that a repeat is the same letter.
    pub id: Uuid,
    /// The tenant of the message; `platform` where the bytes do not say.
    pub tenant: TenantId,
    /// The stage that gave up.
    pub stage: String,
    /// The subject it was read from: where a redrive publishes it again.
    pub subject: String,
    /// The message's id, where the bytes say both it and its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Uuid>,
    /// The turn in which the message died, where the bytes say one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// The cause in one word: `undecodable`, `refused_by_database`, `not_understood`, `panicked`,
    /// `refused_by_stage`.
    pub cause: String,
    /// The cause in a sentence, without the text or number.
    pub detail: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Machine time at which the stage gave up.
    pub at: Timestamp,
    /// What was read, sealed with the master key, base64.
    pub sealed: String,
}

impl DeadLetter {
    /// The subject that it was read from; none where no stage of ours reads it.
    pub fn origin(&self) -> Option<Subject> {
        let tokens: Vec<&str> = self.subject.split('.').collect();
        let lane = |text: &str| Lane::ALL.into_iter().find(|lane| lane.as_str() == text);
        let shard = |text: &str| {
            let shard: u8 = text.parse().ok().filter(|shard| u32::from(*shard) < SHARDS)?;
            // `+1` and `01` parse as well, but no subject is written so.
            (shard.to_string() == text).then_some(shard)
        };

        match tokens[..] {
            ["msg", "submitted", name] => Some(Subject::Submitted(lane(name)?)),
            ["msg", "enriched", name] => Some(Subject::Enriched(lane(name)?)),
            ["msg", "admitted", name, number] => {
                Some(Subject::Admitted(lane(name)?, shard(number)?))
            }
            ["msg", "released", name, number] => {
                Some(Subject::Released(lane(name)?, shard(number)?))
            }
            ["carrier", carrier, account, kind] => {
                let kinds = [WebhookKind::Status, WebhookKind::Inbound, WebhookKind::Mixed];
                let kind = kinds.into_iter().find(|known| known.as_str() == kind)?;
                Some(Subject::Carrier(Token::new(carrier)?, Token::new(account)?, kind))
            }
            ["inbound", tenant] => Some(Subject::Inbound(tenant.parse().ok()?)),
            ["events", tenant, entity, what] => {
                let is_kind = |kind: &&EventKind| kind.as_str().split('.').eq([entity, what]);
                let kind = EventKind::ALL.iter().find(is_kind)?;
                Some(Subject::Event(tenant.parse().ok()?, *kind))
            }
            // No stage reads totals, and a letter about a letter is never written.
            _ => None,
        }
    }
}

impl Payload for DeadLetter {
    /// A letter written later is another one to the broker, even if it says the same: somebody may
    /// have redriven and deleted the earlier one since.
    fn key(&self) -> MemberKey {
        let at = self.at.as_nanosecond().to_be_bytes();
        let body = at.last_chunk().map_or(0, |low| u64::from_be_bytes(*low));
        MemberKey { body, ..MemberKey::of(self.id) }
    }

    fn tenant(&self) -> Option<&TenantId> {
        Some(&self.tenant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str) -> DeadLetter {
        DeadLetter {
            id: Uuid::nil(),
            tenant: "demo".parse().expect("valid"),
            stage: "enrich".into(),
            subject: subject.into(),
            message: None,
            turn: None,
            cause: "panicked".into(),
            detail: String::new(),
            attempts: 1,
            at: Timestamp::UNIX_EPOCH,
            sealed: String::new(),
        }
    }

    #[test]
    fn the_subject_that_a_letter_was_read_from_reads_back() {
        let mut subjects: Vec<Subject> = Vec::new();
        for lane in Lane::ALL {
            subjects.extend([Subject::Submitted(lane), Subject::Enriched(lane)]);
            subjects.extend([Subject::Admitted(lane, 0), Subject::Released(lane, 31)]);
        }

        let tenant: TenantId = "demo".parse().expect("valid");
        subjects.push(Subject::Inbound(tenant.clone()));

        let token = |name| Token::new(name).expect("a token");
        for kind in [WebhookKind::Status, WebhookKind::Inbound, WebhookKind::Mixed] {
            subjects.push(Subject::Carrier(token("twilio"), token("au_2"), kind));
        }

        let events = EventKind::ALL.iter().map(|kind| Subject::Event(tenant.clone(), *kind));
        subjects.extend(events);

        for subject in subjects {
            assert_eq!(letter(&subject.to_string()).origin(), Some(subject));
        }
    }

    #[test]
    fn a_subject_that_no_stage_reads_is_no_origin() {
        for subject in [
            "",
            "msg.submitted.slow",
            "msg.admitted.bulk",
            "msg.admitted.bulk.32",
            "msg.released.bulk.01",
            "carrier.twilio.main.other",
            "events.demo.message.teleported",
            "events.demo.message",
            "analytics.demo.dashboard",
            "dead.gate.demo",
        ] {
            assert_eq!(letter(subject).origin(), None, "{subject}");
        }
    }

    #[test]
    fn a_letter_written_again_later_is_another_one_to_the_broker() {
        let first = letter("msg.submitted.bulk");
        let at = Timestamp::UNIX_EPOCH + std::time::Duration::from_nanos(1);
        let later = DeadLetter { at, ..first.clone() };

        assert_eq!(first.key(), first.clone().key());
        assert_ne!(first.key(), later.key());
    }
}
