//! `/v1/templates/preview`: what a text becomes with values, before it is a template.

use std::{borrow::Cow, collections::BTreeMap};

use axum::{Json, extract::State};
use domain::{
    billing::RateCard,
    country::Country,
    draft,
    encoding::{Encoding, as_sent, measure},
    language::Language,
    message::class::MessageClass,
    money::Money,
    template::{MAX_VALUE, Template as Text, TemplateError, with_opt_out_line},
};
use serde::{Deserialize, Serialize};
use store::settings::tenants::Tenant;
use utoipa::{ToSchema, openapi::schema::Object};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::variants::check_body;
use crate::{
    app::App,
    auth::{Allowed, Needs, Read},
    document::{
        answers::{Always, OfBody},
        words::texts_by_name,
    },
    fields,
    http::{Body, Errors, Problem, body::JSON_LIMIT, view::money},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview))
}

/// A text to try, with values.
#[derive(Deserialize, ToSchema)]
#[schema(as = TemplateTrial)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trial {
    /// The text with its variables, at most 6,400 bytes.
    #[schema(min_length = 1, max_length = 6400)]
    pub(crate) body: String,
    /// The values of the variables.
    #[serde(default)]
    #[schema(schema_with = trial_values)]
    pub(crate) variables: BTreeMap<String, String>,
    /// Promotions and journeys get the opt-out line; transactional where it is not said.
    #[serde(default)]
    pub(crate) class: Option<MessageClass>,
    /// The language of the opt-out line, such as `es`; the tenant's where it is not said.
    #[serde(default)]
    #[schema(max_length = 35)]
    pub(crate) language: Option<String>,
    /// The recipient's country; the tenant's where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<Country>)]
    pub(crate) country: Option<String>,
}

/// What the document says of the values of a trial.
pub(crate) fn trial_values() -> Object {
    let about = "The values of the variables by name, at most 50. One of more than 500 characters, \
        which a message may not have, is warned of.";
    texts_by_name(about, JSON_LIMIT).max_properties(Some(50)).build()
}

/// What a text becomes with values.
#[derive(Serialize, ToSchema)]
#[schema(as = TemplatePreview)]
pub(crate) struct Preview {
    /// The text as a person would read it.
    text: String,
    encoding: Encoding,
    /// The text's length: septets in GSM-7, units of 16 bits in UCS-2.
    units: u32,
    /// How many segments the text takes.
    segments: u16,
    /// What the segments cost.
    cost: Money,
    /// The first character that forces UCS-2; null where none does.
    #[schema(required)]
    forces_ucs2: Option<char>,
    /// What would keep it from being sent.
    warnings: Vec<Warning>,
}

/// What would keep a text from being sent.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewWarning)]
struct Warning {
    code: WarningCode,
    /// What is wrong, in English.
    detail: String,
}

/// A reason why a text would not be sent, for programs.
#[derive(Serialize, ToSchema)]
#[schema(as = PreviewWarningCode)]
#[serde(rename_all = "snake_case")]
enum WarningCode {
    /// It has more segments than may be sent.
    TooLong,
    /// A message is refused that brings this value of a variable: it is too long.
    VariableTooLong,
}

/// `POST /v1/templates/preview`, for every role: the text that a body becomes with these values,
/// its segments and its cost. Nothing is stored.
#[utoipa::path(
    post, path = "/v1/templates/preview", tag = "templates", operation_id = "preview_text",
    security(("bearer" = [Read::NAME])),
    request_body(content = Trial, example = json!({
        "body": "Hi {first_name|there}, {offer} until Sunday.",
        "variables": { "first_name": "Ana", "offer": "20% off" },
        "class": "promo",
        "language": "en",
        "country": "US",
    })),
    responses(
        (status = 200, description = "What the text becomes.", body = Preview), Always, OfBody,
    ),
)]
async fn preview(
    State(app): State<App>,
    caller: Allowed<Read>,
    Body(trial): Body<Trial>,
) -> Result<Json<Preview>, Problem> {
    // check
    let tenant = app.tenants.get(&app.store, &caller.tenant).await?;
    let mut errors = Errors::default();
    let declared: Vec<String> = trial.variables.keys().cloned().collect();
    check_body("body", &trial.body, &declared, &mut errors);
    fields::variables("variables", declared.len(), &mut errors);
    let language = trial.language.as_deref().unwrap_or_default();
    errors.text("language", language, 0, 35);
    errors.done()?;

    // answer
    Ok(Json(trial.preview("body", &tenant)?))
}

impl Trial {
    /// What the trial becomes, and what it costs. `field` is at fault where it becomes nothing.
    pub(crate) fn preview(&self, field: &str, tenant: &Tenant) -> Result<Preview, Problem> {
        let rendered = self.rendered(field)?;
        let class = self.class.unwrap_or(MessageClass::Transactional);
        let warnings = self.warnings(&rendered, class);
        let text = self.complete(&rendered, &tenant.language);
        let measured = measure(&text);
        let country = self.country.as_deref().unwrap_or(&tenant.country).parse();
        let country =
            country.map_err(|_| Problem::field("country", "unknown", "two letters, such as US"))?;
        let cost = RateCard::standard().cost(Some(country), measured.segments);

        Ok(Preview {
            text,
            encoding: measured.encoding,
            units: measured.units,
            segments: measured.segments,
            cost: money(cost, &tenant.currency),
            forces_ucs2: measured.offender,
            warnings,
        })
    }

    /// What would keep the text from being sent to somebody of this class, as a message is refused
    /// for it.
    fn warnings(&self, rendered: &str, class: MessageClass) -> Vec<Warning> {
        let is_long = |value: &str| value.chars().count() > MAX_VALUE;
        let long = self.variables.iter().filter(|(_, value)| is_long(value));
        let variables = long.map(|(name, _)| Warning {
            code: WarningCode::VariableTooLong,
            detail: format!("{name}: a value has at most {MAX_VALUE} characters"),
        });
        let too_long = (!draft::fits(rendered, class)).then(|| Warning {
            code: WarningCode::TooLong,
            detail: draft::too_long(rendered, class).to_owned(),
        });
        too_long.into_iter().chain(variables).collect()
    }

    /// The text with its values.
    fn rendered(&self, field: &str) -> Result<String, Problem> {
        let wrong = |why: TemplateError| Problem::field(field, "invalid_template", why.to_string());
        let value = |name: &str| self.variables.get(name).map(String::as_str);
        Text::parse(&self.body).map_err(wrong)?.render(value).map_err(wrong)
    }

    /// The text as a person would read it.
    fn complete(&self, text: &str, tenants_language: &str) -> String {
        let language = self.language.as_deref().unwrap_or(tenants_language);
        let language = Language::from_tag(language).unwrap_or_default();
        let text = if self.class.is_some_and(MessageClass::is_marketing) {
            with_opt_out_line(text, language)
        } else {
            Cow::Borrowed(text)
        };
        as_sent(&text).into_owned()
    }
}
