//! Whether a text is answered at all. Pure.

use jiff::SignedDuration;
use store::conversations::replies::{Ask, ReplyDecision, ReplyFacts, ReplyReason};
use wire::InboundText;

/// How many answers one thread gets in the time that is [`COUNTED`]: two machines texting each
/// other stop there.
pub(crate) const ANSWERS_PER_HOUR: i64 = 3;

/// The time in which answers to one thread are counted.
pub(crate) const COUNTED: SignedDuration = SignedDuration::from_hours(1);

/// What to do about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyIntent {
    /// Ask the model.
    Answer,
    /// Say nothing, for this reason.
    Silence(ReplyReason),
}

/// Decides whether to ask. Facts that are not there mean silence.
pub(crate) fn decide(
    text: &InboundText,
    facts: Option<&ReplyFacts>,
    has_model: bool,
) -> ReplyIntent {
    let Some(facts) = facts else { return ReplyIntent::Silence(ReplyReason::NoFacts) };

    let is_epoch_over = u32::try_from(facts.epoch).ok() != Some(text.epoch);
    if facts.silenced {
        ReplyIntent::Silence(ReplyReason::OptedOut)
    } else if is_epoch_over {
        ReplyIntent::Silence(ReplyReason::EpochOver)
    } else if facts.answers >= ANSWERS_PER_HOUR {
        ReplyIntent::Silence(ReplyReason::AnswersPerHour)
    } else if text.body.trim().is_empty() {
        ReplyIntent::Silence(ReplyReason::Empty)
    } else if !has_model {
        ReplyIntent::Silence(ReplyReason::AiOff)
    } else {
        ReplyIntent::Answer
    }
}

/// The decision not to answer.
pub(crate) fn silence(ask: Ask, reason: ReplyReason) -> ReplyDecision {
    ReplyDecision { ask, body: None, reason, input_tokens: 0, output_tokens: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> InboundText {
        let tenant: domain::ids::TenantId = "demo".parse().expect("valid");
        let address: domain::address::Address = "+12125550123".parse().expect("valid");
        let contact = domain::ids::ContactId::of(&tenant, address.as_str());
        let sender = domain::ids::SenderId::of(&tenant, "+12125550199");
        InboundText {
            id: uuid::Uuid::nil(),
            conversation: domain::ids::ConversationId::of(contact, sender),
            tenant,
            epoch: 1,
            contact,
            address,
            sender,
            channel: domain::message::class::Channel::Sms,
            body: body.to_owned(),
            language: "en".to_owned(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            trace: None,
        }
    }

    fn facts() -> ReplyFacts {
        ReplyFacts {
            inbound: uuid::Uuid::nil(),
            epoch: 1,
            silenced: false,
            answers: 0,
            decided: None,
        }
    }

    #[test]
    fn a_question_is_answered() {
        assert_eq!(decide(&text("When?"), Some(&facts()), true), ReplyIntent::Answer);
    }

    #[test]
    fn someone_who_opted_out_is_never_answered() {
        let facts = ReplyFacts { silenced: true, ..facts() };
        assert_eq!(
            decide(&text("When?"), Some(&facts), true),
            ReplyIntent::Silence(ReplyReason::OptedOut)
        );
    }

    #[test]
    fn a_thread_gets_three_answers_an_hour() {
        let asked =
            |answers| decide(&text("When?"), Some(&ReplyFacts { answers, ..facts() }), true);
        assert_eq!(asked(2), ReplyIntent::Answer);
        assert_eq!(asked(3), ReplyIntent::Silence(ReplyReason::AnswersPerHour));
    }

    #[test]
    fn an_answer_of_an_epoch_that_is_over_is_not_made() {
        let facts = ReplyFacts { epoch: 2, ..facts() };
        assert_eq!(
            decide(&text("When?"), Some(&facts), true),
            ReplyIntent::Silence(ReplyReason::EpochOver)
        );
    }

    #[test]
    fn without_facts_or_a_model_nothing_is_said() {
        assert_eq!(decide(&text("When?"), None, true), ReplyIntent::Silence(ReplyReason::NoFacts));
        assert_eq!(
            decide(&text("When?"), Some(&facts()), false),
            ReplyIntent::Silence(ReplyReason::AiOff)
        );
        assert_eq!(
            decide(&text("  "), Some(&facts()), true),
            ReplyIntent::Silence(ReplyReason::Empty)
        );
    }
}
