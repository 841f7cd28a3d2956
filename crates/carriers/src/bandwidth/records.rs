//! What Bandwidth has on record about texts: one by its id, and those between two numbers. This is
//! the evidence that settles a call in doubt. Bandwidth keeps no text and does not list tags: of
//! several texts between the same numbers, a record does not tell which it is.

use http::Method;
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    classify::{is_error, segments},
    client::{Client, wire_time},
    webhook::{code, failure},
};
use crate::{
    http::call,
    record::{MessageRecord, ReadError, UNREADABLE},
    report::ReportedStatus,
};

const PAGE_SIZE: usize = 500;
const MAX_PAGES: usize = 8;

/// 500 records of less than 1 KiB, with room.
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

// === impl Client ===

impl Client {
    /// One text by its id; none if Bandwidth does not list it.
    ///
    /// # Errors
    /// When Bandwidth gave no usable answer; says nothing about the text.
    pub async fn fetch(&self, sid: &str) -> Result<Option<MessageRecord>, ReadError> {
        if !super::is_message_id(sid) {
            return Ok(None);
        }
        let mut url = self.messages_url();
        url.query_pairs_mut()
            .append_pair("messageId", sid)
            .append_pair("messageDirection", "OUTBOUND");

        let page: WirePage = self.read(url).await?;
        let mut records = Vec::new();
        page.into_records(&mut records)?;
        Ok(records.into_iter().find(|record| record.sid == sid))
    }

    /// All outbound texts from one sender to one recipient; with `since`, all that Bandwidth took
    /// from then on.
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
        let mut records = Vec::new();
        let mut token: Option<String> = None;
        for _page in 0..MAX_PAGES {
            let url = self.list_url(to, from, since, token.as_deref());
            let page: WirePage = self.read(url).await?;
            let next = page.page_info.as_ref().and_then(|info| info.next_page_token.clone());
            page.into_records(&mut records)?;

            token = next.filter(|next| !next.is_empty());
            if token.is_none() {
                return Ok(records);
            }
        }
        Err(ReadError::TooMany(MAX_PAGES * PAGE_SIZE))
    }

    fn list_url(&self, to: &str, from: &str, since: Option<Timestamp>, token: Option<&str>) -> Url {
        let mut url = self.messages_url();
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("sourceTn", from)
                .append_pair("destinationTn", to)
                .append_pair("messageDirection", "OUTBOUND");
            if let Some(since) = since {
                query.append_pair("fromDateTime", &wire_time(since));
            }
            query.append_pair("limit", &PAGE_SIZE.to_string());
            if let Some(token) = token {
                query.append_pair("pageToken", token);
            }
        }
        url
    }

    /// The body of a 200.
    async fn read<T: DeserializeOwned>(&self, url: Url) -> Result<T, ReadError> {
        let request = self.request(Method::GET, url);
        let reply = call(&self.http, request, MAX_LIST_BYTES).await?;
        let status = reply.status;
        match status {
            200 => serde_json::from_slice(&reply.body).map_err(|_| UNREADABLE),
            ..=199 | 201.. => {
                let code = is_error(&reply.body).then_some(u32::from(status));
                Err(ReadError::of_reply(&reply, code))
            }
        }
    }
}

// === the wire form ===

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePage {
    messages: Vec<WireRecord>,
    #[serde(default)]
    page_info: Option<PageInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRecord {
    message_id: String,
    message_status: String,
    destination_tn: String,
    #[serde(default)]
    source_tn: Option<String>,
    #[serde(default)]
    message_direction: Option<String>,
    #[serde(default)]
    error_code: Option<Box<RawValue>>,
    #[serde(default)]
    receive_time: Option<String>,
    #[serde(default)]
    segment_count: Option<Box<RawValue>>,
}

impl WirePage {
    /// Appends the outbound texts of the page.
    fn into_records(self, records: &mut Vec<MessageRecord>) -> Result<(), ReadError> {
        for wire in self.messages {
            let direction = wire.message_direction.as_deref().unwrap_or_default();
            if !direction.eq_ignore_ascii_case("INBOUND") {
                records.push(wire.into_record().ok_or(UNREADABLE)?);
            }
        }
        Ok(())
    }
}

impl WireRecord {
    fn into_record(self) -> Option<MessageRecord> {
        if !super::is_message_id(&self.message_id) {
            return None;
        }
        let error = self.error_code.and_then(|raw| code(raw.get()));
        Some(MessageRecord {
            status: status_of(&self.message_status, error)?,
            created_at: self.receive_time.as_deref().and_then(|at| at.parse().ok()),
            sent_at: None,
            segments: self.segment_count.and_then(|raw| segments(raw.get())),
            sid: self.message_id,
            to: self.destination_tn,
            from: self.source_tn,
            body: String::new(),
        })
    }
}

/// Bandwidth's word for where a listed text stands; none for words that it may add.
fn status_of(word: &str, code: Option<u32>) -> Option<ReportedStatus> {
    match word.to_ascii_uppercase().as_str() {
        "RECEIVED" | "QUEUED" | "SENDING" | "ACCEPTED" => Some(ReportedStatus::Pending),
        "SENT" => Some(ReportedStatus::Sent),
        "DELIVERED" => Some(ReportedStatus::Delivered),
        "FAILED" => Some(failure(code, ReportedStatus::Failed)),
        "UNDELIVERED" => Some(failure(code, ReportedStatus::Undelivered)),
        _ => None,
    }
}
