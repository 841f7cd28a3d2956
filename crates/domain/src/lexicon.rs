//! What an inbound text asks for: out, in, help, an answer. Decided by words, before any
//! automation or AI sees the text.
//!
//! Carriers know a few English keywords. The law knows more: any words that a reasonable person
//! would understand as "stop" count (47 CFR 64.1200(a)(10)). So keywords in five languages act at
//! once, plain phrases block first and are reviewed later, and what only looks like either ("stop
//! by tomorrow?", "cancel my appointment") does nothing. Every language's words apply to every
//! text: nobody says in advance in which language they will refuse. What a text only quotes, and
//! what machines answer, says nothing.

mod lookalikes;
mod normal;
mod opt_out;
mod pattern;
mod quoted;
mod reaction;
mod rule;
mod words;

pub use rule::{LexiconRule, Tier};

use std::ops::Range;

use words::{Kind, WORDS};

/// The signs that ask.
const MARKS: [char; 3] = ['?', '¿', '？'];

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
    /// Nothing: a machine answers an opt-out, an opt-in or HELP, be it ours, another company's or a
    /// carrier's, or whatever comes. Two machines would answer each other without end.
    Automatic {
        /// The rule that matched.
        rule: LexiconRule,
    },
    /// Nothing: a phone says that somebody has put a sign on a message.
    Reaction,
    /// Something else that wants an answer.
    Question,
    /// None of these: no answer is wanted.
    Other,
}

impl Intent {
    /// Whether nothing may be sent to the person any more.
    pub fn is_opt_out(&self) -> bool {
        match self {
            Self::OptOut { .. } => true,
            Self::OptIn { .. }
            | Self::Help { .. }
            | Self::Automatic { .. }
            | Self::Reaction
            | Self::Question
            | Self::Other => false,
        }
    }
}

/// Classifies an inbound text, by what its writer has written of it. Opt-outs are looked for before
/// anything else that a person may want, and in doubt found.
pub fn classify(text: &str) -> Intent {
    let text = quoted::without(normal::head(text));
    match reaction::rest(&text) {
        Some(rest) if normal::fold(rest).trim().is_empty() => Intent::Reaction,
        Some(rest) => intent(rest),
        None => intent(&text),
    }
}

/// What a text asks for that is no reaction.
fn intent(text: &str) -> Intent {
    let folded = normal::fold(text);
    let words = normal::words(&folded);

    let confirms = WORDS.span(Kind::Automatic, &words);
    if let Some((rule, _)) = confirms.filter(|(_, span)| !asks_outside(text, span)) {
        let added = opt_out::at_the_end(text);
        return added.map_or(Intent::Automatic { rule }, |rule| Intent::OptOut {
            tier: Tier::Phrase,
            rule,
        });
    }
    if let Some((tier, rule)) = opt_out::find(text) {
        return Intent::OptOut { tier, rule };
    }

    if let Some((rule, _)) = WORDS.find(Kind::Away, &words) {
        return Intent::Automatic { rule };
    }
    if let Some(rule) = opt_out::keyword(&words, &[Kind::Start]) {
        return Intent::OptIn { rule, unless_asked: false };
    }
    if let Some(rule) = opt_out::keyword(&words, &[Kind::StartUnlessAsked]) {
        return Intent::OptIn { rule, unless_asked: true };
    }
    if let Some(rule) = opt_out::keyword(&words, &[Kind::Help]) {
        return Intent::Help { rule };
    }

    let asks = text.contains(MARKS);
    let begins_question = words.first().is_some_and(|first| WORDS.has_word(Kind::Question, first));
    if asks || begins_question { Intent::Question } else { Intent::Other }
}

/// Whether a text asks something before or behind these of its words. A mark between them, before a
/// colon or inside a word is part of a company's name or address.
fn asks_outside(text: &str, span: &Range<usize>) -> bool {
    let mut before = 0;
    let mut parts = text.split(MARKS).peekable();
    while let Some(part) = parts.next() {
        before += normal::words(&normal::fold(part)).len();
        let is_outside = before <= span.start || before >= span.end;
        let asks = |behind: &&str| {
            !behind.trim_start().starts_with(':') && !behind.starts_with(char::is_alphanumeric)
        };
        if is_outside && parts.peek().is_some_and(asks) {
            return true;
        }
    }
    false
}

/// The words of a text as two texts are compared: case, accents, apostrophes and signs make no
/// other. The text itself where it has no words.
pub fn wording(text: &str) -> String {
    let folded = normal::fold(text);
    match normal::words(&folded).join(" ") {
        words if words.is_empty() => text.trim().to_owned(),
        words => words,
    }
}

/// Whether an outbound text tells how to opt out, in any language.
pub fn tells_how_to_opt_out(text: &str) -> bool {
    let folded = normal::fold(text);
    WORDS.find(Kind::Line, &normal::words(&folded)).is_some()
}
