//! `AvailablePhoneNumbers` and `IncomingPhoneNumbers`: what is on offer, what the account has, and
//! orders, changes and releases. One call is one HTTP request: nothing is retried here.

use domain::phone::PhoneNumber;
use http::Method;
use reqwest::Url;
use serde::Deserialize;

use super::{callback::RETRIES, classify::error_code, client::Client, records::parse};
use crate::{
    answer::Doubt,
    http::{FORM, call, set_body},
    numbers::{MAX_OFFERED, MAX_OWNED, NumberQuery, NumberReply, OfferedNumber, OwnedNumber},
    record::{ReadError, UNREADABLE},
};

/// Numbers on one page of the account's list.
const PAGE_SIZE: usize = 1_000;

/// A number is about 1 KiB.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// Countries whose numbers for texts Twilio lists as local ones; those of others are mobile.
const LOCAL: [&str; 3] = ["US", "CA", "PR"];

// === impl Client ===

impl Client {
    /// Numbers on offer that can send texts.
    ///
    /// # Errors
    /// When Twilio gave no usable answer, or refused the search: its code is in the doubt.
    pub async fn search_numbers(
        &self,
        query: &NumberQuery<'_>,
    ) -> Result<Vec<OfferedNumber>, ReadError> {
        let kind = if LOCAL.contains(&query.country) { "Local" } else { "Mobile" };
        let mut url = self.resource(&format!("AvailablePhoneNumbers/{}/{kind}", query.country));
        {
            let mut pairs = url.query_pairs_mut();
            pairs.append_pair("SmsEnabled", "true");
            if let Some(code) = query.area_code {
                pairs.append_pair("AreaCode", code);
            }
            if let Some(part) = query.contains {
                pairs.append_pair("Contains", part);
            }
            pairs.append_pair("PageSize", &query.limit.clamp(1, MAX_OFFERED).to_string());
        }

        // A country without such numbers is not found: it has none to offer.
        let Some(body) = self.read(url).await? else { return Ok(Vec::new()) };
        let offered: Offered = parse(&body)?;
        Ok(offered.available_phone_numbers.into_iter().filter_map(WireOffer::read).collect())
    }

    /// Every number of the account.
    ///
    /// # Errors
    /// When any page could not be read, or there are more than [`MAX_OWNED`].
    pub async fn owned_numbers(&self) -> Result<Vec<OwnedNumber>, ReadError> {
        let mut url = self.resource(NUMBERS);
        url.query_pairs_mut().append_pair("PageSize", &PAGE_SIZE.to_string());
        let mut next = Some(url);
        let mut numbers = Vec::new();

        for _page in 0..MAX_OWNED / PAGE_SIZE {
            let Some(url) = next else { break };
            let body = self.read(url).await?.ok_or(UNREADABLE)?;
            let page: Owned = parse(&body)?;
            numbers.extend(page.incoming_phone_numbers.into_iter().filter_map(WireNumber::read));
            let relative = |uri: String| self.relative(&uri, NUMBERS).ok_or(UNREADABLE);
            next = page.next_page_uri.map(relative).transpose()?;
        }
        if next.is_some() {
            return Err(ReadError::TooMany(MAX_OWNED));
        }
        Ok(numbers)
    }

    /// Buys one number, once.
    pub async fn buy_number(&self, number: &str) -> NumberReply {
        self.change(Method::POST, self.resource(NUMBERS), &[("PhoneNumber", number)]).await
    }

    /// Says where texts to a number are posted, and how often that is tried.
    pub async fn point_number(&self, id: &str, webhook: &str) -> NumberReply {
        if !super::is_sid(id) {
            return NumberReply::Refused { code: NOT_FOUND };
        }
        let webhook = format!("{webhook}{RETRIES}");
        let form = [("SmsUrl", webhook.as_str()), ("SmsMethod", "POST")];
        self.change(Method::POST, self.resource(&format!("{NUMBERS}/{id}")), &form).await
    }

    /// Gives a number back. One that is not there any more is given back.
    pub async fn release_number(&self, id: &str) -> NumberReply {
        if !super::is_sid(id) {
            return NumberReply::Refused { code: NOT_FOUND };
        }
        let url = self.resource(&format!("{NUMBERS}/{id}"));
        match self.change(Method::DELETE, url, &[]).await {
            NumberReply::Refused { code: NOT_FOUND } => NumberReply::Done { id: id.to_owned() },
            reply => reply,
        }
    }

    async fn change(&self, method: Method, url: Url, form: &[(&str, &str)]) -> NumberReply {
        let id = number_id(&url);
        let mut request = self.request(method, url);
        if !form.is_empty() {
            let form = serde_urlencoded::to_string(form).expect("pairs of texts encode");
            set_body(&mut request, FORM, form, None);
        }

        match call(&self.http, request, MAX_REPLY_BYTES).await {
            Ok(reply) => classify(reply.status, &reply.body, id),
            Err(fault) => fault.into(),
        }
    }
}

const NUMBERS: &str = "IncomingPhoneNumbers";

/// Twilio has no such number.
const NOT_FOUND: u32 = 20404;

/// Asked too often at once: never processed.
const TOO_MANY: u32 = 20429;

/// The id that a URL names, where it names a number.
fn number_id(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?.strip_suffix(".json")?;
    (last != NUMBERS).then(|| last.to_owned())
}

/// What a reply says. A 4xx that is not in Twilio's own form did not surely come from Twilio, and a
/// 5xx may come after it was done.
fn classify(status: u16, body: &[u8], id: Option<String>) -> NumberReply {
    let code = error_code(status, body);
    match (status, code) {
        (204, _) => NumberReply::Done { id: id.unwrap_or_default() },
        (200..=299, _) => match serde_json::from_slice::<WireNumber>(body) {
            Ok(number) if super::is_sid(&number.sid) => NumberReply::Done { id: number.sid },
            Ok(_) | Err(_) => NumberReply::Unknown { why: Doubt::Unreadable { status } },
        },
        (429, Some(TOO_MANY)) => NumberReply::NotAsked,
        (400..=407 | 409..=428 | 430..=499, Some(code)) => NumberReply::Refused { code },
        (400..=407 | 409..=428 | 430..=499, None) => {
            NumberReply::Unknown { why: Doubt::Unreadable { status } }
        }
        (..=199 | 300..=399 | 408 | 429 | 500.., code) => {
            NumberReply::Unknown { why: Doubt::Status { status, code } }
        }
    }
}

// === the wire form ===

#[derive(Deserialize)]
struct Offered {
    available_phone_numbers: Vec<WireOffer>,
}

#[derive(Deserialize)]
struct WireOffer {
    phone_number: String,
    #[serde(default)]
    locality: Option<String>,
    #[serde(default)]
    region: Option<String>,
}

#[derive(Deserialize)]
struct Owned {
    incoming_phone_numbers: Vec<WireNumber>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct WireNumber {
    sid: String,
    #[serde(default)]
    phone_number: String,
}

impl WireOffer {
    /// None for what is no phone number.
    fn read(self) -> Option<OfferedNumber> {
        let said = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (locality, region) = (said(self.locality), said(self.region));
        PhoneNumber::from_e164(&self.phone_number).is_ok().then_some(OfferedNumber {
            number: self.phone_number,
            locality,
            region,
        })
    }
}

impl WireNumber {
    /// None for what is no phone number, such as a short code.
    fn read(self) -> Option<OwnedNumber> {
        let is_number = PhoneNumber::from_e164(&self.phone_number).is_ok();
        let known = is_number && super::is_sid(&self.sid);
        known.then_some(OwnedNumber { number: self.phone_number, id: self.sid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_code(status: u16, code: u32) -> NumberReply {
        let body = format!(r#"{{"code":{code},"message":"m","status":{status}}}"#);
        classify(status, body.as_bytes(), None)
    }

    #[test]
    fn only_twilios_own_refusal_says_that_nothing_was_bought() {
        assert_eq!(with_code(400, 21422), NumberReply::Refused { code: 21422 });
        assert_eq!(with_code(401, 20003), NumberReply::Refused { code: 20003 });
        assert_eq!(with_code(429, TOO_MANY), NumberReply::NotAsked);
        for (status, body) in [(400, "<html>"), (403, ""), (201, "{}"), (500, "{}"), (302, "")] {
            let reply = classify(status, body.as_bytes(), None);
            assert!(matches!(reply, NumberReply::Unknown { .. }), "{status} {body}: {reply:?}");
        }
        for (status, code) in [(500, 21422), (503, 20503), (408, 20404), (429, 21422)] {
            let why = Doubt::Status { status, code: Some(code) };
            assert_eq!(with_code(status, code), NumberReply::Unknown { why });
        }
    }
}
