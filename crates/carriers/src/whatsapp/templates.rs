//! An account's message templates at Meta: created, and read with their state, category and
//! quality. Meta reviews each; one that is approved may be sent at any time.

use http::Method;
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{classify::GraphError, client::Client};
use crate::{
    answer::Doubt,
    http::{JSON, call, set_body},
};

/// What is read of each template.
const FIELDS: &str = "id,name,language,category,status,quality_score,rejected_reason,components";

/// Templates per page.
const PAGE_SIZE: usize = 100;

/// The most pages that are read: an account has at most 6,000 templates.
const MAX_PAGES: usize = 60;

/// 100 templates with their components, of some KiB each.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A template to be created.
#[derive(Debug, Clone, Copy)]
pub struct NewCarrierTemplate<'a> {
    /// 1 to 512 of a-z, 0-9 and `_`.
    pub name: &'a str,
    /// As Meta writes languages: `en_US`, `de`.
    pub language: &'a str,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: &'a str,
    /// The text, with variables `{{1}}`, `{{2}}` and so on.
    pub body: &'a str,
    /// A value of each variable, for the review.
    pub examples: &'a [String],
}

/// A template as Meta has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierTemplateState {
    /// Meta's id of it.
    pub id: String,
    /// Its name: one name may have several languages.
    pub name: String,
    /// Its language, as Meta writes it.
    pub language: String,
    /// Its category; Meta may have changed it.
    pub category: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, `DISABLED`, or a word that Meta may add.
    pub status: String,
    /// `GREEN`, `YELLOW`, `RED` or `UNKNOWN`.
    pub quality: String,
    /// Why it was rejected; none where it was not.
    pub rejected_reason: Option<String>,
    /// Its text; none where the answer does not show it.
    pub body: Option<String>,
}

/// Why a call about templates did not do what it was to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CarrierTemplateError {
    /// Meta refuses it, in Meta's words.
    #[error("Meta refuses it ({code}): {words}")]
    Refused {
        /// The error code.
        code: u32,
        /// What Meta says.
        words: String,
    },
    /// No usable reply.
    #[error("no usable reply from Meta: {0:?}")]
    Unavailable(Doubt),
    /// No connection was made.
    #[error("Meta could not be reached")]
    NoConnection,
    /// There are more templates than are read.
    #[error("the account has more than {0} templates")]
    TooMany(usize),
}

impl Client {
    /// Asks Meta to review a template (`POST /{waba_id}/message_templates`). Gives it with the
    /// state that it begins in.
    ///
    /// # Errors
    /// Meta refuses it, or gave no usable answer; then it may have been made.
    pub async fn create_template(
        &self,
        new: &NewCarrierTemplate<'_>,
    ) -> Result<CarrierTemplateState, CarrierTemplateError> {
        let mut request = self.request(Method::POST, self.templates_url());
        set_body(&mut request, JSON, new.json().to_string(), None);

        let reply: Created = self.answer(request).await?;
        Ok(CarrierTemplateState {
            id: reply.id,
            name: new.name.to_owned(),
            language: new.language.to_owned(),
            category: reply.category.unwrap_or_else(|| new.category.to_owned()),
            status: reply.status.unwrap_or_else(|| "PENDING".to_owned()),
            quality: "UNKNOWN".to_owned(),
            rejected_reason: None,
            body: Some(new.body.to_owned()),
        })
    }

    /// All templates of the account (`GET /{waba_id}/message_templates`).
    ///
    /// # Errors
    /// When any page could not be read, or there are more than 6,000.
    pub async fn templates(&self) -> Result<Vec<CarrierTemplateState>, CarrierTemplateError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _page in 0..MAX_PAGES {
            let mut url = self.templates_url();
            url.query_pairs_mut()
                .append_pair("fields", FIELDS)
                .append_pair("limit", &PAGE_SIZE.to_string())
                .extend_pairs(after.iter().map(|after| ("after", after)));

            let page: Page = self.answer(self.request(Method::GET, url)).await?;
            found.extend(page.data.into_iter().map(Listed::into_state));
            // The cursor stands on the last page too; a next page has an address.
            let paging = page.paging.filter(|paging| paging.next.is_some());
            after = paging.and_then(|paging| paging.cursors?.after);
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(CarrierTemplateError::TooMany(MAX_PAGES * PAGE_SIZE))
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

        Err(match GraphError::read(&reply.body) {
            Some(error) => CarrierTemplateError::Refused {
                code: error.code,
                words: error.error_user_msg.unwrap_or(error.message),
            },
            None => CarrierTemplateError::Unavailable(Doubt::Unreadable { status }),
        })
    }
}

impl NewCarrierTemplate<'_> {
    fn json(&self) -> Value {
        let mut body = json!({ "type": "BODY", "text": self.body });
        if !self.examples.is_empty() {
            body["example"] = json!({ "body_text": [self.examples] });
        }
        json!({
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "parameter_format": "POSITIONAL",
            "components": [body],
        })
    }
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
struct Page {
    data: Vec<Listed>,
    #[serde(default)]
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    #[serde(default)]
    cursors: Option<Cursors>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    #[serde(default)]
    after: Option<String>,
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
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Quality {
    #[serde(default)]
    score: Option<String>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    text: Option<String>,
}

impl Listed {
    fn into_state(self) -> CarrierTemplateState {
        let is_body = |part: &Component| part.kind.eq_ignore_ascii_case("body");
        let body = self.components.into_iter().find(is_body).and_then(|part| part.text);
        CarrierTemplateState {
            id: self.id,
            name: self.name,
            language: self.language,
            category: self.category,
            status: self.status,
            quality: self.quality_score.and_then(|of| of.score).unwrap_or_else(|| "UNKNOWN".into()),
            rejected_reason: self.rejected_reason.filter(|reason| reason != "NONE"),
            body,
        }
    }
}
