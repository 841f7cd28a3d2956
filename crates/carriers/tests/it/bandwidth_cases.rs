//! What each of Bandwidth's calls puts on the wire: a labelled table of whole requests.

use carriers::{
    SetupError,
    bandwidth::{Client, MessageRequest},
};
use serde_json::{Value, json};

use crate::play::{
    BANDWIDTH_ACCOUNT, MESSAGE_ID, Played, Seen, Server, bandwidth, message, secret,
};

const APPLICATION: &str = "93de2206-9669-4e07-948d-329f4b722ee2";
const MESSAGES: &str = "/api/v2/users/9900000/messages";
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn sent(message: MessageRequest<'_>) -> Seen {
    let server = Server::playing([Played::new(202, &format!(r#"{{"id":"{MESSAGE_ID}"}}"#))]).await;
    bandwidth(&server.url).send(&message).await;
    server.seen().remove(0)
}

#[tokio::test]
async fn a_send_is_the_request_of_the_official_sdk() {
    let expires_at = Some("2026-06-10T16:00:00.5Z".parse().expect("a time"));
    let media = ["https://h.example/media/a".to_owned(), "https://h.example/b.png".to_owned()];
    let cases = [
        (
            "the least",
            message(),
            json!({ "applicationId": APPLICATION, "to": ["+12345678902"], "from": "+12345678901",
                "text": "Hi", "tag": "t" }),
            None,
        ),
        (
            "a time by which it must be sent",
            MessageRequest { expires_at, ..message() },
            json!({ "applicationId": APPLICATION, "to": ["+12345678902"], "from": "+12345678901",
                "text": "Hi", "tag": "t", "expiration": "2026-06-10T16:00:00.500Z" }),
            None,
        ),
        (
            "characters of every kind, from a name, with a trace",
            MessageRequest {
                from: "ACME",
                text: "Señor 😀 \"& co\"\n",
                tag: "tenant=acme&message=0190",
                traceparent: Some(TRACE),
                ..message()
            },
            json!({ "applicationId": APPLICATION, "to": ["+12345678902"], "from": "ACME",
                "text": "Señor 😀 \"& co\"\n", "tag": "tenant=acme&message=0190" }),
            Some(TRACE),
        ),
        (
            "media with a text",
            MessageRequest { media: &media, ..message() },
            json!({ "applicationId": APPLICATION, "to": ["+12345678902"], "from": "+12345678901",
                "text": "Hi", "media": media, "tag": "t" }),
            None,
        ),
        (
            "media alone",
            MessageRequest { text: "", media: &media, ..message() },
            json!({ "applicationId": APPLICATION, "to": ["+12345678902"], "from": "+12345678901",
                "media": media, "tag": "t" }),
            None,
        ),
        (
            "a trace that no header can carry",
            MessageRequest { traceparent: Some("00-\r\nx-evil: 1"), ..message() },
            json!({ "applicationId": APPLICATION, "to": ["+12345678902"], "from": "+12345678901",
                "text": "Hi", "tag": "t" }),
            None,
        ),
    ];

    for (label, message, body, trace) in cases {
        let seen = sent(message).await;
        assert_eq!((seen.method.as_str(), seen.uri.to_string().as_str()), ("POST", MESSAGES));
        // base64 of "u:p"
        assert_eq!(seen.header("authorization"), Some("Basic dTpw"), "{label}");
        assert_eq!(seen.header("content-type"), Some("application/json"), "{label}");
        assert_eq!(seen.header("accept"), Some("application/json"), "{label}");
        assert_eq!(seen.header("traceparent"), trace, "{label}");
        assert_eq!(seen.header("x-evil"), None, "{label}");
        let found: Value = serde_json::from_slice(&seen.body).expect("JSON");
        assert_eq!(found, body, "{label}");
    }
}

#[tokio::test]
async fn looking_a_text_up_names_what_is_looked_for() {
    let since = Some("2026-06-10T16:00:00.123456Z".parse().expect("a time"));
    let between = "sourceTn=%2B12345678901&destinationTn=%2B12345678902&messageDirection=OUTBOUND";
    let from_time = "&fromDateTime=2026-06-10T16%3A00%3A00.123Z";

    for (label, since, query) in [
        ("all", None, format!("{between}&limit=500")),
        ("since", since, format!("{between}{from_time}&limit=500")),
    ] {
        let server = Server::playing([Played::new(200, r#"{"messages":[]}"#)]).await;
        let listed = bandwidth(&server.url).list("+12345678902", "+12345678901", since).await;
        assert_eq!(listed, Ok(vec![]), "{label}");
        let seen = &server.seen()[0];
        assert_eq!((seen.method.as_str(), seen.uri.path()), ("GET", MESSAGES), "{label}");
        assert_eq!(seen.uri.query(), Some(query.as_str()), "{label}");
        assert_eq!(seen.header("authorization"), Some("Basic dTpw"), "{label}");
    }

    let server = Server::playing([Played::new(200, r#"{"messages":[]}"#)]).await;
    assert_eq!(bandwidth(&server.url).fetch(MESSAGE_ID).await, Ok(None));
    assert_eq!(bandwidth(&server.url).fetch("../../x?y").await, Ok(None));
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "a malformed id is not asked for");
    let query = format!("messageId={MESSAGE_ID}&messageDirection=OUTBOUND");
    assert_eq!(seen[0].uri.query(), Some(query.as_str()));
}

#[test]
fn unusable_settings_are_named() {
    let new = |url: &str, id: &str, token: &str| {
        let http = carriers::http::client().expect("TLS is set up");
        Client::new(http, url, id, &secret(token)).map(|_| ())
    };
    let url = carriers::bandwidth::BASE_URL;
    assert_eq!(new(url, BANDWIDTH_ACCOUNT, "u:p"), Ok(()));
    assert_eq!(new(url, BANDWIDTH_ACCOUNT, "u:p:q"), Ok(()), "a password may hold a colon");
    assert_eq!(new("messaging.bandwidth.com", BANDWIDTH_ACCOUNT, "u:p"), Err(SetupError::BaseUrl));
    for id in ["", "9900000", "9900000/", "/93de2206", "99x/93de", "9900000/a/b", "9900000/../x"] {
        assert_eq!(new(url, id, "u:p"), Err(SetupError::AccountAndApplication), "{id}");
    }
    for token in ["", "token", ":p", "u:", "u:p\n"] {
        assert_eq!(new(url, BANDWIDTH_ACCOUNT, token), Err(SetupError::UserAndPassword), "{token}");
    }
}
