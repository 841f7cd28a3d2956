//! The answers that the law asks for, in the words of `data/answers.tsv`.

use std::{collections::HashMap, sync::LazyLock};

use domain::{automatic::AutomaticAnswer, encoding::smart, language::Language};
use store::conversations::inbound::Company;

/// What a text is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComplianceAnswer {
    /// The person gets no more messages.
    OptOut,
    /// The person gets no more messages of one program.
    OptOutOfProgram,
    /// The person gets messages again.
    OptIn,
    /// Who this is, and how to stop it.
    Help,
}

impl ComplianceAnswer {
    /// The answer that a text was recorded to get; none for what the AI writes.
    pub fn recorded_as(answer: AutomaticAnswer) -> Option<Self> {
        match answer {
            AutomaticAnswer::OptOut => Some(Self::OptOut),
            AutomaticAnswer::OptOutOfProgram => Some(Self::OptOutOfProgram),
            AutomaticAnswer::OptIn => Some(Self::OptIn),
            AutomaticAnswer::Help => Some(Self::Help),
            AutomaticAnswer::Ai => None,
        }
    }

    fn row(self, company: &Company) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::OptOutOfProgram => "opt_out_program",
            Self::OptIn => "opt_in",
            Self::Help if company.help_contact.is_some() => "help_contact",
            Self::Help => "help",
        }
    }

    /// The words: one segment, unless the name and the contact are long or need other letters than
    /// GSM 03.38 has.
    pub fn words(self, language: Language, company: &Company) -> String {
        let text = TEXTS.get(&(language, self.row(company))).expect("every answer has a text");
        let (before, after) = text.split_once("{name}").expect("every answer says who it is");

        let contact = company.help_contact.as_deref().unwrap_or_default();
        let after = after.replace("{contact}", contact);
        smart(&format!("{before}{}{after}", company.name.trim())).text.into_owned()
    }
}

static TEXTS: LazyLock<HashMap<(Language, &'static str), &'static str>> = LazyLock::new(|| {
    let rows = include_str!("../data/answers.tsv").lines().filter(|row| !row.starts_with('#'));
    rows.map(|row| {
        let mut columns = row.splitn(3, '\t');
        let mut column = || columns.next().expect("three columns");
        let language = Language::from_tag(column()).expect("a language with built-in words");
        ((language, column()), column())
    })
    .collect()
});

#[cfg(test)]
mod tests {
    use domain::{
        encoding::{Encoding, measure},
        lexicon::{Intent, classify},
    };

    use super::*;

    const ALL: [ComplianceAnswer; 4] = [
        ComplianceAnswer::OptOut,
        ComplianceAnswer::OptOutOfProgram,
        ComplianceAnswer::OptIn,
        ComplianceAnswer::Help,
    ];

    fn company(help_contact: Option<&str>) -> Company {
        Company { name: "Acme Coffee Inc.".into(), help_contact: help_contact.map(Into::into) }
    }

    /// Every answer in every language, with and without a contact.
    fn said() -> impl Iterator<Item = (ComplianceAnswer, Language, String)> {
        let companies = [company(None), company(Some("+1 212-555-0100, acme.co/x"))];
        companies.into_iter().flat_map(|company| {
            Language::ALL.into_iter().flat_map(move |language| {
                let company = company.clone();
                ALL.map(|answer| (answer, language, answer.words(language, &company)))
            })
        })
    }

    #[test]
    fn every_answer_in_every_language_is_one_segment_and_says_who_it_is() {
        for (answer, language, text) in said() {
            let measured = measure(&text);
            assert_eq!((measured.encoding, measured.segments), (Encoding::Gsm7, 1), "{text}");
            assert!(text.contains("Acme Coffee Inc."), "{answer:?} {language:?}: {text}");
            assert!(!text.contains(['{', '}']), "{text}");
        }
    }

    #[test]
    fn the_keywords_that_an_answer_names_do_what_it_says() {
        for (answer, language, text) in said() {
            let words = text.split(|c: char| !c.is_alphanumeric());
            let keywords: Vec<Intent> = words
                .filter(|word| word.len() > 3 && word.chars().all(char::is_uppercase))
                .map(classify)
                .collect();

            let leaves = keywords.iter().any(Intent::is_opt_out);
            let returns = |said: &Intent| matches!(said, Intent::OptIn { unless_asked: false, .. });

            match answer {
                ComplianceAnswer::OptOut | ComplianceAnswer::OptOutOfProgram => {
                    assert!(!leaves && keywords.iter().any(returns), "{language:?}: {text}");
                }
                ComplianceAnswer::OptIn => {
                    let helps = |said: &Intent| matches!(said, Intent::Help { .. });
                    assert!(leaves && keywords.iter().any(helps), "{language:?}: {text}");
                }
                ComplianceAnswer::Help => assert!(leaves, "{language:?}: {text}"),
            }
        }
    }

    #[test]
    fn no_answer_that_comes_back_is_read_as_what_a_person_asks_for() {
        let is_automatic = |text: &str| matches!(classify(text), Intent::Automatic { .. });
        for (answer, language, text) in said() {
            assert!(is_automatic(&text), "{answer:?} {language:?}: {text}");
        }

        for name in ["Stop. Cancel & Co", "Who?"] {
            let odd = Company { name: name.into(), help_contact: None };
            for answer in ALL {
                for language in Language::ALL {
                    let text = answer.words(language, &odd);
                    assert!(is_automatic(&text), "{answer:?} {language:?}: {text}");
                }
            }
        }
    }

    #[test]
    fn help_tells_how_to_reach_a_person_where_the_policy_says_so() {
        let with = ComplianceAnswer::Help.words(Language::En, &company(Some("call 212-555-0100")));
        let rest = "Reply STOP to unsubscribe. Msg & data rates may apply.";
        assert_eq!(with, format!("Acme Coffee Inc.: for help call 212-555-0100. {rest}"));

        let without = ComplianceAnswer::Help.words(Language::De, &company(None));
        assert!(without.starts_with("Acme Coffee Inc.: Antworten Sie mit STOPP"), "{without}");
    }

    #[test]
    fn what_a_company_is_called_is_never_read_as_a_place_to_fill_in() {
        let odd = Company { name: "{contact}".into(), help_contact: Some("{name}".into()) };
        let text = ComplianceAnswer::Help.words(Language::En, &odd);
        assert!(text.starts_with("{contact}: for help {name}. "), "{text}");
    }
}
