//! What an inbound text asks for: out, in, help, an answer. Decided by words, before any
//! automation or AI sees the text.
//!
//! Carriers know a few English keywords. The law knows more: any words that a reasonable person
//! would understand as "stop" count (47 CFR 64.1200(a)(10)). So keywords in five languages act at
//! once, plain phrases block first and are reviewed later, and what only looks like either ("stop
//! by tomorrow?", "cancel my appointment") does nothing. Every language's words apply to every
//! text: nobody says in advance in which language they will refuse.

mod normal;
mod pattern;
mod rule;
mod words;

use serde::{Deserialize, Serialize};

pub use rule::LexiconRule;

use words::{Kind, WORDS};

/// What the writer of an inbound text asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// To get no more texts.
    OptOut {
        /// How sure that is.
        tier: Tier,
        /// The rule that matched: for the log, the review and the contact's timeline.
        rule: LexiconRule,
    },
    /// To get texts again.
    OptIn {
        /// The rule that matched.
        rule: LexiconRule,
        /// The word is also an ordinary answer (YES): an opt-in only if no question is pending.
        unless_asked: bool,
    },
    /// To be told who this is, and how to stop it.
    Help {
        /// The rule that matched.
        rule: LexiconRule,
    },
    /// Something else that wants an answer.
    Question,
    /// None of these: no answer is wanted.
    Other,
}

/// How sure an opt-out is. Both stop every text at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 1: the whole message is a keyword. Confirmed once.
    Keyword,
    /// 2: the message says so in other words. Blocked now, reviewed by a person later.
    Phrase,
}

impl Tier {
    /// The tier as reports number it, 1 or 2.
    pub fn number(self) -> u8 {
        match self {
            Self::Keyword => 1,
            Self::Phrase => 2,
        }
    }
}

impl Intent {
    /// Whether nothing may be sent to the person any more.
    pub fn is_opt_out(&self) -> bool {
        match self {
            Self::OptOut { .. } => true,
            Self::OptIn { .. } | Self::Help { .. } | Self::Question | Self::Other => false,
        }
    }
}

/// Classifies an inbound text. Opt-outs are looked for first, and in doubt found.
pub fn classify(text: &str) -> Intent {
    let text = normal::head(text);
    let folded = normal::fold(text);
    let words = normal::words(&folded);

    if let Some(rule) = keyword(&words, &[Kind::Stop, Kind::StopAlone]) {
        return Intent::OptOut { tier: Tier::Keyword, rule };
    }
    if let Some(rule) = phrase(&words).or_else(|| normal::clauses(text).find_map(clause)) {
        return Intent::OptOut { tier: Tier::Phrase, rule };
    }

    if let Some(rule) = keyword(&words, &[Kind::Start]) {
        return Intent::OptIn { rule, unless_asked: false };
    }
    if let Some(rule) = keyword(&words, &[Kind::StartUnlessAsked]) {
        return Intent::OptIn { rule, unless_asked: true };
    }
    if let Some(rule) = keyword(&words, &[Kind::Help]) {
        return Intent::Help { rule };
    }

    let asks = text.contains(['?', '¿', '？'])
        || words.first().is_some_and(|first| WORDS.has_word(Kind::Question, first));
    if asks { Intent::Question } else { Intent::Other }
}

/// Whether an outbound text tells how to opt out, in any language.
pub fn tells_how_to_opt_out(text: &str) -> bool {
    let folded = normal::fold(text);
    WORDS.find(Kind::Line, &normal::words(&folded)).is_some()
}

/// A keyword that is the whole message, however often it is repeated or spaced out.
fn keyword(words: &[&str], kinds: &[Kind]) -> Option<LexiconRule> {
    let message = normal::squeezed(words);
    kinds.iter().find_map(|kind| WORDS.keyword(*kind, &message))
}

/// A phrase anywhere in the words, outside of what is known to mean something else.
fn phrase(words: &[&str]) -> Option<LexiconRule> {
    if let Some((rule, _)) = WORDS.find(Kind::Always, words) {
        return Some(rule);
    }
    let mut rest = words.to_vec();
    while let Some((_, range)) = WORDS.find(Kind::Not, &rest) {
        rest[range].fill(normal::MASK);
    }
    WORDS.find(Kind::Phrase, &rest).map(|(rule, _)| rule)
}

/// An opt-out in one clause: a phrase (what means something else in one clause excuses no other),
/// a strong keyword of its own ("Who is this? Stop."), or one with courtesies ("please stop").
fn clause(text: &str) -> Option<LexiconRule> {
    let folded = normal::fold(text);
    let words = normal::words(&folded);
    let courtesy = |word: &&&str| WORDS.has_word(Kind::Courtesy, word);
    let front = words.iter().take_while(courtesy).count();
    let back = words[front..].iter().rev().take_while(courtesy).count();
    phrase(&words).or_else(|| keyword(&words[front..words.len() - back], &[Kind::Stop]))
}
