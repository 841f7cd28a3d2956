//! Whether a text is answered at all. Pure.

use domain::automatic::{DAY, PER_DAY};
use jiff::{SignedDuration, Timestamp};
use store::conversations::replies::{
    Ask, HadAnswers, ReplyDecision, ReplyFacts, ReplyReason, Since, void,
};
use wire::InboundText;

/// How many answers one thread gets in the time that is [`COUNTED`]: two machines texting each
/// other slow down there, and end at those of the day.
const ANSWERS_PER_HOUR: i64 = 3;

/// The time in which answers to one thread are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(1);

/// Since when answers count, at an instant.
pub(crate) fn since(now: Timestamp) -> Since {
    Since { hour_start: now - COUNTED, day_start: now - DAY }
}

/// Why there is no further answer after those that a thread and its person have had.
pub(crate) fn over(had: &HadAnswers) -> Option<ReplyReason> {
    if had.to_same_words {
        Some(ReplyReason::Repeated)
    } else if had.in_thread >= ANSWERS_PER_HOUR {
        Some(ReplyReason::AnswersPerHour)
    } else if had.today >= PER_DAY {
        Some(ReplyReason::AnswersPerDay)
    } else {
        None
    }
}

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

    if facts.silenced {
        ReplyIntent::Silence(ReplyReason::OptedOut)
    } else if let Some(reason) = void(&facts.ownership, text.epoch) {
        ReplyIntent::Silence(reason)
    } else if let Some(reason) = over(&facts.had) {
        ReplyIntent::Silence(reason)
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
    use domain::conversation::{ConversationOwner, Ownership};

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
            ownership: of(ConversationOwner::Assistant, 1),
            silenced: false,
            had: HadAnswers::default(),
            decided: None,
        }
    }

    fn of(owner: ConversationOwner, epoch: i32) -> Ownership {
        Ownership { owner, assignee: None, epoch }
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
        let asked = |in_thread| asked(HadAnswers { in_thread, ..HadAnswers::default() });
        assert_eq!(asked(2), ReplyIntent::Answer);
        assert_eq!(asked(3), ReplyIntent::Silence(ReplyReason::AnswersPerHour));
    }

    #[test]
    fn a_person_gets_twenty_automatic_answers_a_day_and_one_to_the_same_words() {
        let today = |today| asked(HadAnswers { today, ..HadAnswers::default() });
        assert_eq!(today(19), ReplyIntent::Answer);
        assert_eq!(today(20), ReplyIntent::Silence(ReplyReason::AnswersPerDay));

        let same = HadAnswers { to_same_words: true, ..HadAnswers::default() };
        assert_eq!(asked(same), ReplyIntent::Silence(ReplyReason::Repeated));
    }

    fn asked(had: HadAnswers) -> ReplyIntent {
        decide(&text("When?"), Some(&ReplyFacts { had, ..facts() }), true)
    }

    #[test]
    fn an_answer_of_an_epoch_that_is_over_is_not_made() {
        let ownership = of(ConversationOwner::Assistant, 2);
        let facts = ReplyFacts { ownership, ..facts() };
        assert_eq!(
            decide(&text("When?"), Some(&facts), true),
            ReplyIntent::Silence(ReplyReason::EpochOver)
        );
    }

    #[test]
    fn where_a_person_answers_or_is_to_the_assistant_is_quiet() {
        for owner in [ConversationOwner::Person, ConversationOwner::Nobody] {
            let facts = ReplyFacts { ownership: of(owner, 1), ..facts() };
            assert_eq!(
                decide(&text("When?"), Some(&facts), true),
                ReplyIntent::Silence(ReplyReason::PersonAnswers)
            );
        }
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
