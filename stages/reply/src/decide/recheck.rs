//! What is left of a decision when it is recorded: facts are read once more, under locks, and what
//! was made in the meantime by a person or another process counts. Pure.

use std::collections::{HashMap, HashSet};

use domain::ids::{ContactId, ConversationId};
use store::conversations::replies::{Ask, ReplyDecision, ReplyFacts, ReplyReason};
use uuid::Uuid;

use super::{enough, quiet};

/// Whether a decision is looked at again: a silence that tells nobody depends on nothing.
pub(crate) fn depends_on_facts(decision: &ReplyDecision) -> bool {
    decision.body.is_some() || decision.reason.hands_off()
}

/// The decisions as the facts under the locks leave them, in their order. Of several answers in one
/// thread, or to one person, each counts those before it; an answer to an overtaken text is none.
pub(crate) fn recheck(
    decisions: &[ReplyDecision],
    facts: &HashMap<Uuid, ReplyFacts>,
    overtaken: &HashSet<Uuid>,
) -> Vec<ReplyDecision> {
    let mut said = Said::default();
    let recheck = |decision: &ReplyDecision| {
        let ask = &decision.ask;
        let facts = facts.get(&ask.inbound).map(|facts| said.counted(facts, ask));
        let Some(reason) = over(decision, facts.as_ref()) else {
            if decision.body.is_some() && !overtaken.contains(&ask.inbound) {
                said.count(ask);
            }
            return decision.clone();
        };
        ReplyDecision { body: None, reason, ..decision.clone() }
    };
    decisions.iter().map(recheck).collect()
}

/// Answers of one transaction, which no fact counts yet.
#[derive(Default)]
struct Said {
    in_thread: HashMap<ConversationId, i64>,
    to_person: HashMap<ContactId, i64>,
}

impl Said {
    /// The facts of a text, with these answers among what it has had.
    fn counted(&self, facts: &ReplyFacts, ask: &Ask) -> ReplyFacts {
        let mut facts = facts.clone();
        facts.had.in_thread += self.in_thread.get(&ask.conversation).copied().unwrap_or_default();
        facts.had.today += self.to_person.get(&ask.contact).copied().unwrap_or_default();
        facts
    }

    fn count(&mut self, ask: &Ask) {
        *self.in_thread.entry(ask.conversation).or_default() += 1;
        *self.to_person.entry(ask.contact).or_default() += 1;
    }
}

/// Why a decision becomes the one not to answer; none where it stays as it is.
fn over(decision: &ReplyDecision, facts: Option<&ReplyFacts>) -> Option<ReplyReason> {
    match facts {
        Some(facts) if decision.body.is_some() => still(&decision.ask, facts),
        None if decision.body.is_some() => Some(ReplyReason::NoFacts),
        Some(facts) if decision.reason.hands_off() => {
            let may = facts.ownership.lets_assistant_answer(decision.ask.epoch);
            (!may).then_some(ReplyReason::EpochOver)
        }
        Some(_) | None => None,
    }
}

/// Why an answer that was made becomes silence; none where it may be sent.
pub(super) fn still(ask: &Ask, facts: &ReplyFacts) -> Option<ReplyReason> {
    let settings = facts.assistant.settings.as_ref();
    quiet(ask, facts).or_else(|| match settings {
        Some(settings) if settings.enabled => enough(facts, settings),
        Some(_) => Some(ReplyReason::AiOff),
        None => Some(ReplyReason::BadSettings),
    })
}
