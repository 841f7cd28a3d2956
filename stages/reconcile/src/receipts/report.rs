//! From a carrier's webhook request to what it says about one of our messages. Pure.

use std::collections::{BTreeMap, HashMap};

use carriers::{Carrier, ReportedStatus, StatusReport, WebhookError};
use domain::{
    billing::PriceNotice,
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
    /// What the carrier bills the message as, where it has said so.
    pub(crate) price: Option<PriceNotice>,
}

/// Why a request says nothing about a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It has no reference of ours and no id that we know: a text that was not sent by us.
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

/// What a carrier's request says, before it is known about which messages.
pub(crate) struct Said {
    carrier: Carrier,
    /// Each as the carrier wrote it, in its order.
    pub(crate) reports: Vec<StatusReport>,
}

/// Messages by the account and the carrier's id of their text, for reports that have no reference.
pub(crate) type BySid = HashMap<(String, String), Key>;

/// Reads a request.
pub(crate) fn read(request: &WebhookRequest) -> Result<Said, Unusable> {
    let carrier = Carrier::from_name(&request.carrier).ok_or(Unusable::UnknownCarrier)?;
    let reports = carrier.read_reports(&request.query, &request.body);
    let unread = carrier.unread_parts(&request.body);
    if unread > 0 {
        metrics::counter!("millrace_webhook_parts_unread_total", "carrier" => carrier.as_str())
            .increment(unread as u64);
    }
    Ok(Said { carrier, reports: reports.map_err(Unusable::Unreadable)? })
}

/// What a request says about messages of ours: at least one report.
pub(crate) fn ours(
    request: &WebhookRequest,
    said: Said,
    by_sid: &BySid,
) -> Result<Vec<Report>, Unusable> {
    let names_any = said.reports.iter().any(|report| report.reference.is_some());
    let ours = said.reports.into_iter().enumerate();
    let ours = ours.filter_map(|(nth, report)| {
        let key = key(request, &report, by_sid)?;
        Some(of_message(request, said.carrier, nth, key, report))
    });

    let ours: Vec<Report> = ours.collect();
    match (ours.is_empty(), names_any) {
        (false, _) => Ok(ours),
        (true, true) => Err(Unusable::OtherTenant),
        (true, false) => Err(Unusable::NoReference),
    }
}

/// The message of a report, if it is of the tenant whose account signed it. An account that serves
/// several tenants signs for all of them, and our reference names the one.
fn key(request: &WebhookRequest, report: &StatusReport, by_sid: &BySid) -> Option<Key> {
    let Some(reference) = &report.reference else {
        return by_sid.get(&(request.account.clone(), report.sid.clone())).cloned();
    };
    let tenant: TenantId = reference.tenant.parse().ok()?;
    let signs = request.tenant.as_ref().is_none_or(|owner| *owner == tenant);
    signs.then_some((tenant, MessageId(reference.message)))
}

fn of_message(
    request: &WebhookRequest,
    carrier: Carrier,
    nth: usize,
    (tenant, message): Key,
    report: StatusReport,
) -> Report {
    let (state, code) = meaning(report.status);
    Report {
        nth,
        tenant,
        message,
        carrier,
        state,
        code,
        account: request.account.clone(),
        sid: report.sid,
        at: request.received_at,
        price: report.price,
    }
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
            price: self.price,
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
            price: kept.price,
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

    fn read(request: &WebhookRequest) -> Result<Vec<Report>, Unusable> {
        super::ours(request, super::read(request)?, &BySid::new())
    }

    #[test]
    fn a_report_without_a_reference_is_of_the_message_that_has_its_text() {
        let body = "MessageSid=SM1&MessageStatus=delivered";
        let tenant: TenantId = "acme".parse().expect("valid");
        let by_sid = BySid::from([(("main".into(), "SM1".into()), (tenant, MESSAGE))]);
        let of = |query: &str, body: &str| {
            let request = request(query, body);
            super::ours(&request, super::read(&request)?, &by_sid)
        };

        assert_eq!(of("", body).expect("readable")[0].message, MESSAGE);
        assert_eq!(of("tenant=acme", body).expect("readable")[0].message, MESSAGE);
        assert_eq!(of("", &body.replace("SM1", "SM2")), Err(Unusable::NoReference));
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
