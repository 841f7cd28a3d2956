//! Whether a text is answered at all. Pure.

use store::conversations::replies::Facts;
use wire::InboundText;

/// How many answers one thread gets in an hour: two machines texting each other stop there.
pub const ANSWERS_PER_HOUR: i64 = 3;

/// What to do about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Ask the model.
    Answer,
    /// Say nothing, for this reason.
    Silence(&'static str),
}

/// Decides. Facts that are not there mean silence.
pub fn decide(text: &InboundText, facts: Option<&Facts>, has_model: bool) -> Intent {
    let Some(facts) = facts else { return Intent::Silence("no_facts") };
    let moved_on = u32::try_from(facts.epoch).ok() != Some(text.epoch);
    if facts.silenced {
        Intent::Silence("opted_out")
    } else if moved_on {
        Intent::Silence("epoch_over")
    } else if facts.answers >= ANSWERS_PER_HOUR {
        Intent::Silence("answers_per_hour")
    } else if text.body.trim().is_empty() {
        Intent::Silence("empty")
    } else if !has_model {
        Intent::Silence("ai_off")
    } else {
        Intent::Answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str) -> InboundText {
        let tenant: domain::ids::TenantId = "demo".parse().expect("valid");
        let number = domain::phone::PhoneNumber::from_e164("+12125550123").expect("valid");
        let contact = domain::ids::ContactId::of(&tenant, number.as_str());
        let sender = domain::ids::SenderId::of(&tenant, "+12125550199");
        InboundText {
            id: uuid::Uuid::nil(),
            conversation: domain::ids::ConversationId::of(contact, sender),
            tenant,
            epoch: 1,
            contact,
            number,
            sender,
            channel: domain::message::class::Channel::Sms,
            body: body.to_owned(),
            language: "en".to_owned(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            trace: None,
        }
    }

    fn facts() -> Facts {
        Facts { inbound: uuid::Uuid::nil(), epoch: 1, silenced: false, answers: 0, decided: None }
    }

    #[test]
    fn a_question_is_answered() {
        assert_eq!(decide(&text("When?"), Some(&facts()), true), Intent::Answer);
    }

    #[test]
    fn someone_who_opted_out_is_never_answered() {
        let facts = Facts { silenced: true, ..facts() };
        assert_eq!(decide(&text("When?"), Some(&facts), true), Intent::Silence("opted_out"));
    }

    #[test]
    fn a_thread_gets_three_answers_an_hour() {
        let asked = |answers| decide(&text("When?"), Some(&Facts { answers, ..facts() }), true);
        assert_eq!(asked(2), Intent::Answer);
        assert_eq!(asked(3), Intent::Silence("answers_per_hour"));
    }

    #[test]
    fn an_answer_of_an_epoch_that_is_over_is_not_made() {
        let facts = Facts { epoch: 2, ..facts() };
        assert_eq!(decide(&text("When?"), Some(&facts), true), Intent::Silence("epoch_over"));
    }

    #[test]
    fn without_facts_or_a_model_nothing_is_said() {
        assert_eq!(decide(&text("When?"), None, true), Intent::Silence("no_facts"));
        assert_eq!(decide(&text("When?"), Some(&facts()), false), Intent::Silence("ai_off"));
        assert_eq!(decide(&text("  "), Some(&facts()), true), Intent::Silence("empty"));
    }
}
