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
use uuid::Uuid;

#[derive(Serialize)]
pub(super) struct LineView {
    pub(super) id: Uuid,
    channel: Channel,
    action: Action,
    scope: &'static str,
    program: Option<String>,
    /// Of an entry of the do-not-contact list: what it stops.
    stops: Option<Stops>,
    basis: Option<Basis>,
    expires_at: Option<Timestamp>,
    method: ConsentMethod,
    language: Option<String>,
    source: Option<String>,
    disclosure: Option<String>,
    disclosure_sha256: Option<String>,
    page_url: Option<String>,
    ip: Option<String>,
    user_agent: Option<String>,
    signature: Option<String>,
    inbound_id: Option<Uuid>,
    message_ids: Vec<Uuid>,
    certificate: Option<String>,
    evidence: Value,
    previous: Option<&'static str>,
    pub(super) at: Timestamp,
    recorded_at: Option<Timestamp>,
    recorded_by: String,
}

/// A line of the ledger as callers read it.
pub(super) fn line_view(line: ConsentLine) -> LineView {
    let scope = if line.program.is_some() { "program" } else { "tenant" };

    LineView {
        id: line.id,
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

/// What is known of the number on one channel.
#[derive(Serialize)]
pub(super) struct RecipientView {
    channel: Channel,
    consent_at: Option<Timestamp>,
    basis: Option<Basis>,
    expires_at: Option<Timestamp>,
    /// Whether that consent holds now.
    holds: bool,
    opted_out_at: Option<Timestamp>,
    opt_out_cause: Option<ConsentMethod>,
    stopped_programs: Vec<String>,
    do_not_contact_at: Option<Timestamp>,
    do_not_contact_stops: Option<Stops>,
}

/// The recipient status as callers read it, at this instant.
pub(super) fn recipient_view(recipient: RecipientRow, now: Timestamp) -> RecipientView {
    let ended = recipient.consent_expires_at.is_some_and(|end| end <= now);
    RecipientView {
        do_not_contact_stops: recipient.stops(),
        holds: recipient.marketing_consent_at.is_some() && !ended,
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
