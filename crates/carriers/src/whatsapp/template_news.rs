//! What Meta tells of an account's templates by itself: changes of the fields
//! `message_template_status_update`, `message_template_quality_update` and
//! `template_category_update`. Each change is read by itself.

use domain::storable::storable;
use serde::Deserialize;

use super::{
    envelope::{Change, changes},
    templates::{reason_of, review_state},
};
use crate::templates::{TemplateChange, TemplateNews};

/// The value of a change of each of the fields; each has some of what is named here.
#[derive(Deserialize)]
struct Value {
    message_template_name: String,
    message_template_language: String,
    #[serde(default)]
    event: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    rejection_info: Option<Rejection>,
    #[serde(default)]
    new_quality_score: Option<String>,
    #[serde(default)]
    new_category: Option<String>,
}

#[derive(Deserialize)]
struct Rejection {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    recommendation: Option<String>,
}

/// What a request tells of templates.
pub(crate) fn read_template_news(body: &[u8]) -> Vec<TemplateNews> {
    let changes = changes(body).unwrap_or_default();
    changes.into_iter().flatten().filter_map(read).collect()
}

fn read(Change { field, value, at }: Change<'_>) -> Option<TemplateNews> {
    // Others of the many fields are not even looked into.
    let tell = match field.as_str() {
        "message_template_status_update" => Value::state,
        "message_template_quality_update" => Value::quality,
        "template_category_update" => Value::category,
        _ => return None,
    };
    let value: Value = serde_json::from_str(value.get()).ok()?;
    let told = tell(&value)?;
    let (name, language) = (value.message_template_name, value.message_template_language);
    Some(TemplateNews { name: storable(name), language: storable(language), told, at })
}

impl Value {
    fn state(&self) -> Option<TemplateChange> {
        let status = storable(self.event.clone()?);
        let state = review_state(&status);
        let words = self.rejection_info.as_ref();
        let words = words.and_then(|of| of.reason.clone().or_else(|| of.recommendation.clone()));
        let reason = match (reason_of(self.reason.clone()), words) {
            (Some(word), Some(words)) => Some(format!("{word}: {words}")),
            (word, words) => word.or(words),
        };
        Some(TemplateChange::State { state, status, reason: reason.map(storable) })
    }

    fn quality(&self) -> Option<TemplateChange> {
        let score = storable(self.new_quality_score.clone()?);
        Some(TemplateChange::Quality(score.to_ascii_lowercase()))
    }

    fn category(&self) -> Option<TemplateChange> {
        let category = storable(self.new_category.clone()?);
        Some(TemplateChange::Category(category.to_ascii_lowercase()))
    }
}
