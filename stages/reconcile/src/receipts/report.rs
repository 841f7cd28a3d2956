//! From a carrier's webhook request to what it says about one of our messages. Pure.

use std::collections::BTreeMap;

use carriers::{Carrier, ReportedStatus, StatusReport, WebhookError};
use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use store::messages::receipt::unmatched::Unmatched;
use uuid::Uuid;
use wire::WebhookRequest;

/// A message that a receipt is about.
pub(crate) type Key = (TenantId, MessageId);

/// The receipts of one batch by message, in key order, each with the index of its request.
pub(crate) type Reports = BTreeMap<Key, Vec<(usize, Report)>>;

/// What one receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Which report of its request it is, counted from 0.
    pub(crate) nth: usize,
    /// The tenant whose message it is about.
    pub(crate) tenant: TenantId,
    /// The message, by the reference that we gave the carrier.
    pub(crate) message: MessageId,
    /// The carrier that says so.
    pub(crate) carrier: Carrier,
    /// Where it stands: `sent`, `failed`, `delivered` or `read`.
    pub(crate) state: MessageState,
    /// The carrier's error code.
    pub(crate) code: Option<u32>,
    /// The account that sent it.
    pub(crate) account: String,
    /// The carrier's id of the text.
    pub(crate) sid: String,
    /// The business time at which it arrived.
    pub(crate) at: Timestamp,
}

/// Why a request says nothing about a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It has no reference of ours: a text that was not sent by us.
    NoReference,
    /// Its reference names another tenant than the account that signed it, or none at all.
    OtherTenant,
    /// A newer version has stored it, and this one does not know its carrier.
    UnknownCarrier,
    /// It is signed, and cannot be read.
    Unreadable(WebhookError),
}

impl Unusable {
    /// One word for metrics and dead letters.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::NoReference => "no_reference",
            Self::OtherTenant => "other_tenant",
            Self::UnknownCarrier => "carrier_unknown",
            Self::Unreadable(WebhookError::Parameter(_)) => "receipt_malformed",
            Self::Unreadable(WebhookError::UnknownStatus) => "receipt_status_unknown",
        }
    }
}

/// Reads a request: at least one report.
pub(crate) fn read(request: &WebhookRequest) -> Result<Vec<Report>, Unusable> {
    let carrier = Carrier::from_name(&request.carrier).ok_or(Unusable::UnknownCarrier)?;
    let said = carrier.read_reports(&request.query, &request.body).map_err(Unusable::Unreadable)?;
    if said.is_empty() {
        return Err(Unusable::NoReference);
    }

    let ours = said.into_iter().enumerate();
    let ours = ours.filter_map(|(nth, report)| of_tenant(request, carrier, nth, report));
    let ours: Vec<Report> = ours.collect();
    if ours.is_empty() { Err(Unusable::OtherTenant) } else { Ok(ours) }
}

/// A report about a message of the tenant whose account signed it; none about another's. An account
/// that serves several tenants signs for all of them, and our reference names the one.
fn of_tenant(
    request: &WebhookRequest,
    carrier: Carrier,
    nth: usize,
    report: StatusReport,
) -> Option<Report> {
    let StatusReport { reference, sid, status } = report;
    let tenant: TenantId = reference.tenant.parse().ok()?;
    if request.tenant.as_ref().is_some_and(|owner| *owner != tenant) {
        return None;
    }

    let (state, code) = meaning(status);
    Some(Report {
        nth,
        tenant,
        message: MessageId(reference.message),
        carrier,
        state,
        code,
        account: request.account.clone(),
        sid,
        at: request.received_at,
    })
}

/// What a status of the carrier says, and its error code.
pub(crate) fn meaning(status: ReportedStatus) -> (MessageState, Option<u32>) {
    match status {
        // The carrier has it: that is what `sent` says. It also settles a call in doubt.
        ReportedStatus::Pending | ReportedStatus::Sent => (MessageState::Sent, None),
        ReportedStatus::Delivered => (MessageState::Delivered, None),
        ReportedStatus::Read => (MessageState::Read, None),
        ReportedStatus::Undelivered(code) | ReportedStatus::Failed(code) => {
            (MessageState::Failed, code)
        }
    }
}

impl Report {
    /// As it is kept while its message is not here.
    pub(crate) fn unmatched(&self, request: Uuid) -> Unmatched {
        Unmatched {
            tenant: self.tenant.clone(),
            id: report_id(request, self.nth),
            message: self.message,
            carrier: self.carrier.as_str().to_owned(),
            account: self.account.clone(),
            sid: self.sid.clone(),
            state: self.state,
            code: self.code,
            at: self.at,
        }
    }

    /// One that was kept; none of a carrier that this version does not know.
    pub(crate) fn of_kept(kept: Unmatched) -> Option<Self> {
        Some(Self {
            nth: 0,
            tenant: kept.tenant,
            message: kept.message,
            carrier: Carrier::from_name(&kept.carrier)?,
            state: kept.state,
            code: kept.code,
            account: kept.account,
            sid: kept.sid,
            at: kept.at,
        })
    }
}

/// The first report of a request has the request's id, as the only one always had.
fn report_id(request: Uuid, nth: usize) -> Uuid {
    match nth {
        0 => request,
        _ => Uuid::new_v5(&request, &nth.to_be_bytes()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const MESSAGE: MessageId = MessageId(Uuid::from_u128(7));

    fn request(query: &str, body: &str) -> WebhookRequest {
        WebhookRequest {
            id: Uuid::nil(),
            tenant: Some("acme".parse().expect("valid")),
            carrier: Carrier::Twilio.as_str().to_owned(),
            account: "main".into(),
            received_at: Timestamp::UNIX_EPOCH,
            query: query.into(),
            body: body.into(),
            trace: None,
        }
    }

    fn ours() -> String {
        format!("tenant=acme&message={MESSAGE}")
    }

    #[test]
    fn every_status_of_the_carrier_is_one_of_four_states() {
        use MessageState::{Delivered, Failed, Read, Sent};
        for (status, state, code) in [
            ("accepted", Sent, None),
            ("queued", Sent, None),
            ("sending", Sent, None),
            ("sent", Sent, None),
            ("delivered", Delivered, None),
            ("read", Read, None),
            ("undelivered&ErrorCode=30005", Failed, Some(30005)),
            ("failed&ErrorCode=30007", Failed, Some(30007)),
            ("failed", Failed, None),
        ] {
            let body = format!("MessageSid=SM1&MessageStatus={status}");
            let report = read(&request(&ours(), &body)).expect("readable").remove(0);
            assert_eq!((report.state, report.code), (state, code), "{status}");
            assert_eq!((report.message, report.sid.as_str()), (MESSAGE, "SM1"));
        }
    }

    #[test]
    fn a_reference_of_another_tenant_is_not_believed() {
        let query = format!("tenant=other&message={MESSAGE}");
        let body = "MessageSid=SM1&MessageStatus=delivered";
        assert_eq!(read(&request(&query, body)), Err(Unusable::OtherTenant));
    }

    #[test]
    fn an_account_of_several_tenants_reports_for_each_of_them() {
        let body = "MessageSid=SM1&MessageStatus=delivered";
        let shared = WebhookRequest { tenant: None, ..request(&ours(), body) };
        assert_eq!(read(&shared).expect("readable")[0].tenant.as_str(), "acme");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let body = "MessageSid=SM1&MessageStatus=delivered";
        assert_eq!(read(&request("", body)), Err(Unusable::NoReference));
        let label = |body| read(&request(&ours(), body)).map_err(Unusable::label);
        let newer = WebhookRequest { carrier: "smoke".into(), ..request(&ours(), body) };
        assert_eq!(read(&newer), Err(Unusable::UnknownCarrier));
        assert_eq!(label("MessageSid=SM1"), Err("receipt_malformed"));
        assert_eq!(label("MessageSid=SM1&MessageStatus=teleported"), Err("receipt_status_unknown"));
    }
}
