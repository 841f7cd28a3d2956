//! Who is behind a phone number: the settings of `PUT /sandbox/personas`, and the decision what a
//! person is like. The hash of the seed and the number decides, so a number is the same
//! person in every run.

use serde::{Deserialize, Serialize};

use crate::{
    dice::Dice,
    kind::Kind,
    phone::Phone,
    phrases::{self, Language},
    range::Range,
    rate::check_rate,
};

/// How people behave. A `PUT` replaces all of it; by default nobody answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Personas {
    /// What chance is drawn from; without it the seed that the sandbox was started with.
    pub(crate) seed: Option<u64>,
    /// Share of people who answer STOP.
    pub(crate) stop_rate: f64,
    /// Share of people who answer ALTO, which is no opt-out keyword of Twilio's.
    pub(crate) alto_rate: f64,
    /// Share of people who ask a question.
    pub(crate) question_rate: f64,
    /// Share of people who ask for HELP.
    pub(crate) help_rate: f64,
    /// Share of those who asked that ask once more when they got an answer.
    pub(crate) follow_up_rate: f64,
    /// Share of people whose answers bring a picture.
    pub(crate) picture_rate: f64,
    /// From delivery to the answer, in milliseconds.
    pub(crate) reply_delay_ms: Range,
    pub(crate) languages: Languages,
}

/// Weights of the languages that people write in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Languages {
    pub(crate) en: f64,
    pub(crate) es: f64,
}

/// A text that a person decides to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Utterance {
    pub(crate) kind: Kind,
    pub(crate) body: &'static str,
    /// How many pictures come with it.
    pub(crate) pictures: u8,
    pub(crate) delay_ms: u64,
}

impl Default for Personas {
    fn default() -> Self {
        Self {
            seed: None,
            stop_rate: 0.0,
            alto_rate: 0.0,
            question_rate: 0.0,
            help_rate: 0.0,
            follow_up_rate: 0.0,
            picture_rate: 0.0,
            reply_delay_ms: Range { from: 500, to: 3_000 },
            languages: Languages::default(),
        }
    }
}

impl Default for Languages {
    fn default() -> Self {
        Self { en: 1.0, es: 0.0 }
    }
}

impl Personas {
    /// Rejects what cannot be meant, in one sentence that names the setting.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, rate) in [
            ("stop_rate", self.stop_rate),
            ("alto_rate", self.alto_rate),
            ("question_rate", self.question_rate),
            ("help_rate", self.help_rate),
            ("follow_up_rate", self.follow_up_rate),
            ("picture_rate", self.picture_rate),
        ] {
            check_rate(name, rate)?;
        }

        let sum = self.stop_rate + self.alto_rate + self.question_rate + self.help_rate;
        if sum > 1.0 + 1e-9 {
            return Err("stop, alto, question and help rates together are at most 1".to_owned());
        }

        let Languages { en, es } = self.languages;
        if en.is_finite() && es.is_finite() && en >= 0.0 && es >= 0.0 && en + es > 0.0 {
            Ok(())
        } else {
            Err("languages needs weights of 0 or more, not all 0".to_owned())
        }
    }

    /// What this person answers to a delivered text after `said` texts of their own: at most two
    /// in all, the second only from those who asked.
    pub(crate) fn answer(&self, seed: u64, phone: Phone, said: u8) -> Option<Utterance> {
        let dice = Dice::new(self.seed.unwrap_or(seed)).text("person").number(phone.number());
        let kind = self.kind(dice)?;
        match (kind, said) {
            (_, 0) => {}
            (Kind::Question, 1) if dice.text("follow_up").hits(self.follow_up_rate) => {}
            (_, _) => return None,
        }

        let body = phrases::say(kind, self.language(dice), dice.text("words").number(said.into()));
        let delay_ms = dice.text("delay").number(said.into()).within(self.reply_delay_ms);
        let pictures = u8::from(dice.text("picture").hits(self.picture_rate));
        Some(Utterance { kind, body, pictures, delay_ms })
    }

    fn kind(&self, dice: Dice) -> Option<Kind> {
        let mut left = dice.fraction();
        for (kind, rate) in [
            (Kind::Stop, self.stop_rate),
            (Kind::Alto, self.alto_rate),
            (Kind::Question, self.question_rate),
            (Kind::Help, self.help_rate),
        ] {
            if left < rate {
                return Some(kind);
            }
            left -= rate;
        }
        None
    }

    fn language(&self, dice: Dice) -> Language {
        let Languages { en, es } = self.languages;
        if dice.text("language").fraction() * (en + es) < en {
            Language::English
        } else {
            Language::Spanish
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(n: u64) -> Phone {
        Phone::parse(&format!("+1415{n:07}")).expect("a phone number")
    }

    #[test]
    fn shares_are_met_and_a_number_is_always_the_same_person() {
        let personas = Personas {
            stop_rate: 0.1,
            alto_rate: 0.05,
            question_rate: 0.2,
            help_rate: 0.05,
            ..Personas::default()
        };
        let people: Vec<_> =
            (0..10_000).map(|n| personas.answer(1, phone(n), 0).map(|u| u.kind)).collect();

        let share = |kind| people.iter().filter(|k| **k == kind).count() / 100;
        assert!((9..=11).contains(&share(Some(Kind::Stop))));
        assert!((4..=6).contains(&share(Some(Kind::Alto))));
        assert!((18..=22).contains(&share(Some(Kind::Question))));
        assert!((4..=6).contains(&share(Some(Kind::Help))));
        assert!((57..=63).contains(&share(None)));

        let again: Vec<_> =
            (0..10_000).map(|n| personas.answer(1, phone(n), 0).map(|u| u.kind)).collect();
        assert_eq!(people, again);
    }

    #[test]
    fn nobody_says_more_than_two_texts_and_only_those_who_asked_say_two() {
        let asks = Personas { question_rate: 1.0, follow_up_rate: 1.0, ..Personas::default() };
        assert!(asks.answer(1, phone(1), 1).is_some());
        assert!(asks.answer(1, phone(1), 2).is_none());

        let stops = Personas { stop_rate: 1.0, follow_up_rate: 1.0, ..Personas::default() };
        assert!(stops.answer(1, phone(1), 0).is_some());
        assert!(stops.answer(1, phone(1), 1).is_none());
    }

    #[test]
    fn weights_choose_the_language() {
        let languages = Languages { en: 0.0, es: 2.0 };
        let personas = Personas { question_rate: 1.0, languages, ..Personas::default() };
        personas.check().expect("fine weights");
        for n in 0..100 {
            let body = personas.answer(1, phone(n), 0).expect("a question").body;
            assert_eq!(phrases::language_of(body), Language::Spanish, "{body}");
        }
    }

    #[test]
    fn rates_that_exceed_everybody_are_refused() {
        let personas = Personas { stop_rate: 0.6, question_rate: 0.6, ..Personas::default() };
        assert!(personas.check().is_err());
    }
}
