//! An account's message templates at Meta: created, read with their state, category and quality,
//! and deleted. Meta reviews each; one that is approved may be sent at any time.

use domain::{
    carrier_template::{KeptTemplate, ReviewState},
    storable::storable,
};
use http::Method;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    classify::{CodeVerdict, GraphError, answered},
    client::Client,
    components,
    paging::{self, NoCursor, Page},
};
use crate::{
    answer::Doubt,
    http::{JSON, call, set_body},
    templates::{CarrierTemplateError, MAX_TEMPLATES, NewCarrierTemplate},
};

/// What is read of each template.
const FIELDS: &str = "id,name,language,category,status,quality_score,rejected_reason,components";

/// Templates per page.
const PAGE_SIZE: usize = 100;

/// The most pages that are read.
const MAX_PAGES: usize = MAX_TEMPLATES / PAGE_SIZE;

/// 100 templates with their components, of some KiB each.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What Meta says of a template that is not there: of a parameter that names nothing, and of a
/// template of that name.
const NOT_THERE: [u32; 2] = [2_593_002, 132_001];

impl Client {
    /// Asks Meta to review a template (`POST /{waba_id}/message_templates`). Gives it with the
    /// state that it begins in.
    ///
    /// # Errors
    /// Meta refuses it, or gave no usable answer; then it may have been made.
    pub async fn create_template(
        &self,
        new: &NewCarrierTemplate<'_>,
    ) -> Result<KeptTemplate, CarrierTemplateError> {
        let body = json!({
            "name": new.name,
            "language": new.language,
            "category": new.category.to_ascii_uppercase(),
            "parameter_format": "POSITIONAL",
            "components": components::write(new.components),
        });
        let mut request = self.request(Method::POST, self.templates_url());
        set_body(&mut request, JSON, body.to_string(), None);

        let reply: Created = self.answer(request).await?;
        let status = reply.status.unwrap_or_else(|| "PENDING".to_owned());
        let category = reply.category.unwrap_or_else(|| new.category.to_owned());
        Ok(KeptTemplate {
            id: storable(reply.id),
            name: new.name.to_owned(),
            language: new.language.to_owned(),
            category: category.to_ascii_lowercase(),
            state: review_state(&status),
            status: storable(status),
            quality: "unknown".to_owned(),
            reason: None,
            components: new.components.clone(),
        })
    }

    /// All templates of the account (`GET /{waba_id}/message_templates`).
    ///
    /// # Errors
    /// When any page could not be read, or there are more than [`MAX_TEMPLATES`].
    pub async fn templates(&self) -> Result<Vec<KeptTemplate>, CarrierTemplateError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _page in 0..MAX_PAGES {
            let mut url = self.templates_url();
            paging::ask(&mut url, FIELDS, PAGE_SIZE, after.as_deref());
            let page: Page<Listed> = self.answer(self.request(Method::GET, url)).await?;

            let unreadable = Doubt::Unreadable { status: 200 };
            let next = page.next();
            after = next.map_err(|NoCursor| CarrierTemplateError::Unavailable(unreadable))?;
            found.extend(page.data.into_iter().map(Listed::into_state));
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(CarrierTemplateError::TooMany(MAX_TEMPLATES))
    }

    /// Deletes a template in one language
    /// (`DELETE /{waba_id}/message_templates?name=...&hsm_id=...`).
    ///
    /// # Errors
    /// Meta refuses it, or gave no usable answer; then it may be gone.
    pub async fn delete_template(&self, name: &str, id: &str) -> Result<(), CarrierTemplateError> {
        let mut url = self.templates_url();
        url.query_pairs_mut().append_pair("name", name).append_pair("hsm_id", id);

        let deleted: Result<Value, _> = self.answer(self.request(Method::DELETE, url)).await;
        match deleted {
            Ok(_) => Ok(()),
            Err(CarrierTemplateError::Refused { code, .. }) if NOT_THERE.contains(&code) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn templates_url(&self) -> Url {
        let url = self.url(&self.account, "message_templates");
        url.expect("the account's id and the base URL were read when the client was made")
    }

    /// The body of a 2xx.
    async fn answer<T: serde::de::DeserializeOwned>(
        &self,
        request: reqwest::Request,
    ) -> Result<T, CarrierTemplateError> {
        let reply = call(&self.http, request, MAX_PAGE_BYTES).await.map_err(|fault| {
            Doubt::of(fault)
                .map_or(CarrierTemplateError::NoConnection, CarrierTemplateError::Unavailable)
        })?;
        let status = reply.status;
        if (200..=299).contains(&status) {
            let unreadable = |_| CarrierTemplateError::Unavailable(Doubt::Unreadable { status });
            return serde_json::from_slice(&reply.body).map_err(unreadable);
        }

        let Some(error) = GraphError::read(&reply.body) else {
            return Err(CarrierTemplateError::Unavailable(Doubt::Unreadable { status }));
        };
        let code = error.code;
        Err(match answered(code) {
            Some(CodeVerdict::TryLater(_)) => CarrierTemplateError::Throttled { code },
            Some(CodeVerdict::Uncertain) => {
                CarrierTemplateError::Unavailable(Doubt::Status { status, code: Some(code) })
            }
            Some(CodeVerdict::Refused(_) | CodeVerdict::AccountRefused) | None => {
                let code =
                    error.error_subcode.filter(|sub| NOT_THERE.contains(sub)).unwrap_or(code);
                let words = storable(error.error_user_msg.unwrap_or(error.message));
                CarrierTemplateError::Refused { code, words }
            }
        })
    }
}

/// How far a review has come, by Meta's word for it (pywa 4.5, `TemplateStatus`). One that is
/// flagged may still be sent, as far as anybody says; Meta's answer to a message judges that.
pub(super) fn review_state(word: &str) -> ReviewState {
    match word.to_ascii_uppercase().as_str() {
        "APPROVED" | "REINSTATED" => ReviewState::Approved,
        "PENDING" | "IN_APPEAL" => ReviewState::Pending,
        "REJECTED" => ReviewState::Rejected,
        "PAUSED" | "LIMIT_EXCEEDED" | "LOCKED" => ReviewState::Paused,
        "DISABLED" | "ARCHIVED" | "PENDING_DELETION" | "DELETED" => ReviewState::Disabled,
        _ => ReviewState::Other,
    }
}

/// A reason as Meta says it; none where it says that there is none.
pub(super) fn reason_of(word: Option<String>) -> Option<String> {
    word.filter(|word| !word.is_empty() && word != "NONE")
}

// === the wire form ===

#[derive(Deserialize)]
struct Created {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    category: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    name: String,
    language: String,
    category: String,
    status: String,
    #[serde(default)]
    quality_score: Option<Quality>,
    #[serde(default)]
    rejected_reason: Option<String>,
    #[serde(default)]
    components: Vec<Value>,
}

#[derive(Deserialize)]
struct Quality {
    #[serde(default)]
    score: Option<String>,
}

impl Listed {
    fn into_state(self) -> KeptTemplate {
        let quality = self.quality_score.and_then(|of| of.score);
        let quality = quality.unwrap_or_else(|| "UNKNOWN".to_owned());
        KeptTemplate {
            id: storable(self.id),
            name: storable(self.name),
            language: storable(self.language),
            category: storable(self.category).to_ascii_lowercase(),
            state: review_state(&self.status),
            status: storable(self.status),
            quality: storable(quality).to_ascii_lowercase(),
            reason: reason_of(self.rejected_reason).map(storable),
            components: components::read(&self.components),
        }
    }
}
