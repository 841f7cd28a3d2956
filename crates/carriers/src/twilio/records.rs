//! What Twilio has on record about texts: fetch one by its id, list those between two numbers.
//! This is the evidence that settles a call in doubt.

use std::collections::HashSet;

use http::Method;
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser, tz::TimeZone};
use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    classify::{error_code, segments},
    client::Client,
    webhook::reported_status,
};
use crate::{
    http::call,
    record::{MessageRecord, ReadError, UNREADABLE},
};

const PAGE_SIZE: usize = 200;
const MAX_PAGES: usize = 20;

/// 200 texts of 1,600 escaped characters, with room.
const MAX_LIST_BYTES: usize = 8 * 1024 * 1024;

// === impl Client ===

impl Client {
    /// One text by its id; none if Twilio does not have it (404).
    ///
    /// # Errors
    /// When Twilio gave no usable answer; says nothing about the text.
    pub async fn fetch(&self, sid: &str) -> Result<Option<MessageRecord>, ReadError> {
        if !super::is_sid(sid) {
            return Ok(None);
        }
        let mut url = self.messages_url();
        let path = url.path().trim_end_matches(".json").to_owned();
        url.set_path(&format!("{path}/{sid}.json"));

        match self.read(url).await? {
            Some(body) => {
                let wire: WireRecord<'_> = parse(&body)?;
                wire.into_record().ok_or(UNREADABLE).map(Some)
            }
            None => Ok(None),
        }
    }

    /// All outbound texts from one sender, or from one Messaging Service whatever number it picked,
    /// to one recipient; with `since`, all that Twilio took from then on, and perhaps older ones.
    ///
    /// Twilio's filter goes by the day of sending in UTC, and may leave out texts that it has taken
    /// and not sent yet. So the page of the newest texts is read without it too.
    ///
    /// # Errors
    /// When any page could not be read, or there are more than 4,000 texts: a partial list is no
    /// proof of absence.
    pub async fn list(
        &self,
        to: &str,
        from: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<MessageRecord>, ReadError> {
        let mut next = Some(self.list_url(to, from, since));
        let mut records = Vec::new();
        for _page in 0..MAX_PAGES {
            let Some(url) = next else { break };
            next = self.page(url, from, &mut records).await?;
        }
        if next.is_some() {
            return Err(ReadError::TooMany(MAX_PAGES * PAGE_SIZE));
        }

        if since.is_some() {
            let mut newest = Vec::new();
            self.page(self.list_url(to, from, None), from, &mut newest).await?;
            let known: HashSet<String> = records.iter().map(|one| one.sid.clone()).collect();
            records.extend(newest.into_iter().filter(|one| !known.contains(&one.sid)));
        }
        Ok(records)
    }

    /// The first page of what was sent between two numbers, from the day of `since` on. Twilio does
    /// not filter by service: of one it is asked for all that the person was sent.
    fn list_url(&self, to: &str, from: &str, since: Option<Timestamp>) -> Url {
        let mut url = self.messages_url();
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("To", to);
            if !super::is_service(from) {
                query.append_pair("From", from);
            }
            if let Some(since) = since {
                let day = since.to_zoned(TimeZone::UTC).date();
                query.append_pair("DateSent>", &day.to_string());
            }
            query.append_pair("PageSize", &PAGE_SIZE.to_string());
        }
        url
    }

    /// Reads the outbound texts of one page that a sender sent. Answers where the next page is.
    async fn page(
        &self,
        url: Url,
        sender: &str,
        records: &mut Vec<MessageRecord>,
    ) -> Result<Option<Url>, ReadError> {
        let body = self.read(url).await?.ok_or(UNREADABLE)?;
        let page: WirePage<'_> = parse(&body)?;
        for wire in page.messages {
            if wire.is_outbound() && wire.is_of(sender) {
                records.push(wire.into_record().ok_or(UNREADABLE)?);
            }
        }
        page.next_page_uri
            .map(|next| self.relative(&next, "Messages").ok_or(UNREADABLE))
            .transpose()
    }

    /// Page addresses are relative to the host; another host's would carry our credentials there.
    pub(super) fn relative(&self, uri: &str, resource: &str) -> Option<Url> {
        let own = format!("/2010-04-01/Accounts/{}/{resource}.json?", self.account_sid);
        let uri = uri.starts_with(&own).then_some(uri)?;
        Url::parse(&format!("{}{uri}", self.base_url)).ok()
    }

    /// The body of a 200; none for a 404 in Twilio's own form.
    pub(super) async fn read(&self, url: Url) -> Result<Option<Vec<u8>>, ReadError> {
        let request = self.request(Method::GET, url);
        let reply = call(&self.http, request, MAX_LIST_BYTES).await?;
        let status = reply.status;
        match status {
            200 => Ok(Some(reply.body)),
            404 if error_code(status, &reply.body).is_some() => Ok(None),
            ..=199 | 201.. => Err(ReadError::of_reply(&reply, error_code(status, &reply.body))),
        }
    }
}

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ReadError> {
    serde_json::from_slice(body).map_err(|_| UNREADABLE)
}

// === the wire form ===

#[derive(Deserialize)]
struct WirePage<'a> {
    #[serde(borrow)]
    messages: Vec<WireRecord<'a>>,
    next_page_uri: Option<String>,
}

#[derive(Deserialize)]
struct WireRecord<'a> {
    sid: String,
    status: String,
    to: String,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    body: Option<String>,
    direction: Option<String>,
    error_code: Option<u32>,
    date_created: Option<String>,
    date_sent: Option<String>,
    #[serde(borrow, default)]
    num_segments: Option<&'a RawValue>,
}

impl WireRecord<'_> {
    fn is_outbound(&self) -> bool {
        self.direction.as_deref() != Some("inbound")
    }

    /// Whether it was sent by this sender, as far as Twilio's filter has not seen to that.
    fn is_of(&self, sender: &str) -> bool {
        !super::is_service(sender) || self.messaging_service_sid.as_deref() == Some(sender)
    }

    fn into_record(self) -> Option<MessageRecord> {
        if !super::is_sid(&self.sid) {
            return None;
        }
        Some(MessageRecord {
            status: reported_status(&self.status, self.error_code)?,
            created_at: self.date_created.as_deref().and_then(timestamp),
            sent_at: self.date_sent.as_deref().and_then(timestamp),
            segments: self.num_segments.and_then(|raw| segments(raw.get())),
            sid: self.sid,
            to: self.to,
            from: self.from,
            body: self.body.unwrap_or_default(),
        })
    }
}

/// RFC 2822, as the 2010 API writes dates.
fn timestamp(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}
