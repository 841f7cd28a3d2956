//! The consent ledger as callers read it.

use domain::{
    gates::{Basis, Stops},
    message::class::Channel,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::recipients::{
    consent::{Action, ConsentLine, ConsentMethod, PriorStatus},
    list::RecipientRow,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::document::{examples, words::ConsentScope};

/// A line of a person's ledger of consent.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsentLine)]
pub(super) struct LineView {
    /// The line's id.
    pub(super) id: Uuid,
    /// The person's address that it is about: a number in E.164, or a carrier's id.
    #[schema(example = json!(examples::PHONE))]
    address: String,
    channel: Channel,
    /// What was done.
    action: Action,
    /// What it is about: everything of the tenant, or one program.
    #[schema(value_type = ConsentScope)]
    scope: &'static str,
    /// The program that it is about; none: everything of the tenant.
    #[schema(required)]
    program: Option<String>,
    /// Of an entry of the do-not-contact list: what it stops.
    #[schema(required)]
    stops: Option<Stops>,
    /// The ground of the consent.
    #[schema(required)]
    basis: Option<Basis>,
    /// When the consent ends; none: it does not end.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    /// How it was captured.
    method: ConsentMethod,
    /// ISO 639-1, of the person or of the words.
    #[schema(required)]
    language: Option<String>,
    /// List, form or vendor; of the do-not-contact list the reason.
    #[schema(required)]
    source: Option<String>,
    /// The words that the person agreed to.
    #[schema(required)]
    disclosure: Option<String>,
    /// SHA-256 of these words, in hexadecimal digits.
    #[schema(required, pattern = "^[0-9a-f]{64}$")]
    disclosure_sha256: Option<String>,
    /// The page on which the words were.
    #[schema(required, pattern = "^https?://")]
    page_url: Option<String>,
    /// The address that the person agreed from.
    #[schema(required)]
    ip: Option<String>,
    /// The browser or device that was used.
    #[schema(required)]
    user_agent: Option<String>,
    /// The form of the signature: a name typed, a box ticked, ink.
    #[schema(required)]
    signature: Option<String>,
    /// The inbound text by which the person said so.
    #[schema(required)]
    inbound_id: Option<Uuid>,
    /// Of a double opt-in: the messages that asked and confirmed.
    message_ids: Vec<Uuid>,
    /// A vendor's id of the recorded act.
    #[schema(required)]
    certificate: Option<String>,
    /// Where else it can be looked up: who wrote it, import and line, message and code.
    #[schema(value_type = Object)]
    evidence: Value,
    /// The status of the number before this line; none of lines from before that was kept.
    #[schema(required, value_type = Option<PriorStatus>)]
    previous: Option<&'static str>,
    /// When it was said.
    pub(super) at: Timestamp,
    /// When it was written here; none of lines from before that was kept.
    #[schema(required)]
    recorded_at: Option<Timestamp>,
    /// Who wrote it: API key, user or part of the platform.
    recorded_by: String,
}

/// A line of the ledger as callers read it.
pub(super) fn line_view(line: ConsentLine) -> LineView {
    let scope = if line.program.is_some() { "program" } else { "tenant" };

    LineView {
        id: line.id,
        address: line.address,
        channel: line.channel,
        action: line.action,
        scope,
        program: line.program,
        stops: line.stops,
        basis: line.basis,
        expires_at: line.expires_at,
        method: line.method,
        language: line.language,
        source: line.source,
        disclosure: line.disclosure,
        disclosure_sha256: line.disclosure_hash.map(|hash| wire::hex(&hash)),
        page_url: line.page_url,
        ip: line.ip,
        user_agent: line.user_agent,
        signature: line.signature,
        inbound_id: line.inbound_id,
        message_ids: line.message_ids,
        certificate: line.certificate,
        evidence: line.evidence,
        previous: line.previous.map(PriorStatus::as_str),
        at: line.at,
        recorded_at: line.recorded_at,
        recorded_by: line.recorded_by,
    }
}

/// What is known of an address on one channel.
#[derive(Serialize, ToSchema)]
#[schema(as = RecipientStatus)]
pub(super) struct RecipientView {
    /// The person's address: a number in E.164, or a carrier's id.
    #[schema(example = json!(examples::PHONE))]
    address: String,
    channel: Channel,
    /// When the latest consent to marketing was given.
    #[schema(required)]
    consent_at: Option<Timestamp>,
    /// The ground of that consent, where one was said.
    #[schema(required)]
    basis: Option<Basis>,
    /// When that consent ends; none: it does not end.
    #[schema(required)]
    expires_at: Option<Timestamp>,
    /// Whether that consent has not ended; an opt-out or the do-not-contact list stops all the
    /// same.
    holds: bool,
    /// Since when the person has opted out of everything.
    #[schema(required)]
    opted_out_at: Option<Timestamp>,
    /// How the opt-out came.
    #[schema(required)]
    opt_out_cause: Option<ConsentMethod>,
    /// Programs that are stopped, while not everything is.
    stopped_programs: Vec<String>,
    /// Since when the number is on the do-not-contact list.
    #[schema(required)]
    do_not_contact_at: Option<Timestamp>,
    /// What the entry of that list stops.
    #[schema(required)]
    do_not_contact_stops: Option<Stops>,
}

/// The recipient status as callers read it, at this instant.
pub(super) fn recipient_view(recipient: RecipientRow, now: Timestamp) -> RecipientView {
    let ended = recipient.consent_expires_at.is_some_and(|end| end <= now);
    RecipientView {
        do_not_contact_stops: recipient.stops(),
        holds: recipient.marketing_consent_at.is_some() && !ended,
        address: recipient.address,
        channel: recipient.channel,
        consent_at: recipient.marketing_consent_at,
        basis: recipient.consent_basis,
        expires_at: recipient.consent_expires_at,
        opted_out_at: recipient.opted_out_at,
        opt_out_cause: recipient.opt_out_cause,
        stopped_programs: recipient.stopped_programs,
        do_not_contact_at: recipient.do_not_contact_at,
    }
}
