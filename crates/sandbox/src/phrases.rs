//! What simulated people write, and what the simulated AI answers, in two languages.

mod topics;

use crate::{dice::Dice, kind::Kind};
use topics::{TOPICS, Topic};

/// The languages that are spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Spanish,
}

impl Language {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

/// What a person of this kind writes.
pub(crate) fn say(kind: Kind, language: Language, dice: Dice) -> &'static str {
    let choices: &[&'static str] = match (kind, language) {
        (Kind::Stop, _) => &["STOP", "Stop", "stop", "STOP", "Unsubscribe"],
        (Kind::Alto, _) => &["ALTO", "Alto", "alto"],
        (Kind::Start, _) => &["START"],
        (Kind::Help, Language::English) => &["HELP", "Help"],
        (Kind::Help, Language::Spanish) => &["AYUDA", "Ayuda"],
        (Kind::Question, language) => return question(language, dice),
        (Kind::Other, Language::English) => &["Ok, thanks"],
        (Kind::Other, Language::Spanish) => &["Vale, gracias"],
    };
    choices[dice.pick(choices.len())]
}

fn question(language: Language, dice: Dice) -> &'static str {
    let topic = &TOPICS[dice.pick(TOPICS.len())];
    match language {
        Language::English => topic.question_en,
        Language::Spanish => topic.question_es,
    }
}

/// The AI's answer to a text, and the language it is in.
pub(crate) fn answer(text: &str) -> (&'static str, Language) {
    let language = language_of(text);
    let words = words(text);
    let score = |topic: &Topic| {
        let keywords = match language {
            Language::English => topic.words_en,
            Language::Spanish => topic.words_es,
        };
        words.iter().filter(|word| keywords.contains(&word.as_str())).count()
    };

    // The first of the best: `max_by_key` would take the last.
    let best = TOPICS.iter().rev().max_by_key(|topic| score(topic)).filter(|t| score(t) > 0);

    let said = match (best, language) {
        (Some(topic), Language::English) => topic.answer_en,
        (Some(topic), Language::Spanish) => topic.answer_es,
        (None, Language::English) => {
            "Thanks for your message. A member of our team can help you with that. \
             What is the best time to reach you?"
        }
        (None, Language::Spanish) => {
            "Gracias por su mensaje. Una persona de nuestro equipo le puede ayudar. \
             ¿Cuál es la mejor hora para contactarle?"
        }
    };

    (said, language)
}

/// Spanish when more of its common words and signs are found than of the English ones.
pub(crate) fn language_of(text: &str) -> Language {
    const SPANISH: [&str; 34] = [
        "el", "la", "los", "las", "de", "que", "qué", "en", "un", "una", "por", "para", "con",
        "es", "está", "están", "cuánto", "cuanto", "dónde", "donde", "cómo", "como", "cuándo",
        "cuando", "hola", "gracias", "puedo", "tienen", "hay", "me", "mi", "su", "sí", "quiero",
    ];
    const ENGLISH: [&str; 30] = [
        "the", "a", "is", "are", "do", "does", "you", "your", "i", "my", "what", "where", "when",
        "how", "can", "to", "of", "for", "with", "and", "it", "this", "have", "hello", "hi",
        "thanks", "please", "we", "in", "on",
    ];

    let words = words(text);
    let count = |list: &[&str]| words.iter().filter(|w| list.contains(&w.as_str())).count();
    let signs = text.chars().filter(|c| "¿¡ñáéíóúÑÁÉÍÓÚ".contains(*c)).count();

    if count(&SPANISH) + 2 * signs > count(&ENGLISH) {
        Language::Spanish
    } else {
        Language::English
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_is_answered_on_its_topic_and_in_its_language() {
        assert_eq!(TOPICS.len(), 10);
        for topic in &TOPICS {
            let en = answer(topic.question_en);
            assert_eq!(en, (topic.answer_en, Language::English), "{}", topic.question_en);

            let es = answer(topic.question_es);
            assert_eq!(es, (topic.answer_es, Language::Spanish), "{}", topic.question_es);
        }
    }

    #[test]
    fn an_unknown_matter_gets_a_polite_answer_in_its_language() {
        assert!(answer("Tell me about the quokka").0.starts_with("Thanks"));
        assert!(answer("Háblame del ornitorrinco").0.starts_with("Gracias"));
    }

    #[test]
    fn answers_hold_no_markdown() {
        for topic in &TOPICS {
            for text in [topic.answer_en, topic.answer_es] {
                assert!(!text.contains(['*', '#', '`', '_', '[', '\n']), "{text}");
            }
        }
    }
}
