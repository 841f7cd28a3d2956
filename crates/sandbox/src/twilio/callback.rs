//! What Twilio sends to its customers: signed forms about a text's status, and inbound texts.

use std::sync::Arc;

use bytes::Bytes;
use http::{
    HeaderValue, Uri,
    header::{CONTENT_TYPE, HeaderName, USER_AGENT},
};

use super::signature::sign;
use crate::{
    app::State,
    delivery::Delivery,
    ledger::{Index, Status},
    phone::Phone,
    picture,
    retries::Retries,
};

const SIGNATURE: HeaderName = HeaderName::from_static("x-twilio-signature");
const IDEMPOTENCY: HeaderName = HeaderName::from_static("i-twilio-idempotency-token");

const FORM: HeaderValue =
    HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
const AGENT: HeaderValue = HeaderValue::from_static("TwilioProxy/1.1");

/// The host that addresses of media name.
const HOST: &str = "api.twilio.com";

/// The API version that forms name.
pub(super) const API_VERSION: &str = "2010-04-01";

/// The receipt of a text that has come to a status; `None` when its sender wants none.
pub(crate) fn status(
    state: &mut State,
    index: Index,
    status: Status,
    error: u32,
) -> Option<Box<Delivery>> {
    let text = state.ledger.get(index)?;
    let url = text.callback.clone()?;
    let account = state.accounts.get(text.account)?;
    let (sid, to, name) = (text.sid_text(), text.to.to_string(), status.name());

    // Only some receipts have these two; the form borrows them.
    let (code, done);
    let mut form: Vec<(&str, &str)> = Vec::with_capacity(11);
    form.extend([
        ("SmsSid", sid.as_str()),
        ("SmsStatus", name),
        ("MessageStatus", name),
        ("To", &to),
        ("MessageSid", &sid),
        ("AccountSid", &account.sid),
        ("From", &text.from),
        ("ApiVersion", API_VERSION),
    ]);
    if let Some(service) = &text.service {
        form.push(("MessagingServiceSid", service));
    }
    if matches!(status, Status::Undelivered | Status::Failed) {
        code = error.to_string();
        form.push(("ErrorCode", &code));
    }
    if matches!(status, Status::Undelivered | Status::Delivered) {
        done = text.updated_at.strftime("%y%m%d%H%M").to_string();
        form.push(("RawDlrDoneDate", &done));
    }

    let call = signed(&url, &account.token, &form)?;
    Some(call.delivery(state))
}

/// An inbound text, as its webhook gets it.
pub(super) struct Inbound<'a> {
    pub(super) sid: &'a str,
    pub(super) account: u16,
    pub(super) from: Phone,
    pub(super) to: &'a str,
    pub(super) body: &'a str,
    pub(super) pictures: u8,
    pub(super) segments: u8,
    pub(super) opt_out_type: Option<&'a str>,
    /// The Messaging Service that the number is in, where one has picked it.
    pub(super) service: Option<Arc<str>>,
}

/// The call of a number's webhook.
pub(super) fn inbound(
    state: &mut State,
    url: &Arc<str>,
    text: &Inbound<'_>,
) -> Option<Box<Delivery>> {
    let account = state.accounts.get(text.account)?;
    let (from, segments) = (text.from.to_string(), text.segments.max(1).to_string());
    let (count, media) = (text.pictures.to_string(), media(text, &account.sid));

    let mut form: Vec<(&str, &str)> = vec![
        ("ToCountry", country(text.to)),
        ("SmsMessageSid", text.sid),
        ("NumMedia", &count),
        ("SmsSid", text.sid),
        ("FromCountry", country(&from)),
        ("SmsStatus", "received"),
        ("Body", text.body),
        ("To", text.to),
        ("NumSegments", &segments),
        ("MessageSid", text.sid),
        ("AccountSid", &account.sid),
        ("From", &from),
        ("ApiVersion", API_VERSION),
    ];
    if let Some(kind) = text.opt_out_type {
        form.push(("OptOutType", kind));
    }
    form.extend(media.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    if let Some(service) = &text.service {
        form.push(("MessagingServiceSid", service));
    }

    let call = signed(url, &account.token, &form)?;
    Some(call.delivery(state))
}

/// Where what comes with a text is, and of which type: parts of the message at Twilio's own host,
/// whatever host plays it.
fn media(text: &Inbound<'_>, account: &str) -> Vec<(String, String)> {
    let message = format!("https://{HOST}/{API_VERSION}/Accounts/{account}/Messages/{}", text.sid);
    let of = |i: u8| {
        let id = format!("ME{}{i:02x}", text.sid.get(4..).unwrap_or_default());
        let url = (format!("MediaUrl{i}"), format!("{message}/Media/{id}"));
        [url, (format!("MediaContentType{i}"), picture::TYPE.to_owned())]
    };
    (0..text.pictures).flat_map(of).collect()
}

/// The countries that the simulated people live in; empty for others, as Twilio does.
fn country(number: &str) -> &'static str {
    if number.starts_with("+1") {
        "US"
    } else if number.starts_with("+61") {
        "AU"
    } else if number.starts_with("+34") {
        "ES"
    } else {
        ""
    }
}

/// A form that is ready to be posted.
struct Signed {
    uri: Uri,
    body: Bytes,
    signature: HeaderValue,
    retries: Retries,
}

/// Signs a form for a URL; `None` when the URL is none.
fn signed(url: &str, token: &str, form: &[(&str, &str)]) -> Option<Signed> {
    // The fragment holds settings for Twilio: it is neither sent nor signed.
    let retries = Retries::of(url);
    let url = url.split('#').next().unwrap_or(url);

    Some(Signed {
        uri: url.parse().ok()?,
        body: Bytes::from(serde_urlencoded::to_string(form).ok()?),
        signature: HeaderValue::from_str(&sign(token, url, form)).ok()?,
        retries,
    })
}

impl Signed {
    fn delivery(self, state: &mut State) -> Box<Delivery> {
        let id = format!("{:032x}", state.ledger.fresh_id());
        let id = HeaderValue::from_str(&id).expect("hexadecimal digits make a header");
        let headers = vec![
            (CONTENT_TYPE, FORM),
            (USER_AGENT, AGENT),
            (SIGNATURE, self.signature),
            (IDEMPOTENCY, id),
        ];

        Box::new(Delivery {
            uri: self.uri,
            headers,
            body: self.body,
            generation: state.ledger.generation(),
            retries: 0,
            overrides: Some(self.retries),
            ended: None,
        })
    }
}
