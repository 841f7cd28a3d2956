//! Media that people send: Meta names each by an id, and tells by it where it is for the next five
//! minutes. Both calls want the account's token.

use http::Method;
use reqwest::Request;
use serde::Deserialize;

use super::{
    classify::{CodeVerdict, GraphError, answered},
    client::{Client, VERSION},
    is_media_id, owns_media_host,
};
use crate::{media_reply::MediaReply, media_url::media_url, setup::endpoint};

impl Client {
    /// The call that tells where media are (`GET /{media_id}`); none for what is no id.
    pub(crate) fn media_lookup(&self, id: &str) -> Option<Request> {
        let url = endpoint(&self.base_url, &format!("/{VERSION}/{id}")).ok();
        url.filter(|_| is_media_id(id)).map(|url| self.request(Method::GET, url))
    }

    /// The call that fetches media; none where the address is not one of Meta's own, nor of the
    /// account's server.
    pub(crate) fn media_request(&self, url: &str) -> Option<Request> {
        let url = media_url(url, &self.base_url, owns_media_host)?;
        Some(self.request(Method::GET, url))
    }
}

/// Where media are, by the answer to the look-up.
///
/// # Errors
/// Why they cannot be fetched, now or ever. What is wrong with the account may be mended.
pub(crate) fn media_address(status: u16, body: &[u8]) -> Result<String, MediaReply> {
    #[derive(Deserialize)]
    struct Found {
        url: String,
    }
    if status == 200 {
        let found = serde_json::from_slice::<Found>(body).map_err(|_| MediaReply::Unavailable)?;
        return Ok(found.url);
    }

    let error = GraphError::read(body).ok_or(MediaReply::Unavailable)?;
    let is_refusal = (400..=499).contains(&status) && status != 408 && status != 429;
    Err(match answered(error.code) {
        Some(CodeVerdict::Refused(_)) => MediaReply::Gone,
        Some(CodeVerdict::AccountRefused | CodeVerdict::TryLater(_) | CodeVerdict::Uncertain) => {
            MediaReply::Unavailable
        }
        None if is_refusal => MediaReply::Gone,
        None => MediaReply::Unavailable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u32) -> String {
        serde_json::json!({ "error": { "code": code, "message": "words" } }).to_string()
    }

    #[test]
    fn an_answer_names_the_address_or_why_there_is_none() {
        let found = br#"{"url":"https://lookaside.fbsbx.com/x","id":"1","mime_type":"image/png"}"#;
        assert_eq!(media_address(200, found), Ok("https://lookaside.fbsbx.com/x".to_owned()));

        for (label, status, body, why) in [
            ("no such media", 400, error(100), MediaReply::Gone),
            ("a code that Meta may add", 400, error(999_999), MediaReply::Gone),
            ("a token that has expired", 401, error(190), MediaReply::Unavailable),
            ("too many calls", 400, error(4), MediaReply::Unavailable),
            ("a fault of theirs", 500, error(999_999), MediaReply::Unavailable),
            ("not from Meta", 404, "<html>".to_owned(), MediaReply::Unavailable),
            ("no address", 200, "{}".to_owned(), MediaReply::Unavailable),
        ] {
            assert_eq!(media_address(status, body.as_bytes()), Err(why), "{label}");
        }
    }

    #[test]
    fn meta_gives_media_from_hosts_of_its_own() {
        for host in ["lookaside.fbsbx.com", "graph.facebook.com", "mmg.whatsapp.net"] {
            assert!(owns_media_host(host), "{host}");
        }
        for host in ["fbsbx.com.evil.test", "evilfbsbx.com", "fbsbx.com", "169.254.169.254"] {
            assert!(!owns_media_host(host), "{host}");
        }
    }
}
