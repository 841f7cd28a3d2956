//! Reading a request to send: what Twilio checks before it accepts, in its order and with its
//! codes, and the magic numbers of its test credentials.

use std::sync::Arc;

use http::Uri;
use jiff::Timestamp;

use super::{
    errors::{Refusal, bad_request, coded},
    format::sid_number,
};
use crate::{phone::Phone, reply::Form, segments::segments};

/// The longest text, in characters.
const MAX_BODY: usize = 1_600;

/// The most media files.
const MAX_MEDIA: usize = 10;

/// A request to send that may be accepted.
pub(super) struct Request {
    pub(super) to: Phone,
    /// Without it the service picks a number.
    pub(super) from: Option<Arc<str>>,
    pub(super) service: Option<Arc<str>>,
    pub(super) body: Box<str>,
    pub(super) segments: u8,
    pub(super) media: u8,
    pub(super) callback: Option<Arc<str>>,
    pub(super) reference: Option<Arc<str>>,
    pub(super) send_at: Option<Timestamp>,
}

/// Reads and checks a form.
pub(super) fn read(form: &Form) -> Result<Request, Refusal> {
    // what must be there
    let to = form.get("To").ok_or_else(|| coded(21604))?;
    let from = form.get("From");
    let service = form.get("MessagingServiceSid");
    if from.is_none() && service.is_none() {
        return Err(coded(21603));
    }
    let body = form.raw("Body").unwrap_or("");
    let media = read_media(form)?;
    if form.get("ContentSid").is_some() {
        return Err(coded(21655));
    }
    if body.is_empty() && media == 0 {
        return Err(coded(21602));
    }

    // who it is for and from
    let phone = Phone::parse(to).filter(|_| from != Some(to)).ok_or_else(|| coded(21211))?;
    if from.is_some_and(|from| !is_sender(from)) {
        return Err(coded(21212));
    }
    if service.is_some_and(|sid| !sid.starts_with("MG") || sid_number(sid).is_none()) {
        return Err(coded(21705));
    }
    if let Some(code) = magic(to, from.unwrap_or("")) {
        return Err(coded(code));
    }

    // what it says, and where its receipts go
    if body.chars().count() > MAX_BODY {
        return Err(coded(21617));
    }
    let callback = form.get("StatusCallback");
    if callback.is_some_and(|url| !is_callback(url)) {
        return Err(coded(21609));
    }

    Ok(Request {
        to: phone,
        from: from.map(Arc::from),
        service: service.map(Arc::from),
        body: body.into(),
        // A message with media is billed as one, whatever its text.
        segments: if media > 0 { 1 } else { segments(body).max(1) },
        media,
        callback: callback.map(Arc::from),
        reference: callback.and_then(reference),
        send_at: read_schedule(form)?,
    })
}

/// How many media files the text has.
fn read_media(form: &Form) -> Result<u8, Refusal> {
    let urls: Vec<_> = form.all("MediaUrl").collect();
    if urls.len() > MAX_MEDIA {
        return Err(coded(21623));
    }
    if !urls.iter().all(|url| url.starts_with("http://") || url.starts_with("https://")) {
        return Err(coded(21620));
    }

    Ok(urls.len() as u8)
}

/// When the text is to go out, if not at once.
fn read_schedule(form: &Form) -> Result<Option<Timestamp>, Refusal> {
    if let Some(seconds) = form.get("ValidityPeriod") {
        let seconds: u32 = seconds.parse().map_err(|_| coded(21624))?;
        if !(1..=36_000).contains(&seconds) {
            return Err(coded(21624));
        }
    }

    let Some(send_at) = form.get("SendAt") else { return Ok(None) };
    if form.get("ScheduleType") != Some("fixed") || form.get("MessagingServiceSid").is_none() {
        return Err(bad_request("SendAt needs ScheduleType=fixed and a MessagingServiceSid"));
    }
    send_at.parse().map(Some).map_err(|_| bad_request("SendAt is not an ISO 8601 time"))
}

/// A number, a short code, or a name of up to 11 characters with a letter in it.
fn is_sender(from: &str) -> bool {
    let short_code = (3..=8).contains(&from.len()) && from.bytes().all(|b| b.is_ascii_digit());
    let name = from.len() <= 11
        && from.bytes().all(|b| b.is_ascii_alphanumeric() || b" -&_+".contains(&b))
        && from.bytes().any(|b| b.is_ascii_alphabetic());

    Phone::parse(from).is_some() || short_code || name
}

/// Whether a URL may be called back: http or https, with a host without underscores.
pub(super) fn is_callback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or("");

    matches!(uri.scheme_str(), Some("http" | "https")) && !host.is_empty() && !host.contains('_')
}

/// What tells the caller's messages apart: the query parameter `message` of the callback URL. None
/// where there is none: whoever has one URL for all texts tells them apart by other means.
fn reference(url: &str) -> Option<Arc<str>> {
    let without_fragment = url.split('#').next().unwrap_or(url);
    let (_, query) = without_fragment.split_once('?')?;
    Form::parse(query.as_bytes())?.get("message").map(Arc::from)
}

/// The numbers that Twilio's test credentials refuse, with their codes.
fn magic(to: &str, from: &str) -> Option<u32> {
    let by_sender = match from {
        "+15005550001" => Some(21212),
        "+15005550007" => Some(21606),
        "+15005550008" => Some(21611),
        _ => None,
    };

    by_sender.or(match to {
        "+15005550001" => Some(21211),
        "+15005550002" => Some(21612),
        "+15005550003" => Some(21408),
        "+15005550004" => Some(21610),
        "+15005550009" => Some(21614),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "To=%2B14155550100&From=%2B15005550006&Body=hi";

    fn code(form: &str) -> u32 {
        let form = Form::parse(form.as_bytes()).expect("a form");
        read(&form).map_or_else(|refusal| refusal.code, |_| 0)
    }

    #[test]
    fn each_mistake_has_its_code() {
        let long = format!("To=%2B14155550100&From=%2B15005550006&Body={}", "a".repeat(1_601));
        let media = format!("{GOOD}{}", "&MediaUrl=http://x/y".repeat(11));
        let service = "MessagingServiceSid=MG0123456789abcdef0123456789abcdef";

        for (form, expected) in [
            (GOOD.to_owned(), 0),
            ("From=%2B15005550006&Body=hi".into(), 21604),
            ("To=%2B14155550100&Body=hi".into(), 21603),
            ("To=%2B14155550100&From=%2B15005550006".into(), 21602),
            ("To=%2B14155550100&From=%2B15005550006&Body=".into(), 21602),
            ("To=4155550100&From=%2B15005550006&Body=hi".into(), 21211),
            ("To=%2B15005550006&From=%2B15005550006&Body=hi".into(), 21211),
            ("To=%2B14155550100&From=%2B1&Body=hi".into(), 21212),
            ("To=%2B14155550100&From=88202&Body=hi".into(), 0),
            ("To=%2B14155550100&From=Acme&Body=hi".into(), 0),
            ("To=%2B14155550100&MessagingServiceSid=MGx&Body=hi".into(), 21705),
            (format!("To=%2B14155550100&{service}&Body=hi"), 0),
            (long, 21617),
            (media, 21623),
            (format!("{GOOD}&MediaUrl=ftp://x"), 21620),
            (format!("{GOOD}&StatusCallback=nonsense"), 21609),
            (format!("{GOOD}&StatusCallback=http://a_b.example/x"), 21609),
            (format!("{GOOD}&ValidityPeriod=0"), 21624),
            (format!("{GOOD}&SendAt=2026-03-08T00:00:00Z"), 20001),
            ("To=%2B15005550009&From=%2B15005550006&Body=hi".into(), 21614),
            ("To=%2B15005550004&From=%2B15005550006&Body=hi".into(), 21610),
            ("To=%2B14155550100&From=%2B15005550008&Body=hi".into(), 21611),
        ] {
            assert_eq!(code(&form), expected, "{form}");
        }
    }

    #[test]
    fn the_reference_is_the_message_parameter_and_no_other_part_of_the_url() {
        let of = |url| reference(url).map(|reference| reference.to_string());
        assert_eq!(of("http://h/s?tenant=a&message=m%2D1#rc=2").as_deref(), Some("m-1"));
        for url in ["http://h/s", "http://h/s?tenant=a", "http://h/s?message="] {
            assert_eq!(of(url), None, "{url}");
        }
    }
}
