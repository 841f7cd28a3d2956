//! Numbers of an account at Meta: what is asked, and what is read of the answers.

use std::time::Duration;

use carriers::{AccountNumber, Doubt, ReadError, Throttle, ThrottleScope};
use serde_json::json;

use crate::play::{BUSINESS_ACCOUNT, PHONE_NUMBER_ID, Played, Server, whatsapp};

#[tokio::test]
async fn all_pages_of_numbers_are_read_with_their_quality_and_limits() {
    let first = json!({
        "data": [{
            "id": PHONE_NUMBER_ID, "display_phone_number": "+1 631-555-1234",
            "verified_name": "Acme", "quality_rating": "YELLOW", "status": "CONNECTED",
            "throughput": { "level": "HIGH" },
            "whatsapp_business_manager_messaging_limit": "TIER_10K",
        }],
        "paging": { "cursors": { "before": "A", "after": "B=" }, "next": "https://x.test/next" },
    });
    let last = json!({
        "data": [{ "id": "106540352242923" }],
        "paging": { "cursors": { "before": "A", "after": "C" } },
    });
    let pages = [first, last].map(|page| Played::new(200, &page.to_string()));
    let server = Server::playing(pages).await;

    let said = |text: &str| Some(text.to_owned());
    let whole = AccountNumber {
        id: PHONE_NUMBER_ID.to_owned(),
        number: said("+16315551234"),
        name: said("Acme"),
        status: said("CONNECTED"),
        quality: said("YELLOW"),
        messaging_limit: said("TIER_10K"),
        throughput: said("HIGH"),
    };
    let bare = AccountNumber { id: "106540352242923".to_owned(), ..AccountNumber::default() };
    assert_eq!(whatsapp(&server.url).account_numbers().await, Ok(vec![whole, bare]));

    let seen = server.seen();
    let path = format!("/v21.0/{BUSINESS_ACCOUNT}/phone_numbers");
    for (request, after) in seen.iter().zip([None, Some("after=B%3D")]) {
        assert_eq!((request.method.as_str(), request.uri.path()), ("GET", path.as_str()));
        assert_eq!(request.header("authorization"), Some("Bearer token1"));
        let query = request.uri.query().expect("a query");
        assert!(query.contains("quality_rating"), "{query}");
        assert!(after.is_none_or(|after| query.contains(after)), "{query}");
    }
}

#[tokio::test]
async fn an_account_that_meta_does_not_accept_and_an_answer_that_says_nothing_are_told_apart() {
    let refused = json!({ "error": { "message": "expired", "code": 190 } }).to_string();
    let server = Server::playing([Played::new(401, &refused)]).await;
    let stopped = ReadError::Stopped { status: 401 };
    assert_eq!(whatsapp(&server.url).account_numbers().await, Err(stopped));

    let server = Server::playing([Played::new(200, "{}")]).await;
    let unread = whatsapp(&server.url).account_numbers().await;
    assert!(matches!(unread, Err(ReadError::Unavailable(_))), "{unread:?}");
}

#[tokio::test]
async fn meta_asks_to_be_called_less_with_any_status_and_the_code_says_so() {
    for (status, code, seconds) in [(400, 80_007, 60), (403, 4, 60), (400, 130_429, 2)] {
        let throttled = json!({ "error": { "message": "too many", "code": code } }).to_string();
        let server = Server::playing([Played::new(status, &throttled)]).await;
        let scope = if code == 130_429 { ThrottleScope::Sender } else { ThrottleScope::Account };
        let retry_after = Some(Duration::from_secs(seconds));
        let later = ReadError::Throttled(Throttle { scope, retry_after });
        assert_eq!(whatsapp(&server.url).account_numbers().await, Err(later), "{code}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_there_is_told_apart_from_a_request_that_is_not_valid() {
    for (error, told) in [
        (json!({ "message": "no such object", "code": 100, "error_subcode": 33 }), 33),
        (json!({ "message": "no such field", "code": 100 }), 100),
    ] {
        let error = json!({ "error": error }).to_string();
        let server = Server::playing([Played::new(400, &error)]).await;
        let said = ReadError::Unavailable(Doubt::Status { status: 400, code: Some(told) });
        assert_eq!(whatsapp(&server.url).account_numbers().await, Err(said));
    }
}
