//! What is to be done about a text, by the settings and by what its thread has had. Pure.

mod recheck;

use domain::{
    assistant::{AssistantSettings, Foreword},
    automatic::{DAY, PER_DAY},
    conversation::{ConversationOwner, Ownership},
    invisible::is_blank,
    zones::Zone,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use store::conversations::replies::{
    Ask, AssistantFacts, ReplyDecision, ReplyFacts, ReplyReason, Since,
};

pub(crate) use recheck::{depends_on_facts, recheck};

use crate::question::Question;

/// The time in which the texts and answers of one thread are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(1);

/// More texts than a person writes in [`COUNTED`].
const FLOOD: i64 = 60;

/// Since when answers count, at an instant.
pub(crate) fn since(now: Timestamp) -> Since {
    Since { hour_start: now - COUNTED, day_start: now - DAY }
}

/// What to do about a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ReplyIntent<'a> {
    /// Ask the model, by these settings.
    Ask(&'a AssistantSettings),
    /// Say this, for this reason.
    Say(&'a str, ReplyReason),
    /// Say nothing, for this reason.
    Silence(ReplyReason),
}

use ReplyIntent::{Say, Silence};

/// Decides about a text. Facts that are not there mean silence.
pub(crate) fn decide<'a>(
    now: Timestamp,
    question: &Question,
    facts: Option<&'a ReplyFacts>,
    has_model: bool,
) -> ReplyIntent<'a> {
    let Some(facts) = facts else { return Silence(ReplyReason::NoFacts) };
    if let Some(reason) = quiet(&question.ask, facts) {
        return Silence(reason);
    }
    let assistant = &facts.assistant;
    let (Some(settings), Some(zone)) = (&assistant.settings, assistant.zone) else {
        return Silence(ReplyReason::BadSettings);
    };

    if !settings.enabled {
        return Silence(ReplyReason::AiOff);
    }
    if let Some(reason) = guard(now, question, facts, settings) {
        return Silence(reason);
    }
    match settings.foreword(&assistant.cues, &question.ask.wording, now, zone) {
        Foreword::Keyword(answer) => return Say(answer, ReplyReason::Keyword),
        Foreword::Escalated => return Silence(ReplyReason::Escalated),
        Foreword::Closed(Some(answer)) if facts.had.closed_answers == 0 => {
            return Say(answer, ReplyReason::ClosedAnswer);
        }
        Foreword::Closed(_) => return Silence(ReplyReason::Closed),
        Foreword::None => {}
    }

    if facts.had.to_same_words {
        return Silence(ReplyReason::Repeated);
    }
    if !has_model {
        Silence(ReplyReason::AiOff)
    } else if is_used_up(assistant, settings, day_of(now, zone)) {
        Silence(ReplyReason::Budget)
    } else {
        ReplyIntent::Ask(settings)
    }
}

/// Why the assistant has nothing to say in a thread, whatever the text is.
fn quiet(ask: &Ask, facts: &ReplyFacts) -> Option<ReplyReason> {
    if facts.silenced { Some(ReplyReason::OptedOut) } else { void(&facts.ownership, ask.epoch) }
}

/// Why an answer that was begun in an epoch is void; none where it may be sent.
fn void(now: &Ownership, begun_in: i32) -> Option<ReplyReason> {
    if now.epoch != begun_in {
        return Some(ReplyReason::EpochOver);
    }
    match now.owner {
        ConversationOwner::Assistant => None,
        ConversationOwner::Person | ConversationOwner::Nobody => Some(ReplyReason::PersonAnswers),
    }
}

/// What keeps two machines from texting each other, and the assistant from answering what is over.
fn guard(
    now: Timestamp,
    question: &Question,
    facts: &ReplyFacts,
    settings: &AssistantSettings,
) -> Option<ReplyReason> {
    let had = &facts.had;
    if is_blank(&question.body) {
        Some(ReplyReason::Empty)
    } else if had.says_same {
        Some(ReplyReason::Echo)
    } else if had.texts > FLOOD {
        Some(ReplyReason::Flood)
    } else if now.duration_since(question.received_at) > settings.answer_within() {
        Some(ReplyReason::TooOld)
    } else {
        enough(facts, settings)
    }
}

/// Why there is no further answer after those that a thread and its person have had.
fn enough(facts: &ReplyFacts, settings: &AssistantSettings) -> Option<ReplyReason> {
    if facts.had.in_thread >= i64::from(settings.budget.answers_per_hour) {
        Some(ReplyReason::AnswersPerHour)
    } else if facts.had.today >= PER_DAY {
        Some(ReplyReason::AnswersPerDay)
    } else {
        None
    }
}

/// Whether the tokens or the money of a day are used up.
fn is_used_up(assistant: &AssistantFacts, settings: &AssistantSettings, day: Date) -> bool {
    let (used, budget) = (assistant.used_on(day), settings.budget);
    budget.tokens_per_day.is_some_and(|most| used.tokens >= most)
        || budget.cost_micros_per_day.is_some_and(|most| used.cost >= most)
}

/// The day that it is in a company's zone.
pub(crate) fn day_of(now: Timestamp, zone: Zone) -> Date {
    now.to_zoned(zone.rules().clone()).date()
}

/// The decision to say what needs no model.
pub(crate) fn said(ask: Ask, body: &str, reason: ReplyReason) -> ReplyDecision {
    ReplyDecision { ask, body: Some(body.to_owned()), reason, generation: None }
}

/// The decision not to answer.
pub(crate) fn silence(ask: Ask, reason: ReplyReason) -> ReplyDecision {
    ReplyDecision { ask, body: None, reason, generation: None }
}

#[cfg(test)]
mod tests;
