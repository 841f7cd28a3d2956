//! The numbers of an account at Meta, each with its quality and what it may send.

use http::Method;
use serde::Deserialize;

use super::{
    classify::read_error,
    client::Client,
    paging::{self, NoCursor, Page},
};
use crate::{
    http::call,
    numbers::{AccountNumber, MAX_OWNED},
    record::{ReadError, UNREADABLE},
};

/// What is read of each number.
const FIELDS: &str = "id,display_phone_number,verified_name,quality_rating,status,throughput,\
                      whatsapp_business_manager_messaging_limit";

/// Numbers on one page.
const PAGE_SIZE: usize = 100;

/// A number is about 500 bytes.
const MAX_PAGE_BYTES: usize = 256 * 1024;

impl Client {
    /// All numbers of the account (`GET /{waba_id}/phone_numbers`).
    ///
    /// # Errors
    /// When any page could not be read, or there are more than [`MAX_OWNED`].
    pub async fn account_numbers(&self) -> Result<Vec<AccountNumber>, ReadError> {
        let mut found = Vec::new();
        let mut after: Option<String> = None;
        for _page in 0..MAX_OWNED / PAGE_SIZE {
            let mut url = self.url(&self.account, "phone_numbers").ok_or(UNREADABLE)?;
            paging::ask(&mut url, FIELDS, PAGE_SIZE, after.as_deref());

            let reply = call(&self.http, self.request(Method::GET, url), MAX_PAGE_BYTES).await?;
            if reply.status != 200 {
                return Err(read_error(&reply));
            }
            let page: Page<Listed> = serde_json::from_slice(&reply.body).map_err(|_| UNREADABLE)?;

            after = page.next().map_err(|NoCursor| UNREADABLE)?;
            found.extend(page.data.into_iter().map(Listed::read));
            if after.is_none() {
                return Ok(found);
            }
        }
        Err(ReadError::TooMany(MAX_OWNED))
    }
}

// === the wire form ===

#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(default)]
    display_phone_number: Option<String>,
    #[serde(default)]
    verified_name: Option<String>,
    #[serde(default)]
    quality_rating: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    throughput: Option<Throughput>,
    #[serde(default)]
    whatsapp_business_manager_messaging_limit: Option<String>,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(default)]
    level: Option<String>,
}

impl Listed {
    fn read(self) -> AccountNumber {
        AccountNumber {
            number: self.display_phone_number.as_deref().and_then(e164),
            name: self.verified_name,
            status: self.status,
            quality: self.quality_rating,
            messaging_limit: self.whatsapp_business_manager_messaging_limit,
            throughput: self.throughput.and_then(|of| of.level),
            id: self.id,
        }
    }
}

/// A number as Meta writes it for people, `+1 631-555-1234`, in E.164; none for what is no number.
fn e164(shown: &str) -> Option<String> {
    let digits: String = shown.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_for_people_is_read_as_one_for_machines() {
        assert_eq!(e164("+1 631-555-1234").as_deref(), Some("+16315551234"));
        assert_eq!(e164("15550783881").as_deref(), Some("+15550783881"));
        assert_eq!(e164("hidden"), None);
        assert_eq!(e164("1234567890123456"), None);
    }
}
