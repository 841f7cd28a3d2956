//! The pure part: one person as they are stored and as somebody says they are; what is new.

use std::collections::BTreeMap;

use domain::{ids::ContactId, message::class::Channel};
use jiff::Timestamp;
use serde::Serialize;
use store::{
    contacts::Contact,
    recipients::{
        consent::{Action, ConsentChange, Proof},
        list::RecipientRow,
    },
};

use super::input::{Consent, Input, Recorder};
use crate::ids;

/// What became, or would become, of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// The person was not known before.
    Created,
    /// The person was known, and something changed.
    Updated,
    /// The person was known, and is so already.
    Unchanged,
    /// The person was not known before, and the company's plan has no room.
    OverPlan,
}

/// What is new about one person.
pub(super) struct Plan {
    pub(super) outcome: Outcome,
    /// The row to write, if it differs.
    pub(super) contact: Option<Contact>,
    /// Changes of consent and of the do-not-contact list.
    pub(super) changes: Vec<ConsentChange>,
}

/// Compares a person as they are stored with what is said.
pub(super) fn plan(
    by: &Recorder,
    input: &Input,
    known: Option<&Contact>,
    recipient: Option<&RecipientRow>,
) -> Plan {
    let contact = merged(by, input, known);
    let changed = known != Some(&contact);
    let changes = changes(by, input, recipient);

    let outcome = match (known, changed || !changes.is_empty()) {
        (None, _) => Outcome::Created,
        (Some(_), true) => Outcome::Updated,
        (Some(_), false) => Outcome::Unchanged,
    };
    let contact = changed.then_some(Contact { updated_at: by.now, ..contact });
    Plan { outcome, contact, changes }
}

/// The contact as stored, with what is said written over it.
fn merged(by: &Recorder, input: &Input, known: Option<&Contact>) -> Contact {
    let mut contact = known.cloned().unwrap_or_else(|| Contact {
        contact_id: ContactId::of(&by.tenant, input.number.as_str()).0,
        number: input.number.as_str().to_owned(),
        country: input.country.clone(),
        first_name: String::new(),
        last_name: String::new(),
        language: None,
        time_zone: None,
        postal_code: None,
        region: None,
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        created_at: by.now,
        updated_at: by.now,
    });

    if let Some(name) = &input.first_name {
        contact.first_name.clone_from(name);
    }
    if let Some(name) = &input.last_name {
        contact.last_name.clone_from(name);
    }

    let said = |old: &mut Option<String>, new: &Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    said(&mut contact.language, &input.language);
    said(&mut contact.time_zone, &input.time_zone);
    said(&mut contact.postal_code, &input.postal_code);
    said(&mut contact.region, &input.region);

    contact.tags.extend(input.tags.iter().cloned());
    contact.tags.sort();
    contact.tags.dedup();
    contact.attributes.extend(input.attributes.clone());
    contact
}

/// The lines that the ledger does not have yet.
fn changes(by: &Recorder, input: &Input, recipient: Option<&RecipientRow>) -> Vec<ConsentChange> {
    let change = |action, source: Option<String>, at| ConsentChange {
        tenant: by.tenant.clone(),
        consent_id: ids::fresh(),
        address: input.number.into(),
        channel: Channel::Sms,
        action,
        program: None,
        stops: None,
        method: by.method,
        language: input.language.clone(),
        source,
        proof: Proof::default(),
        evidence: input.evidence.clone(),
        at,
        recorded_by: by.by.clone(),
    };

    let mut changes = Vec::new();
    if let Some(consent) = &input.consent
        && is_news(consent, recipient)
    {
        let at = consent.at.unwrap_or(by.now);
        let (basis, expires_at) = (consent.basis, consent.expires_at);
        let proof = Proof { basis, expires_at, ..Proof::default() };
        changes.push(ConsentChange { proof, ..change(Action::Grant, consent.source.clone(), at) });
    }

    if let Some(entry) = &input.do_not_contact
        && !recipient.is_some_and(|recipient| entry.is_listed(recipient))
    {
        let listed = change(Action::DoNotContact, Some(entry.reason.clone()), by.now);
        changes.push(ConsentChange { stops: Some(entry.stops), ..listed });
    }
    changes
}

/// Whether a grant says more than what is stored. One without a date, or from before the person
/// said stop, never speaks against that stop.
fn is_news(consent: &Consent, recipient: Option<&RecipientRow>) -> bool {
    let Some(recipient) = recipient else { return true };
    let after = |stored: Option<Timestamp>| match (consent.at, stored) {
        (_, None) => true,
        (Some(at), Some(stored)) => at > stored,
        (None, Some(_)) => false,
    };
    after(recipient.marketing_consent_at) && after(recipient.opted_out_at)
}

#[cfg(test)]
mod tests {
    use domain::phone::PhoneNumber;
    use serde_json::Value;
    use store::recipients::consent::ConsentMethod;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn by() -> Recorder {
        let tenant = "demo".parse().expect("valid");
        Recorder {
            tenant,
            now: at("2026-05-01T00:00:00Z"),
            method: ConsentMethod::Import,
            by: "key:1".into(),
        }
    }

    fn input() -> Input {
        Input {
            number: PhoneNumber::from_e164("+12125550100").expect("a number"),
            country: "US".into(),
            first_name: Some("Ana".into()),
            last_name: None,
            language: None,
            time_zone: None,
            postal_code: None,
            region: None,
            tags: vec!["b".into(), "a".into()],
            attributes: BTreeMap::new(),
            consent: Some(granted(None)),
            do_not_contact: None,
            evidence: Value::Null,
        }
    }

    fn granted(at: Option<Timestamp>) -> Consent {
        Consent { at, source: Some("web".into()), basis: None, expires_at: None }
    }

    fn recipient(consent: Option<&str>, stop: Option<&str>) -> RecipientRow {
        RecipientRow {
            address: "+12125550100".into(),
            channel: Channel::Sms,
            opted_out_at: stop.map(at),
            opt_out_cause: None,
            stopped_programs: Vec::new(),
            do_not_contact_at: None,
            do_not_contact_reason: None,
            do_not_contact_stops: None,
            marketing_consent_at: consent.map(at),
            consent_basis: None,
            consent_expires_at: None,
        }
    }

    #[test]
    fn what_was_said_before_is_unchanged_when_it_is_said_again() {
        let first = plan(&by(), &input(), None, None);

        assert_eq!(first.outcome, Outcome::Created);
        assert_eq!(first.changes[0].action, Action::Grant);
        let contact = first.contact.expect("a row");
        assert_eq!(contact.tags, ["a", "b"]);

        let consented = recipient(Some("2026-05-01T00:00:00Z"), None);
        let again = plan(&by(), &input(), Some(&contact), Some(&consented));

        assert_eq!(again.outcome, Outcome::Unchanged);
        assert!(again.contact.is_none() && again.changes.is_empty());
    }

    #[test]
    fn what_is_not_said_stays() {
        let known = plan(&by(), &input(), None, None).contact.expect("a row");
        let silent = Input { first_name: None, tags: Vec::new(), consent: None, ..input() };
        assert_eq!(plan(&by(), &silent, Some(&known), None).outcome, Outcome::Unchanged);
    }

    #[test]
    fn an_old_grant_never_speaks_against_a_later_stop() {
        let stopped = recipient(None, Some("2026-04-01T00:00:00Z"));
        for (given, grants) in [
            (None, false),
            (Some("2026-03-01T00:00:00Z"), false),
            (Some("2026-04-01T00:00:00Z"), false),
            (Some("2026-04-02T00:00:00Z"), true),
        ] {
            let consent = Some(granted(given.map(at)));
            let said = Input { consent, ..input() };
            let known = plan(&by(), &said, None, None).contact;
            let plan = plan(&by(), &said, known.as_ref(), Some(&stopped));
            assert_eq!(!plan.changes.is_empty(), grants, "{given:?}");
        }
    }
}
