//! Which values of an assistant's settings make sense, told to whoever sets them.

use std::collections::HashSet;

use super::settings::AssistantSettings;
use crate::{invisible::is_blank, lexicon::wording, money::Micros};

/// A value that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFault {
    /// Where it is: `budget.answers_per_hour`.
    pub field: String,
    /// What would make sense.
    pub fits: &'static str,
}

/// A million units of a currency, in micros, and as many tokens.
const MOST_PER_DAY: i64 = 1_000_000_000_000;

/// A thousand units for a million tokens.
const MOST_PRICE: Micros = Micros(1_000_000_000);

impl AssistantSettings {
    /// Every value that makes no sense.
    pub fn faults(&self) -> Vec<SettingsFault> {
        let mut found = Faults::default();
        self.texts(&mut found);
        self.lists(&mut found);
        self.numbers(&mut found);
        found.into_vec()
    }

    fn texts(&self, found: &mut Faults) {
        let model = self.model.as_deref().unwrap_or("m");
        found.need(is_line(model, 100), "model", "one line of 1 to 100 characters");
        found.need(is_short(&self.persona, 2_000), "persona", "at most 2000 characters");
        found.need(is_short(&self.knowledge, 20_000), "knowledge", "at most 20000 characters");
        let closed = self.closed_answer.as_deref().unwrap_or("c");
        found.need(is_said(closed, 300), "closed_answer", "1 to 300 characters");
        found.need(!self.hours.is_never(), "hours", "some hours: set `enabled` to false instead");
    }

    fn lists(&self, found: &mut Faults) {
        found.need(self.holidays.len() <= 100, "holidays", "at most 100 days");

        found.need(self.forbidden.len() <= 20, "forbidden", "at most 20 rules");
        for (index, rule) in self.forbidden.iter().enumerate() {
            let field = format!("forbidden[{index}]");
            found.need(is_line(rule, 200), field, "one line of 1 to 200 characters");
        }

        found.need(self.escalate_on.len() <= 50, "escalate_on", "at most 50 words");
        for (index, word) in self.escalate_on.iter().enumerate() {
            let field = format!("escalate_on[{index}]");
            found.need(is_line(word, 60), field, "one line of 1 to 60 characters");
        }

        let mut names = HashSet::new();
        found.need(self.qualification.len() <= 20, "qualification", "at most 20 fields");
        for (index, field) in self.qualification.iter().enumerate() {
            let is_new = is_name(&field.name) && names.insert(field.name.as_str());
            let fits = "small letters, digits and `_`, a letter first, at most 40, each once";
            found.need(is_new, format!("qualification[{index}].name"), fits);
            let fits = "one line of 1 to 200 characters";
            found.need(is_line(&field.about, 200), format!("qualification[{index}].about"), fits);
        }

        let mut known = HashSet::new();
        found.need(self.keywords.len() <= 50, "keywords", "at most 50 answers");
        for (index, keyword) in self.keywords.iter().enumerate() {
            let field = format!("keywords[{index}].words");
            let words = &keyword.words;
            let is_few = (1..=20).contains(&words.len()) && words.iter().all(|w| is_line(w, 60));
            let is_new = words.iter().all(|word| known.insert(wording(word)));
            found.need(is_few && is_new, field, "1 to 20 lines of 1 to 60 characters, each once");
            let field = format!("keywords[{index}].answer");
            found.need(is_said(&keyword.answer, 600), field, "1 to 600 characters");
        }
    }

    fn numbers(&self, found: &mut Faults) {
        let budget = self.budget;
        let hourly = (1..=60).contains(&budget.answers_per_hour);
        found.need(hourly, "budget.answers_per_hour", "1 to 60");
        let day = 1..=MOST_PER_DAY;
        let tokens = budget.tokens_per_day.is_none_or(|tokens| day.contains(&tokens));
        found.need(tokens, "budget.tokens_per_day", "1 to 1000000000000");
        let cost = budget.cost_micros_per_day.is_none_or(|cost| day.contains(&cost.0));
        found.need(cost, "budget.cost_micros_per_day", "1 to 1000000000000");

        let is_priced = budget.cost_micros_per_day.is_none() || self.price.is_some();
        found.need(is_priced, "price", "what the model costs: a budget of money needs it");
        let prices = self.price.map(|price| [price.input_micros, price.output_micros]);
        let is_price = |price: Micros| (Micros::ZERO..=MOST_PRICE).contains(&price);
        let fits = prices.is_none_or(|prices| prices.into_iter().all(is_price));
        found.need(fits, "price", "0 to 1000000000 micros each");

        found.need((3..=8).contains(&self.quiet_seconds), "quiet_seconds", "3 to 8");
        let within = (1..=1_440).contains(&self.answer_within_minutes);
        found.need(within, "answer_within_minutes", "1 to 1440, a day");
        found.need((1..=6).contains(&self.max_segments), "max_segments", "1 to 6");
    }
}

/// The values that were found to make no sense.
#[derive(Default)]
pub(super) struct Faults(Vec<SettingsFault>);

impl Faults {
    pub(super) fn need(&mut self, fits: bool, field: impl Into<String>, would_fit: &'static str) {
        if !fits {
            self.0.push(SettingsFault { field: field.into(), fits: would_fit });
        }
    }

    pub(super) fn into_vec(self) -> Vec<SettingsFault> {
        self.0
    }
}

pub(super) fn is_short(text: &str, most: usize) -> bool {
    text.chars().count() <= most
}

/// Whether a text can be said: there is something to see in it.
fn is_said(text: &str, most: usize) -> bool {
    !is_blank(text) && is_short(text, most)
}

pub(super) fn is_line(text: &str, most: usize) -> bool {
    is_said(text, most) && !text.contains(char::is_control)
}

pub(super) fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 40
        && name.chars().all(is_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Vec<String> {
        let settings = AssistantSettings::read(json).expect("readable");
        settings.faults().into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn what_makes_no_sense_is_named_with_its_field() {
        assert_eq!(faults("{}"), [""; 0]);
        for (json, field) in [
            (r#"{"model": ""}"#, "model"),
            (r#"{"hours": "never"}"#, "hours"),
            (r#"{"closed_answer": " "}"#, "closed_answer"),
            (r#"{"forbidden": ["ok", ""]}"#, "forbidden[1]"),
            (r#"{"escalate_on": ["a\nb"]}"#, "escalate_on[0]"),
            (r#"{"qualification": [{"name": "Size", "about": "x"}]}"#, "qualification[0].name"),
            (r#"{"qualification": [{"name": "size", "about": ""}]}"#, "qualification[0].about"),
            (r#"{"keywords": [{"words": [], "answer": "x"}]}"#, "keywords[0].words"),
            (r#"{"keywords": [{"words": ["A", "a!"], "answer": "x"}]}"#, "keywords[0].words"),
            (r#"{"keywords": [{"words": ["a"], "answer": ""}]}"#, "keywords[0].answer"),
            (r#"{"budget": {"answers_per_hour": 0}}"#, "budget.answers_per_hour"),
            (r#"{"budget": {"tokens_per_day": 0}}"#, "budget.tokens_per_day"),
            (r#"{"budget": {"cost_micros_per_day": 5}}"#, "price"),
            (r#"{"price": {"input_micros": -1, "output_micros": 1}}"#, "price"),
            (r#"{"quiet_seconds": 2}"#, "quiet_seconds"),
            (r#"{"answer_within_minutes": 0}"#, "answer_within_minutes"),
            (r#"{"max_segments": 7}"#, "max_segments"),
        ] {
            assert_eq!(faults(json), [field], "{json}");
        }
    }
}
