//! What an assistant is told. Stored as JSON; what is left out has its default, and what is not
//! understood makes the whole unreadable, so that nothing is said under a rule that this program
//! does not know.

use jiff::{SignedDuration, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    money::Micros,
    quiet_hours::{Span, Window},
};

/// What an assistant goes by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AssistantSettings {
    /// Whether it answers at all.
    pub enabled: bool,
    /// The model's name at the provider; null: the platform's.
    #[schema(min_length = 1, max_length = 100)]
    pub model: Option<String>,
    /// Who it is and how it speaks.
    #[schema(max_length = 2000)]
    pub persona: String,
    /// All that it knows: opening hours, prices, what to do about usual questions. It says nothing
    /// of the company that is not here.
    #[schema(max_length = 20000)]
    pub knowledge: String,
    /// What it may not do, one rule each: "promise a discount".
    #[schema(max_items = 20, min_length = 1, max_length = 200)]
    pub forbidden: Vec<String>,
    /// The hours in which it answers, in the company's zone.
    pub hours: Window,
    /// Days on which it does not, in the company's zone.
    #[schema(max_items = 100)]
    pub holidays: Vec<Date>,
    /// What it says at other times, once an hour; null: the conversation goes to a person.
    #[schema(min_length = 1, max_length = 300)]
    pub closed_answer: Option<String>,
    /// Words that have an answer of their own, which no model writes.
    #[schema(max_items = 50)]
    pub keywords: Vec<KeywordAnswer>,
    /// What it is to find out of who writes.
    #[schema(max_items = 20)]
    pub qualification: Vec<QualificationField>,
    /// Words after which a person goes on, without a question to the model.
    #[schema(max_items = 50, min_length = 1, max_length = 60)]
    pub escalate_on: Vec<String>,
    /// Whether an answer of middling confidence goes to a person too; one of low confidence always
    /// does.
    pub only_confident: bool,
    /// How much it may say and cost.
    pub budget: AssistantBudget,
    /// What the model costs; without it costs are not known, and no budget of money can be set.
    pub price: Option<ModelPrice>,
    /// For how many seconds nothing more must be written before it answers; after 30 it answers
    /// in any case.
    #[schema(minimum = 3, maximum = 8)]
    pub quiet_seconds: u8,
    /// How many minutes old a text may be to be answered; an older one goes to a person.
    #[schema(minimum = 1, maximum = 1440)]
    pub answer_within_minutes: u16,
    /// How many segments an answer may have; a longer one ends with the last sentence that fits.
    #[schema(minimum = 1, maximum = 6)]
    pub max_segments: u16,
}

/// Words that have an answer of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeywordAnswer {
    /// What the whole text must be: case, accents and signs make no difference.
    #[schema(min_items = 1, max_items = 20, min_length = 1, max_length = 60)]
    pub words: Vec<String>,
    /// What is answered.
    #[schema(min_length = 1, max_length = 600)]
    pub answer: String,
}

/// Something that the assistant is to find out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QualificationField {
    /// What it is called: small letters, digits and `_`.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,39}$", max_length = 40)]
    pub name: String,
    /// What is to be found out: "the date of the appointment".
    #[schema(min_length = 1, max_length = 200)]
    pub about: String,
}

/// How much an assistant may say and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AssistantBudget {
    /// Answers to one conversation in an hour, fixed ones among them.
    #[schema(minimum = 1, maximum = 60)]
    pub answers_per_hour: u16,
    /// Tokens that the model reads and writes in a day of the company's zone; null: as many as
    /// there are. What is being answered when it is reached is answered.
    #[schema(minimum = 1)]
    pub tokens_per_day: Option<i64>,
    /// What the model may cost in such a day, in millionths of the price's currency; null: whatever
    /// it costs.
    #[schema(value_type = Option<i64>, minimum = 1)]
    pub cost_micros_per_day: Option<Micros>,
}

/// What a model costs, in millionths of a currency unit for a million tokens, as its provider
/// bills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelPrice {
    /// For a million tokens that it reads, in millionths of its currency.
    #[schema(value_type = i64, minimum = 0)]
    pub input_micros: Micros,
    /// For a million tokens that it writes, in millionths of its currency.
    #[schema(value_type = i64, minimum = 0)]
    pub output_micros: Micros,
}

impl AssistantSettings {
    /// Reads stored settings; none where this program does not understand them.
    pub fn read(json: &str) -> Option<Self> {
        crate::json::from_slice(json.as_bytes()).ok()
    }

    /// For how long nothing more must be written before it answers.
    pub fn quiet(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.quiet_seconds.clamp(3, 8)))
    }

    /// How old a text may be to be answered.
    pub fn answer_within(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.answer_within_minutes))
    }
}

impl ModelPrice {
    /// What so many tokens cost.
    pub fn of(self, read: i64, written: i64) -> Micros {
        let part = |price: Micros, tokens: i64| {
            i128::from(price.0).saturating_mul(i128::from(tokens)) / 1_000_000
        };
        let sum = part(self.input_micros, read) + part(self.output_micros, written);
        Micros(i64::try_from(sum).unwrap_or(i64::MAX))
    }
}

impl Default for AssistantSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            model: None,
            persona: String::new(),
            knowledge: String::new(),
            forbidden: Vec::new(),
            hours: Window::daily(Span::new(0, 1_440).expect("a whole day")),
            holidays: Vec::new(),
            closed_answer: None,
            keywords: Vec::new(),
            qualification: Vec::new(),
            escalate_on: Vec::new(),
            only_confident: false,
            budget: AssistantBudget::default(),
            price: None,
            quiet_seconds: 3,
            answer_within_minutes: 60,
            max_segments: 2,
        }
    }
}

impl Default for AssistantBudget {
    fn default() -> Self {
        Self { answers_per_hour: 3, tokens_per_day: None, cost_micros_per_day: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_unknown_makes_all_unreadable() {
        assert_eq!(AssistantSettings::read("{}"), Some(AssistantSettings::default()));
        assert_eq!(AssistantSettings::read(r#"{"mood": "sunny"}"#), None);

        let all = AssistantSettings::default();
        let json = serde_json::to_string(&all).expect("encodes");
        assert_eq!(AssistantSettings::read(&json), Some(all));
    }

    #[test]
    fn a_price_is_for_a_million_tokens() {
        let price =
            ModelPrice { input_micros: Micros(1_000_000), output_micros: Micros(5_000_000) };
        assert_eq!(price.of(1_000, 200), Micros(2_000));
        assert_eq!(price.of(0, 0), Micros::ZERO);
        assert_eq!(price.of(i64::MAX, i64::MAX), Micros(i64::MAX));
    }
}
