//! A line for the consent ledger, as callers write it: checked, and as it is recorded.

use std::net::IpAddr;

use domain::{address::Address, gates::Basis, message::class::Channel};
use serde::Deserialize;
use serde_json::json;
use store::recipients::consent::{Action, ConsentChange, ConsentMethod, Proof};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    auth::EditContacts,
    contacts::{Reference, moment},
    document::words::{ConsentScope, NewConsentAction, NewConsentMethod},
    fields::{self, ConsentTimes},
    http::{Creation, Errors, Problem},
    ids,
    routes::consent::scope,
};

/// The longest disclosure, in characters.
const MAX_DISCLOSURE: usize = 4_000;

/// The longest of the other texts, in characters.
const MAX_TEXT: usize = 500;

/// How many messages a double opt-in names.
const MAX_MESSAGES: usize = 4;

/// How a consent can be captured.
const METHODS: [ConsentMethod; 9] = [
    ConsentMethod::WebForm,
    ConsentMethod::Keyword,
    ConsentMethod::Paper,
    ConsentMethod::Voice,
    ConsentMethod::Email,
    ConsentMethod::PointOfSale,
    ConsentMethod::InApp,
    ConsentMethod::Import,
    ConsentMethod::Api,
];

/// A line for a person's ledger of consent.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewConsentLine)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLine {
    /// What the person said: `grant` and `confirm` (the second half of a double opt-in) are to the
    /// tenant; `revoke` and `restore` may be of one program.
    #[schema(value_type = NewConsentAction)]
    action: String,
    /// The channel that it is about; `sms` where it is not said.
    #[serde(default)]
    pub(super) channel: Channel,
    /// What a revocation or restoration is of. Follows from `program` where it is not said.
    #[serde(default)]
    #[schema(value_type = Option<ConsentScope>)]
    scope: Option<String>,
    /// The one program that is left or taken back; none: everything of the tenant.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    program: Option<String>,
    /// The ground of a grant.
    #[serde(default)]
    basis: Option<Basis>,
    /// When a grant ends, after `at` and written as that is; none: never. It is required of a
    /// grant that is implied.
    #[serde(default)]
    #[schema(max_length = 100)]
    expires_at: Option<String>,
    /// How it was captured; `api` where it is not given.
    #[serde(default)]
    #[schema(value_type = Option<NewConsentMethod>)]
    method: Option<String>,
    /// ISO 639-1, of the person or of the words.
    #[serde(default)]
    #[schema(pattern = "^[a-z]{2}$")]
    language: Option<String>,
    /// When the person said it, not after now: RFC 3339, a time by the tenant's clock, or a date.
    /// Now where it is not given.
    #[serde(default)]
    #[schema(max_length = 100)]
    at: Option<String>,
    /// The list, form or vendor that it came by.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    source: Option<String>,
    /// The words that the person agreed to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    disclosure: Option<String>,
    /// The page on which the words were.
    #[serde(default)]
    #[schema(pattern = "^https?://", max_length = 2000)]
    page_url: Option<String>,
    /// The IPv4 or IPv6 address that the person agreed from.
    #[serde(default)]
    #[schema(max_length = 45)]
    ip: Option<String>,
    /// The browser or device that was used.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    user_agent: Option<String>,
    /// The form of the signature: a name typed, a box ticked, ink.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    signature: Option<String>,
    /// The inbound text by which the person said so.
    #[serde(default)]
    inbound_id: Option<Uuid>,
    /// Of a double opt-in: the messages that asked and confirmed.
    #[serde(default)]
    #[schema(max_items = 4)]
    message_ids: Vec<Uuid>,
    /// A vendor's id of the recorded act.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    certificate: Option<String>,
    /// The person's own words.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    words: Option<String>,
}

/// What a line says, once it is checked.
pub(super) struct CheckedLine {
    pub(super) action: Action,
    /// The program that it is about; none: everything of the tenant.
    pub(super) program: Option<String>,
    times: ConsentTimes,
}

impl NewLine {
    /// What it says, or everything that is wrong with it.
    pub(super) fn check(&self, by: &Reference) -> Result<CheckedLine, Problem> {
        let mut errors = Errors::default();
        let action = Action::from_name(&self.action)
            .filter(|action| !matches!(action, Action::DoNotContact | Action::Allow));
        errors.check(action.is_some(), "action", "unknown", "grant, confirm, revoke or restore");
        let program = scope::program(self.scope.as_deref(), self.program.as_deref(), &mut errors);

        self.check_against(action, &mut errors);
        let times = self.times(by, &mut errors);
        self.check_proof(&mut errors);
        self.check_texts(&mut errors);

        errors.done()?;
        let action = action.ok_or_else(|| Problem::field("action", "unknown", "unknown"))?;
        Ok(CheckedLine { action, program, times })
    }

    /// A grant is to the whole tenant; nothing else has a ground or an end.
    fn check_against(&self, action: Option<Action>, errors: &mut Errors) {
        if matches!(action, Some(Action::Grant | Action::Confirm)) {
            let is_whole = self.scope.is_none() && self.program.is_none();
            errors.check(is_whole, "scope", "unexpected", "a grant is to the tenant");
        } else {
            let is_plain = self.basis.is_none() && self.expires_at.is_none();
            let detail = "only a grant has a ground and an end";
            errors.check(is_plain, "basis", "unexpected", detail);
        }
    }

    /// When it was said and when it ends, by the tenant's clock.
    fn times(&self, by: &Reference, errors: &mut Errors) -> ConsentTimes {
        let at = moment("at", self.at.as_deref(), &by.zone, errors);
        let expires_at = moment("expires_at", self.expires_at.as_deref(), &by.zone, errors);
        let times = ConsentTimes { at, expires_at, basis: self.basis };
        times.check("", by.now, errors);
        times
    }

    fn check_proof(&self, errors: &mut Errors) {
        let method = self.method.is_none() || self.known_method().is_some();
        let known = METHODS.map(ConsentMethod::as_str).join(", ");
        errors.check(method, "method", "unknown", &known);
        let language = self.language.as_deref().is_none_or(fields::is_language);
        errors.check(language, "language", "unknown", "a code such as en or es");
        let ip = self.ip.as_deref().is_none_or(|ip| ip.parse::<IpAddr>().is_ok());
        errors.check(ip, "ip", "invalid", "an IPv4 or IPv6 address");
        let is_web = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        let page_url = self.page_url.as_deref().is_none_or(is_web);
        errors.check(page_url, "page_url", "invalid", "an address");
        let few = self.message_ids.len() <= MAX_MESSAGES;
        errors.check(few, "message_ids", "too_many", "at most 4");
    }

    /// The method as written, if it is one that may be named.
    fn known_method(&self) -> Option<ConsentMethod> {
        let named = self.method.as_deref().and_then(ConsentMethod::from_name);
        named.filter(|method| METHODS.contains(method))
    }

    fn check_texts(&self, errors: &mut Errors) {
        for (field, text, most) in [
            ("source", &self.source, 100),
            ("disclosure", &self.disclosure, MAX_DISCLOSURE),
            ("page_url", &self.page_url, 2_000),
            ("user_agent", &self.user_agent, MAX_TEXT),
            ("signature", &self.signature, MAX_TEXT),
            ("certificate", &self.certificate, MAX_TEXT),
            ("words", &self.words, MAX_TEXT),
        ] {
            if let Some(text) = text {
                errors.text(field, text, 1, most);
            }
        }
    }
}

/// The line as the ledger keeps it.
pub(super) fn change(
    new: &Creation<EditContacts, NewLine>,
    checked: CheckedLine,
    address: Address,
) -> ConsentChange {
    let (body, by) = (&new.body, new.caller.subject.clone());
    let CheckedLine { action, program, times } = checked;
    let mut evidence = json!({ "by": by });
    if let Some(words) = &body.words {
        evidence["words"] = words.as_str().into();
    }

    ConsentChange {
        tenant: new.caller.tenant.id().clone(),
        consent_id: ids::fresh(),
        address,
        channel: body.channel,
        action,
        program,
        stops: None,
        method: body.known_method().unwrap_or(ConsentMethod::Api),
        language: body.language.clone(),
        source: body.source.clone(),
        proof: Proof {
            basis: body.basis,
            expires_at: times.expires_at,
            disclosure: body.disclosure.clone(),
            page_url: body.page_url.clone(),
            ip: body.ip.clone(),
            user_agent: body.user_agent.clone(),
            signature: body.signature.clone(),
            inbound_id: body.inbound_id,
            message_ids: body.message_ids.clone(),
            certificate: body.certificate.clone(),
        },
        evidence,
        at: times.at.unwrap_or(new.now),
        recorded_by: by,
    }
}
