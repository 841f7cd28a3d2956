//! What a change of consent is: what it does, what proves it, and how it is written to the ledger.

use domain::{
    address::Address,
    gates::{Basis, Stops},
    ids::TenantId,
    message::class::Channel,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::types::Uuid;
use utoipa::ToSchema;

use crate::core::words::words;

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentAction)]
pub enum Action {
    /// Consent to marketing. Never speaks against a stop.
    Grant,
    /// The second half of a double opt-in.
    Confirm,
    /// The person wants no more.
    Revoke,
    /// The person takes a revocation back; what was granted before it stands again.
    Restore,
    /// The tenant puts the address on its do-not-contact list.
    DoNotContact,
    /// The tenant takes it off.
    Allow,
}

impl Action {
    /// Every action, those of consent first.
    pub const ALL: [Self; 6] =
        [Self::Grant, Self::Confirm, Self::Revoke, Self::Restore, Self::DoNotContact, Self::Allow];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::Confirm => "confirm",
            Self::Revoke => "revoke",
            Self::Restore => "restore",
            Self::DoNotContact => "do_not_contact",
            Self::Allow => "allow",
        }
    }

    /// The action of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }

    /// Its name in the audit trail.
    pub(super) fn audited(self) -> &'static str {
        match self {
            Self::Grant => "consent.granted",
            Self::Confirm => "consent.confirmed",
            Self::Revoke => "consent.revoked",
            Self::Restore => "consent.restored",
            Self::DoNotContact => "do_not_contact.added",
            Self::Allow => "do_not_contact.removed",
        }
    }

    /// Whether the address's parked messages are made due, so that the gates block them.
    pub fn stops(self) -> bool {
        match self {
            Self::Revoke | Self::DoNotContact => true,
            Self::Grant | Self::Confirm | Self::Restore | Self::Allow => false,
        }
    }
}

/// How a change was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMethod {
    /// A form on a page.
    WebForm,
    /// A keyword that was texted.
    Keyword,
    /// Other words that were texted.
    Phrase,
    /// A form on paper.
    Paper,
    /// A call, or a talk.
    Voice,
    /// An email of the person.
    Email,
    /// A talk at the till.
    PointOfSale,
    /// A form in an app.
    InApp,
    /// A list that was imported.
    Import,
    /// A request that says no more.
    Api,
    /// An answer or a receipt of the carrier.
    Carrier,
    /// It was said at another address of the contact, or of one that became part of it.
    Contact,
}

impl ConsentMethod {
    /// Every method, those that a tenant may name first.
    pub const ALL: [Self; 12] = [
        Self::WebForm,
        Self::Keyword,
        Self::Paper,
        Self::Voice,
        Self::Email,
        Self::PointOfSale,
        Self::InApp,
        Self::Import,
        Self::Api,
        Self::Phrase,
        Self::Carrier,
        Self::Contact,
    ];

    /// The name in rows and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebForm => "web_form",
            Self::Keyword => "keyword",
            Self::Phrase => "phrase",
            Self::Paper => "paper",
            Self::Voice => "voice",
            Self::Email => "email",
            Self::PointOfSale => "point_of_sale",
            Self::InApp => "in_app",
            Self::Import => "import",
            Self::Api => "api",
            Self::Carrier => "carrier",
            Self::Contact => "contact",
        }
    }

    /// The method of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

words! {
    Action = "action on a consent",
    ConsentMethod = "method of a consent",
}

/// What proves a consent, as far as it is known.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The legal ground of the consent.
    pub basis: Option<Basis>,
    /// When it ends; none: it does not end.
    pub expires_at: Option<Timestamp>,
    /// The words that the person agreed to. Their SHA-256 is stored with them.
    pub disclosure: Option<String>,
    /// The page on which the words were.
    pub page_url: Option<String>,
    /// The address that the person agreed from.
    pub ip: Option<String>,
    /// The browser or device that was used.
    pub user_agent: Option<String>,
    /// The form of the signature: a name typed, a box ticked, ink.
    pub signature: Option<String>,
    /// The text by which they said so.
    pub inbound_id: Option<Uuid>,
    /// Of a double opt-in: what was asked and confirmed.
    pub message_ids: Vec<Uuid>,
    /// A vendor's id of the recorded act.
    pub certificate: Option<String>,
}

/// A change of a recipient's status, and its line in the ledger. Holds personal data: `Debug` shows
/// the id alone.
#[derive(Clone, PartialEq, Serialize)]
pub struct ConsentChange {
    /// The tenant whose ledger it is written to.
    #[serde(rename = "tenant_id")]
    pub tenant: TenantId,
    /// Of the line in the ledger: a change under an id that is there already changes nothing.
    pub consent_id: Uuid,
    /// The person's address.
    #[serde(rename = "number")]
    pub address: Address,
    /// The channel group.
    pub channel: Channel,
    /// What it does.
    pub action: Action,
    /// The program that it is about; none: everything of the tenant. Grants have none.
    pub program: Option<String>,
    /// What an entry of the do-not-contact list stops; none for any other change.
    pub stops: Option<Stops>,
    /// How it was captured.
    pub method: ConsentMethod,
    /// ISO 639-1, of the person or the words.
    pub language: Option<String>,
    /// List, form or vendor; for do-not-contact the reason.
    pub source: Option<String>,
    /// What proves it.
    #[serde(flatten)]
    pub proof: Proof,
    /// Where else it can be looked up: import and line, message and code.
    pub evidence: serde_json::Value,
    /// Business time at which it was said.
    pub at: Timestamp,
    /// Who wrote it here: API key, user, stage.
    pub recorded_by: String,
}

/// What of a change is seen in the recipient's status. Travels as JSON: its fields are the columns
/// that the statement names.
#[derive(Serialize)]
pub(crate) struct StatusChange<'a> {
    tenant_id: &'a TenantId,
    #[serde(rename = "number")]
    address: &'a Address,
    channel: Channel,
    action: Action,
    program: Option<&'a str>,
    stops: Option<Stops>,
    method: ConsentMethod,
    source: Option<&'a str>,
    basis: Option<Basis>,
    expires_at: Option<Timestamp>,
    at: Timestamp,
}

impl<'a> StatusChange<'a> {
    pub(crate) fn of(change: &'a ConsentChange) -> Self {
        Self {
            tenant_id: &change.tenant,
            address: &change.address,
            channel: change.channel,
            action: change.action,
            program: change.program.as_deref(),
            stops: change.stops,
            method: change.method,
            source: change.source.as_deref(),
            basis: change.proof.basis,
            expires_at: change.proof.expires_at,
            at: change.at,
        }
    }
}

impl std::fmt::Debug for ConsentChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change({} {})", self.action.as_str(), self.consent_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_those_that_are_serialised() {
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.as_str()), Some(action));
            assert_eq!(serde_json::json!(action), action.as_str());
        }
        for method in ConsentMethod::ALL {
            assert_eq!(ConsentMethod::from_name(method.as_str()), Some(method));
            assert_eq!(serde_json::json!(method), method.as_str());
        }
    }
}
