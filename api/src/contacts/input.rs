//! What somebody says about a person, and who says it.

use std::collections::BTreeMap;

use domain::{
    gates::{Basis, Stops},
    ids::TenantId,
    phone::PhoneNumber,
};
use jiff::Timestamp;
use serde_json::Value;
use store::recipients::{consent::ConsentMethod, list::RecipientRow};

use crate::auth::Caller;

/// Who says it, and when.
pub(crate) struct Recorder {
    /// The tenant whose people they are.
    pub(crate) tenant: TenantId,
    /// The business time of the request.
    pub(crate) now: Timestamp,
    /// How it came: `api` or `import`.
    pub(crate) method: ConsentMethod,
    /// The API key or user, as the ledger names them.
    pub(crate) by: String,
}

impl Recorder {
    /// A caller who says something now.
    pub(crate) fn of(caller: &Caller, now: Timestamp, method: ConsentMethod) -> Self {
        Self { tenant: caller.tenant.id().clone(), now, method, by: caller.subject.clone() }
    }
}

/// A person as somebody says they are. What is `None` is not said, and stays as it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Input {
    pub(crate) number: PhoneNumber,
    pub(crate) country: String,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) time_zone: Option<String>,
    pub(crate) postal_code: Option<String>,
    pub(crate) region: Option<String>,
    /// Added to those that are there.
    pub(crate) tags: Vec<String>,
    /// Added to those that are there; an equal name is replaced.
    pub(crate) attributes: BTreeMap<String, String>,
    /// A grant of consent to marketing.
    pub(crate) consent: Option<Consent>,
    /// Not to be contacted.
    pub(crate) do_not_contact: Option<DoNotContact>,
    /// Where it can be looked up, for the consent ledger.
    pub(crate) evidence: Value,
}

/// A grant of consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consent {
    /// When it was given; none: now, if there is none yet.
    pub(crate) at: Option<Timestamp>,
    /// The list, form or vendor that it came by.
    pub(crate) source: Option<String>,
    /// On what ground it was given.
    pub(crate) basis: Option<Basis>,
    /// When it ends; none: never.
    pub(crate) expires_at: Option<Timestamp>,
}

/// An entry of the do-not-contact list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DoNotContact {
    pub(crate) reason: String,
    /// What it stops.
    pub(crate) stops: Stops,
}

impl DoNotContact {
    /// Whether the list has an entry of the number that stops as much.
    pub(crate) fn is_listed(&self, recipient: &RecipientRow) -> bool {
        recipient.stops() >= Some(self.stops)
    }
}
