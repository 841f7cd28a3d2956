//! What the gates would say, without anything being sent or written: the reads that explain and
//! simulate share. Decisions are `domain::gates`' own, drafts are `domain::draft`'s.

pub(crate) mod run;
pub(crate) mod sentence;

use domain::{
    address::Address,
    draft::Draft,
    gates::{Facts, Gate},
    ids::{CampaignId, ContactId, TenantId},
    message::class::{Channel, MessageClass},
    schema::words,
};
use jiff::Timestamp;
use serde::Serialize;
use stage::Fault;
use store::{
    Scoped,
    drafts::{self, ContactKey, ContactOnFile},
    facts::{self, Rows, Wanted},
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::http::Errors;

/// What one gate says about a message.
#[derive(Serialize, ToSchema)]
#[schema(as = GateAnswer)]
pub(crate) struct GateView {
    gate: Gate,
    /// `not_asked` of a gate that is not for messages of this class, `moot` of one for which those
    /// before it left nothing to ask about.
    #[schema(value_type = GateVerdict)]
    verdict: &'static str,
    /// The reason, for programs; none where the gate lets the message pass or is not asked.
    #[schema(required)]
    code: Option<&'static str>,
    /// The reason in English; none where the gate lets the message pass or is not asked.
    #[schema(required)]
    reason: Option<String>,
    /// Until when it says so, where that is known.
    #[schema(required)]
    until: Option<Timestamp>,
}

/// The words for what one gate says.
struct GateVerdict;

impl PartialSchema for GateVerdict {
    fn schema() -> RefOr<Schema> {
        let about = "What one gate says about a message.";
        words(about, ["pass", "not_asked", "moot", "defer", "hold", "block"])
    }
}

impl ToSchema for GateVerdict {}

/// The words for what would become of a message.
pub(crate) struct Outcome;

impl PartialSchema for Outcome {
    fn schema() -> RefOr<Schema> {
        let about = "What would become of a message; `fail` where its text cannot be made.";
        words(about, ["admit", "defer", "hold", "block", "expire", "fail"])
    }
}

impl ToSchema for Outcome {}

/// The words for what would become of a message that is not admitted.
pub(crate) struct OutcomeUnlessAdmitted;

impl PartialSchema for OutcomeUnlessAdmitted {
    fn schema() -> RefOr<Schema> {
        let about = "What would become of a message that is not admitted.";
        words(about, ["defer", "hold", "block", "expire", "fail"])
    }
}

impl ToSchema for OutcomeUnlessAdmitted {}

/// What each gate says, in their order.
pub(crate) fn gates(said: Vec<domain::gates::GateResult>) -> Vec<GateView> {
    let view = |one: domain::gates::GateResult| GateView {
        gate: one.gate,
        verdict: one.answer.as_str(),
        code: one.code,
        reason: one.reason,
        until: one.until,
    };
    said.into_iter().map(view).collect()
}

/// What is on file about people, in their order; with `fields` also their names and own fields.
pub(crate) async fn people(
    tx: &mut Scoped,
    tenant: &TenantId,
    channel: Channel,
    people: &[(ContactId, &Address)],
    fields: bool,
) -> Result<Vec<ContactOnFile>, Fault> {
    let keys = people.iter().map(|(contact, address)| ContactKey {
        tenant,
        contact: *contact,
        address,
        channel,
        fields,
    });

    drafts::contacts(tx, &keys.collect::<Vec<_>>()).await
}

/// What the gates go by for these drafts.
pub(crate) async fn facts<'a>(
    tx: &mut Scoped,
    tenant: &'a TenantId,
    (class, channel): (MessageClass, Channel),
    campaign: Option<CampaignId>,
    drafts: impl Iterator<Item = (&'a Address, &'a Draft)>,
) -> Result<Facts, Fault> {
    let wanted: Vec<Wanted<'_>> = drafts
        .map(|(address, draft)| Wanted {
            tenant,
            class,
            campaign,
            senders: &draft.senders,
            address,
            channel,
        })
        .collect();

    facts::load(tx, &wanted, Rows::Read).await
}

/// An instant as written, in the field `at`; none where none is.
pub(crate) fn instant(written: Option<&str>, errors: &mut Errors) -> Option<Timestamp> {
    let read = written?.parse();
    read.map_err(|_| errors.add("at", "invalid_time", "an RFC 3339 time")).ok()
}
