//! From a carrier's webhook request to what it says about one of our messages. Pure.

use carriers::twilio::{
    parse_callback_query,
    webhook::{ReportedStatus, WebhookError, parse_status},
};
use domain::{
    ids::{MessageId, TenantId},
    message::state::MessageState,
};
use jiff::Timestamp;
use store::messages::receipt::unmatched::Unmatched;
use uuid::Uuid;
use wire::WebhookRequest;

/// What one receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Whose message.
    pub(crate) tenant: TenantId,
    /// Which, by the reference that we gave the carrier.
    pub(crate) message: MessageId,
    /// Where it stands: `sent`, `failed`, `delivered` or `read`.
    pub(crate) state: MessageState,
    /// The carrier's error code.
    pub(crate) code: Option<u32>,
    /// The account that sent it.
    pub(crate) account: String,
    /// The carrier's id of the text.
    pub(crate) sid: String,
    /// Business time of arrival.
    pub(crate) at: Timestamp,
}

/// Why a request says nothing about a message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It has no reference of ours: a text that was not sent by us.
    NoReference,
    /// Its reference names another tenant than the account that signed it.
    OtherTenant,
    /// It is signed, and cannot be read.
    Unreadable(WebhookError),
}

impl Unusable {
    /// One word for metrics and dead letters.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::NoReference => "no_reference",
            Self::OtherTenant => "other_tenant",
            Self::Unreadable(WebhookError::Parameter(_)) => "receipt_malformed",
            Self::Unreadable(WebhookError::UnknownStatus) => "receipt_status_unknown",
        }
    }
}

/// Reads a request.
pub(crate) fn read(request: &WebhookRequest) -> Result<Report, Unusable> {
    let reference = parse_callback_query(&request.query).ok_or(Unusable::NoReference)?;
    if reference.tenant != request.tenant.as_str() {
        return Err(Unusable::OtherTenant);
    }
    let report = parse_status(&request.body).map_err(Unusable::Unreadable)?;
    let (state, code) = meaning(report.status);
    Ok(Report {
        tenant: request.tenant.clone(),
        message: MessageId(reference.message),
        state,
        code,
        account: request.account.clone(),
        sid: report.sid,
        at: request.received_at,
    })
}

/// What a status of the carrier says, and its error code.
pub(crate) fn meaning(status: ReportedStatus) -> (MessageState, Option<u32>) {
    match status {
        // Twilio has it: that is what `sent` says. It also settles a call in doubt.
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
            id: request,
            message: self.message,
            account: self.account.clone(),
            sid: self.sid.clone(),
            state: self.state,
            code: self.code,
            at: self.at,
        }
    }
}

impl From<Unmatched> for Report {
    fn from(kept: Unmatched) -> Self {
        Self {
            tenant: kept.tenant,
            message: kept.message,
            state: kept.state,
            code: kept.code,
            account: kept.account,
            sid: kept.sid,
            at: kept.at,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const MESSAGE: MessageId = MessageId(Uuid::from_u128(7));

    fn request(query: &str, body: &str) -> WebhookRequest {
        WebhookRequest {
            id: Uuid::nil(),
            tenant: "acme".parse().expect("valid"),
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
            let report = read(&request(&ours(), &body)).expect("readable");
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
    fn what_cannot_be_read_says_why() {
        let body = "MessageSid=SM1&MessageStatus=delivered";
        assert_eq!(read(&request("", body)), Err(Unusable::NoReference));
        let label = |body| read(&request(&ours(), body)).map_err(Unusable::label);
        assert_eq!(label("MessageSid=SM1"), Err("receipt_malformed"));
        assert_eq!(label("MessageSid=SM1&MessageStatus=teleported"), Err("receipt_status_unknown"));
    }
}
