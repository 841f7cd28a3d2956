//! Twilio in the form that all carriers have: what [`crate::Carrier`] dispatches to.

use std::time::Duration;

use secrecy::SecretString;
use wire::subject::WebhookKind;

use super::{
    HOST, callback_url,
    client::Client,
    keywords::answered_by_carrier,
    parse_callback_query,
    signature::{SignedBody, SignedRequest, verify},
    webhook::{parse_inbound, parse_status},
};
use crate::{
    abilities::Abilities,
    answer::{CarrierReply, ThrottleScope},
    media_url::media_url,
    outbound::Outbound,
    report::{ReceivedText, ReportedNumbers, StatusReport, WebhookError},
    webhook::{Acknowledgement, Incoming, content_type, text},
};

/// Twilio names no list lag; this number is ours, and `MILLRACE_LIST_LAG` sets another.
pub(crate) const ABILITIES: Abilities = Abilities {
    lists: true,
    fetches: true,
    reports: true,
    numbers: true,
    templates: false,
    list_lag: Duration::from_secs(30),
    throttles: ThrottleScope::Account,
};

/// Names a webhook request; the same on Twilio's own repeats of it.
pub(crate) const REQUEST_NAME_HEADER: &str = "i-twilio-idempotency-token";

/// Twilio also serves `product.edge.region.twilio.com`: labels between the first and the domain.
pub(crate) fn owns_host(host: &str) -> bool {
    let Some((product, domain)) = HOST.split_once('.') else { return false };
    host == HOST
        || (host.starts_with(&format!("{product}.")) && host.ends_with(&format!(".{domain}")))
}

pub(crate) fn account_id_fault(id: &str) -> Option<&'static str> {
    let plain = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!plain).then_some("the account's SID at the carrier")
}

/// `AC` and 32 hexadecimal digits, from a handle of so many.
pub(crate) fn account_id_of(handle: &str) -> String {
    format!("AC{handle}")
}

impl Client {
    /// Asks Twilio to send one text, which it reports on at our status callback.
    pub(crate) async fn send_text(&self, outbound: &Outbound<'_>) -> CarrierReply {
        let Outbound { public_url, account, reference, .. } = outbound;
        let callback = callback_url(public_url, account, &reference.tenant, reference.message);

        let text = super::CreateMessage {
            to: outbound.to,
            from: outbound.from,
            body: outbound.body,
            media: outbound.media,
            status_callback: &callback,
            validity_seconds: outbound.validity_seconds,
            traceparent: outbound.traceparent,
        };
        self.send(&text).await
    }
}

impl Client {
    /// Media are a part of their message, which is of this account. Twilio answers with a redirect
    /// to a server that wants no credentials.
    pub(crate) fn media_request(&self, url: &str) -> Option<reqwest::Request> {
        let url = media_url(url, &self.base_url, owns_host)?;
        let own = format!("/2010-04-01/Accounts/{}/Messages/", self.account_sid);
        url.path().contains(&own).then(|| self.request(http::Method::GET, url))
    }
}

/// The signature covers the URL that we gave to Twilio: the public one.
pub(crate) fn is_genuine(secrets: &[SecretString], request: &Incoming<'_>) -> bool {
    let Some(signature) = text(request.headers, "x-twilio-signature") else { return false };
    let signed = SignedRequest {
        url: request.url,
        body: SignedBody::of(content_type(request.headers), request.body),
        signature,
        settings: text(request.headers, "x-twilio-webhooks-signature-settings"),
    };
    verify(secrets, &signed)
}

/// An inbound text is answered with empty TwiML: what there is to say goes through the gates.
pub(crate) fn acknowledgement(kind: WebhookKind) -> Acknowledgement {
    match kind {
        WebhookKind::Inbound => {
            Acknowledgement { content_type: Some("text/xml"), body: "<Response/>" }
        }
        WebhookKind::Status | WebhookKind::Mixed => {
            Acknowledgement { content_type: None, body: "" }
        }
    }
}

/// One request reports on one text. Without our reference it need not be about one of ours, and
/// what cannot be read then is nothing.
pub(crate) fn read_report(query: &str, body: &[u8]) -> Result<Option<StatusReport>, WebhookError> {
    let reference = parse_callback_query(query);
    let report = match parse_status(body) {
        Ok(report) => report,
        Err(_) if reference.is_none() => return Ok(None),
        Err(why) => return Err(why),
    };

    let numbers = ReportedNumbers { to: report.to, from: report.from };
    let (sid, status) = (report.sid, report.status);
    Ok(Some(StatusReport { reference, sid, numbers, status, price: None }))
}

/// One request brings one text.
pub(crate) fn read_text(body: &[u8]) -> Result<ReceivedText, WebhookError> {
    let message = parse_inbound(body)?;
    let answered = message.opt_out_type.is_some();
    let keyword = answered_by_carrier(&message);
    Ok(ReceivedText {
        sid: message.sid,
        from: message.from,
        user_id: None,
        username: None,
        to: message.to,
        body: message.body,
        payload: None,
        is_reaction: false,
        num_media: message.num_media,
        media: message.media,
        keyword,
        answered,
        service: message.messaging_service_sid,
    })
}
