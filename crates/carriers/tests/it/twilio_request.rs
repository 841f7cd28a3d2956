//! What a send puts on the wire.

use carriers::{
    SetupError,
    twilio::{Client, CreateMessage},
};

use crate::play::{ACCOUNT, Played, SID, Seen, Server, secret, text, twilio};

async fn sent(outbound: CreateMessage<'_>) -> Seen {
    let server = Server::playing([Played::new(201, &format!(r#"{{"sid":"{SID}"}}"#))]).await;
    twilio(&server.url).send(&outbound).await;
    server.seen().remove(0)
}

#[tokio::test]
async fn a_send_is_a_form_post_with_basic_auth_and_the_trace_context() {
    let seen = sent(text()).await;
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.uri.path(), format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"));
    // base64 of "AC00000000000000000000000000000001:token1"
    let basic = "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTp0b2tlbjE=";
    assert_eq!(seen.header("authorization"), Some(basic));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("traceparent"), text().traceparent);
    let form: Vec<_> = seen.form().into_iter().collect();
    let want = [
        ("Body", text().body),
        ("From", text().from),
        ("StatusCallback", text().status_callback),
        ("To", text().to),
        ("ValidityPeriod", "900"),
    ];
    assert_eq!(form, want.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // A plus sign that is not encoded would arrive as a blank.
    assert!(seen.body.starts_with(b"To=%2B14155550100&From=%2B15005550006&Body=Se%C3%B1or+"));
}

#[tokio::test]
async fn a_messaging_service_is_named_in_place_of_a_number() {
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
    let seen = sent(CreateMessage { from: SERVICE, ..text() }).await;
    let form = seen.form();
    assert_eq!(form.get("MessagingServiceSid").map(String::as_str), Some(SERVICE));
    assert!(!form.contains_key("From"));

    // A name that only begins like one is a name.
    let form = sent(CreateMessage { from: "MGM Grand", ..text() }).await.form();
    assert_eq!(form.get("From").map(String::as_str), Some("MGM Grand"));
    assert!(!form.contains_key("MessagingServiceSid"));
}

#[tokio::test]
async fn what_is_not_given_is_left_out_and_the_validity_stays_within_twilios_range() {
    let seen = sent(CreateMessage { validity_seconds: None, traceparent: None, ..text() }).await;
    assert_eq!(seen.header("traceparent"), None);
    assert!(!seen.form().contains_key("ValidityPeriod"));
    for (asked, sent_on) in [(0, "1"), (1, "1"), (36_000, "36000"), (90_000, "36000")] {
        let seen = sent(CreateMessage { validity_seconds: Some(asked), ..text() }).await;
        assert_eq!(seen.form()["ValidityPeriod"], sent_on);
    }
    let seen = sent(CreateMessage { traceparent: Some("00-\r\nx-evil: 1"), ..text() }).await;
    assert_eq!(seen.header("traceparent"), None);
    assert_eq!(seen.header("x-evil"), None);
}

#[tokio::test]
async fn media_are_named_one_by_one_with_or_without_a_text() {
    let media = ["https://h.example/media/a?x=1&y=2", "https://h.example/media/b"];
    let media = media.map(str::to_owned);
    let seen = sent(CreateMessage { media: &media, ..text() }).await;
    let body = String::from_utf8(seen.body.to_vec()).expect("a form");
    let named = "&MediaUrl=https%3A%2F%2Fh.example%2Fmedia%2Fa%3Fx%3D1%26y%3D2\
                 &MediaUrl=https%3A%2F%2Fh.example%2Fmedia%2Fb";
    assert!(body.ends_with(named) && body.contains("&Body=Se"), "{body}");

    let seen = sent(CreateMessage { body: "", media: &media, ..text() }).await;
    assert!(!seen.form().contains_key("Body"));
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_a_trailing_slash() {
    let server = Server::playing([Played::new(201, &format!(r#"{{"sid":"{SID}"}}"#))]).await;
    twilio(&format!("{}/prefix/", server.url)).send(&text()).await;
    let path = format!("/prefix/2010-04-01/Accounts/{ACCOUNT}/Messages.json");
    assert_eq!(server.seen()[0].uri.path(), path);
}

#[test]
fn unusable_settings_are_named() {
    let new = |url: &str, sid: &str, token: &str| {
        let http = carriers::http::client().expect("TLS is set up");
        Client::new(http, url, sid, &secret(token)).map(|_| ())
    };
    let url = carriers::twilio::BASE_URL;
    assert_eq!(new(url, ACCOUNT, "t"), Ok(()));
    assert_eq!(new("api.twilio.com", ACCOUNT, "t"), Err(SetupError::BaseUrl));
    assert_eq!(new("ftp://api.twilio.com", ACCOUNT, "t"), Err(SetupError::BaseUrl));
    assert_eq!(new(url, "AC1/../AC2", "t"), Err(SetupError::AccountSid));
    assert_eq!(new(url, "", "t"), Err(SetupError::AccountSid));
    assert_eq!(new(url, ACCOUNT, ""), Err(SetupError::Secret));
    assert_eq!(new(url, ACCOUNT, "t\n"), Err(SetupError::Secret));
}
