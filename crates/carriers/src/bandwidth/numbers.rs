//! Numbers, by Bandwidth's account API: XML, on a host of its own. A number is named by its ten
//! digits. Which application has a number is settled by the location that it is ordered for, whose
//! settings are the dashboard's: an order names the account's first site, and goes to the location
//! that is the usual one there.

use http::{HeaderValue, Method, header::ACCEPT};
use reqwest::Url;

use super::{client::Client, codes, xml};
use crate::{
    answer::Doubt,
    http::{Reply, call, set_body},
    numbers::{MAX_OFFERED, MAX_OWNED, NumberQuery, NumberReply, OfferedNumber, OwnedNumber},
    record::{ReadError, UNREADABLE},
};

/// Numbers on one page of the account's list.
const PAGE_SIZE: usize = 500;

/// 500 numbers and their surroundings, with room.
const MAX_REPLY_BYTES: usize = 256 * 1024;

const XML: HeaderValue = HeaderValue::from_static("application/xml");

// === impl Client ===

impl Client {
    /// Numbers on offer. Bandwidth has those of the North American plan alone, and wants an area
    /// code or digits to look for.
    ///
    /// # Errors
    /// When Bandwidth gave no usable answer, or refused the search: its code or status is in the
    /// doubt.
    pub async fn search_numbers(
        &self,
        query: &NumberQuery<'_>,
    ) -> Result<Vec<OfferedNumber>, ReadError> {
        if !matches!(query.country, "US" | "CA") {
            return Ok(Vec::new());
        }
        let mut url = self.account_resource("availableNumbers");
        {
            let mut pairs = url.query_pairs_mut();
            if let Some(code) = query.area_code {
                pairs.append_pair("areaCode", code);
            }
            if let Some(part) = query.contains {
                pairs.append_pair("localVanity", part);
            }
            pairs.append_pair("quantity", &query.limit.clamp(1, MAX_OFFERED).to_string());
        }

        let body = self.read_xml(url).await?;
        let numbers = xml::texts(&body, "TelephoneNumber");
        let offered = |digits: &String| {
            let number = e164(digits)?;
            Some(OfferedNumber { number, locality: None, region: None })
        };
        Ok(numbers.iter().filter_map(offered).take(MAX_OFFERED).collect())
    }

    /// Every number of the account.
    ///
    /// # Errors
    /// When any page could not be read, or there are more than [`MAX_OWNED`].
    pub async fn owned_numbers(&self) -> Result<Vec<OwnedNumber>, ReadError> {
        let mut numbers: Vec<OwnedNumber> = Vec::new();
        for page in 1..=MAX_OWNED / PAGE_SIZE {
            let mut url = self.account_resource("inserviceNumbers");
            url.query_pairs_mut()
                .append_pair("page", &page.to_string())
                .append_pair("size", &PAGE_SIZE.to_string());

            let body = self.read_xml(url).await?;
            let listed = xml::texts(&body, "TelephoneNumber");
            let all: Option<usize> = xml::text(&body, "TotalCount").and_then(|n| n.parse().ok());
            let all = all.ok_or(UNREADABLE)?;
            let owned = |digits: String| Some(OwnedNumber { number: e164(&digits)?, id: digits });
            let (count, before) = (listed.len(), (page - 1) * PAGE_SIZE);

            numbers.extend(listed.into_iter().filter_map(owned));
            if before + count >= all {
                return Ok(numbers);
            }
            // More are counted than are here: what is left out would be taken for gone.
            if count < PAGE_SIZE {
                return Err(UNREADABLE);
            }
        }
        Err(ReadError::TooMany(MAX_OWNED))
    }

    /// Orders one number, once, for the account's first site. Bandwidth takes an order and works on
    /// it; where it says at once that it is done, it is.
    pub async fn buy_number(&self, number: &str) -> NumberReply {
        let Some(digits) = ten_digits(number) else { return NumberReply::Refused { code: 400 } };
        let site = match self.read_xml(self.account_resource("sites")).await {
            Ok(body) => xml::text(&body, "Id"),
            // Nothing is ordered yet.
            Err(ReadError::Stopped { status }) => {
                return NumberReply::Refused { code: status.into() };
            }
            Err(_) => return NumberReply::NotAsked,
        };
        let Some(site) = site else { return NumberReply::Refused { code: codes::NO_SITE } };

        let order = format!(
            "<Order><SiteId>{}</SiteId><ExistingTelephoneNumberOrderType><TelephoneNumberList>\
             <TelephoneNumber>{digits}</TelephoneNumber></TelephoneNumberList>\
             </ExistingTelephoneNumberOrderType></Order>",
            xml::escaped(&site),
        );
        match self.order("orders", order).await {
            Ok(reply) => match ordered(&reply, digits) {
                NumberReply::Taken => self.progress(&reply, digits).await,
                said => said,
            },
            Err(failed) => failed,
        }
    }

    /// How far an order has come that was just taken: small ones are often done at once. Where it
    /// does not say so, the order is under way.
    async fn progress(&self, taken: &Reply, digits: &str) -> NumberReply {
        let taken = String::from_utf8_lossy(&taken.body);
        let plain = |id: &String| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let Some(id) = xml::text(&taken, "id").filter(plain) else { return NumberReply::Taken };

        let body = self.read_xml(self.account_resource(&format!("orders/{id}"))).await;
        body.ok().and_then(|body| order_status(&body, digits)).unwrap_or(NumberReply::Taken)
    }

    /// Gives a number back. One that the account does not have any more is given back.
    pub async fn release_number(&self, digits: &str) -> NumberReply {
        let order = format!(
            "<DisconnectTelephoneNumberOrder><name>released</name>\
             <DisconnectTelephoneNumberOrderType><TelephoneNumberList>\
             <TelephoneNumber>{}</TelephoneNumber></TelephoneNumberList>\
             </DisconnectTelephoneNumberOrderType></DisconnectTelephoneNumberOrder>",
            xml::escaped(digits),
        );
        match self.order("disconnects", order).await {
            // It is on its way out: nobody is asked again.
            Ok(reply) if (200..=299).contains(&reply.status) => {
                NumberReply::Done { id: digits.to_owned() }
            }
            Ok(reply) if reply.status == 404 && is_own(&reply) => {
                NumberReply::Done { id: digits.to_owned() }
            }
            Ok(reply) => ordered(&reply, digits),
            Err(failed) => failed,
        }
    }

    async fn order(&self, resource: &str, order: String) -> Result<Reply, NumberReply> {
        let mut request = self.request(Method::POST, self.account_resource(resource));
        request.headers_mut().insert(ACCEPT, XML);
        set_body(&mut request, XML, order, None);
        Ok(call(&self.http, request, MAX_REPLY_BYTES).await?)
    }

    /// The body of a 200.
    async fn read_xml(&self, url: Url) -> Result<String, ReadError> {
        let mut request = self.request(Method::GET, url);
        request.headers_mut().insert(ACCEPT, XML);
        let reply = call(&self.http, request, MAX_REPLY_BYTES).await?;
        let status = reply.status;
        match status {
            200 => Ok(String::from_utf8_lossy(&reply.body).into_owned()),
            ..=199 | 201.. => {
                let code = named(&String::from_utf8_lossy(&reply.body));
                let code = code.or_else(|| is_own(&reply).then_some(u32::from(status)));
                Err(ReadError::of_reply(&reply, code))
            }
        }
    }
}

/// How far an order has come; none where the answer does not say it.
fn order_status(body: &str, digits: &str) -> Option<NumberReply> {
    Some(match xml::text(body, "OrderStatus")?.as_str() {
        "COMPLETE" => NumberReply::Done { id: digits.to_owned() },
        "FAILED" => NumberReply::Refused { code: named(body).unwrap_or(codes::NUMBER_TAKEN) },
        _ => NumberReply::Taken,
    })
}

/// What a reply to an order says. A 5xx may come after the order was taken.
fn ordered(reply: &Reply, digits: &str) -> NumberReply {
    let status = reply.status;
    let body = String::from_utf8_lossy(&reply.body);
    match status {
        200..=299 => {
            let unreadable = NumberReply::Unknown { why: Doubt::Unreadable { status } };
            order_status(&body, digits).unwrap_or(unreadable)
        }
        429 if is_own(reply) => NumberReply::NotAsked,
        400..=407 | 409..=428 | 430..=499 if is_own(reply) => {
            NumberReply::Refused { code: named(&body).unwrap_or(status.into()) }
        }
        ..=199 | 300.. => NumberReply::Unknown { why: Doubt::Status { status, code: None } },
    }
}

/// The code that the account API names, where this version knows it.
fn named(body: &str) -> Option<u32> {
    xml::texts(body, "Code").iter().find_map(|code| codes::of_order(code))
}

/// Whether a reply is in the account API's own form of an error.
fn is_own(reply: &Reply) -> bool {
    let body = String::from_utf8_lossy(&reply.body);
    let error = xml::text(&body, "Code").or_else(|| xml::text(&body, "ErrorCode"));
    error.is_some()
}

/// The number of ten digits.
fn e164(digits: &str) -> Option<String> {
    is_ten_digits(digits).then(|| format!("+1{digits}"))
}

/// The ten digits of a number of the North American plan.
fn ten_digits(number: &str) -> Option<&str> {
    number.strip_prefix("+1").filter(|digits| is_ten_digits(digits))
}

fn is_ten_digits(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> NumberReply {
        let reply = Reply { status, headers: http::HeaderMap::new(), body: body.into() };
        ordered(&reply, "9195550100")
    }

    #[test]
    fn an_order_is_taken_done_refused_or_in_doubt() {
        let said =
            |status| format!("<OrderResponse><OrderStatus>{status}</OrderStatus></OrderResponse>");
        let error = "<Error><Code>5005</Code><Description>not available</Description></Error>";
        let done = NumberReply::Done { id: "9195550100".to_owned() };
        assert_eq!(reply(201, &said("RECEIVED")), NumberReply::Taken);
        assert_eq!(reply(201, &said("COMPLETE")), done);
        let taken = NumberReply::Refused { code: codes::NUMBER_TAKEN };
        assert_eq!(reply(201, &said("FAILED")), taken);
        assert_eq!(reply(400, error), NumberReply::Refused { code: 5005 });
        let other = error.replace("5005", "5106");
        assert_eq!(reply(400, &other), NumberReply::Refused { code: 400 }, "a report's, not its");
        let why = format!("<OrderResponse><ErrorList>{error}</ErrorList>{}", said("FAILED"));
        assert_eq!(reply(201, &why), NumberReply::Refused { code: 5005 });
        assert_eq!(reply(429, error), NumberReply::NotAsked);
        for (status, body) in [(201, ""), (400, "<html>"), (500, error), (408, error), (302, "")] {
            let reply = reply(status, body);
            assert!(matches!(reply, NumberReply::Unknown { .. }), "{status} {body}: {reply:?}");
        }
    }
}
