//! Callbacks of Bandwidth, as every carrier's are asked for: whether they are genuine, and what
//! they say.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use carriers::{
    Carrier, Incoming, ReceivedText, Reference, ReportedNumbers, ReportedStatus, StatusReport,
    WebhookError,
};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{MESSAGE_ID, secret};

const MESSAGE: Uuid = Uuid::from_u128(7);

/// An event about a text of ours.
fn out(kind: &str, code: Option<u32>) -> Value {
    let mut event = json!({
        "type": kind, "time": "2024-12-18T16:51:27.704450Z", "description": "words",
        "to": "+52345678903",
        "message": {
            "id": MESSAGE_ID, "time": "2024-12-18T16:51:27.704450Z",
            "to": ["+12345678902", "+52345678903"], "from": "+12345678901", "text": "",
            "applicationId": "93de2206-9669-4e07-948d-329f4b722ee2", "owner": "+12345678901",
            "direction": "out", "segmentCount": 1,
            "tag": format!("tenant=acme&message={MESSAGE}"),
        },
    });
    if let Some(code) = code {
        event["errorCode"] = code.into();
    }
    event
}

/// An event about a text of a person.
fn inbound(text: &str) -> Value {
    json!({
        "type": "message-received", "time": "2024-12-18T16:51:27Z", "description": "Incoming",
        "to": "+12345678901",
        "message": {
            "id": "in-1", "time": "2024-12-18T16:51:27Z", "to": ["+12345678901"],
            "from": "+12345678902", "text": text, "applicationId": "93de", "direction": "in",
            "owner": "+12345678901", "segmentCount": 1,
        },
    })
}

fn reports(events: &[Value]) -> Result<Vec<StatusReport>, WebhookError> {
    Carrier::Bandwidth.read_reports("", json!(events).to_string().as_bytes())
}

fn texts(events: &[Value]) -> Result<Vec<ReceivedText>, WebhookError> {
    Carrier::Bandwidth.read_texts(json!(events).to_string().as_bytes())
}

fn unread(events: &[Value]) -> usize {
    Carrier::Bandwidth.unread_parts(json!(events).to_string().as_bytes())
}

#[test]
fn a_report_names_its_message_and_the_recipient_that_it_is_about() {
    let want = StatusReport {
        reference: Some(Reference { tenant: "acme".to_owned(), message: MESSAGE }),
        sid: MESSAGE_ID.to_owned(),
        numbers: ReportedNumbers {
            to: Some("+52345678903".to_owned()),
            from: Some("+12345678901".to_owned()),
        },
        status: ReportedStatus::Failed(Some(4432)),
        price: None,
    };
    assert_eq!(reports(&[out("message-failed", Some(4432))]), Ok(vec![want.clone()]));

    let mut others = out("message-failed", Some(4432));
    others["message"]["tag"] = "another system's".into();
    assert_eq!(reports(&[others]), Ok(vec![StatusReport { reference: None, ..want }]));
}

#[test]
fn every_type_of_event_has_its_meaning() {
    use ReportedStatus as S;
    for (kind, code, status) in [
        ("message-sending", None, Some(S::Pending)),
        ("message-sent", None, Some(S::Sent)),
        ("message-delivered", None, Some(S::Delivered)),
        ("message-failed", None, Some(S::Failed(None))),
        ("message-failed", Some(4720), Some(S::Failed(Some(4720)))),
        ("message-failed", Some(5600), Some(S::Failed(Some(5600)))),
        // Nobody knows what became of it: it may have arrived.
        ("message-failed", Some(9902), Some(S::Sent)),
        ("message-failed", Some(9999), Some(S::Sent)),
        ("message-read", None, Some(S::Read)),
        ("message-teleported", None, None),
        ("message-received", None, None),
    ] {
        let read = reports(&[out(kind, code)]).expect("readable");
        let read = read.first().map(|report| report.status);
        assert_eq!(read, status, "{kind} {code:?}");
        assert_eq!(texts(&[out(kind, code)]), Ok(vec![]), "{kind}: it is ours");
    }
}

#[test]
fn the_direction_says_what_a_person_wrote() {
    let want = ReceivedText {
        sid: "in-1".to_owned(),
        from: "+12345678902".to_owned(),
        user_id: None,
        username: None,
        to: "+12345678901".to_owned(),
        body: " Señor 😀\n".to_owned(),
        payload: None,
        is_reaction: false,
        num_media: 0,
        media: Vec::new(),
        keyword: None,
        answered: false,
        service: None,
    };
    assert_eq!(texts(&[inbound(" Señor 😀\n")]), Ok(vec![want.clone()]));
    assert_eq!(reports(&[inbound("x")]), Ok(vec![]));

    let mut picture = inbound(" Señor 😀\n");
    let media = vec!["https://messaging.bandwidth.com/x.png".to_owned()];
    picture["message"]["media"] = json!(media);
    assert_eq!(texts(&[picture]), Ok(vec![ReceivedText { num_media: 1, media, ..want }]));

    // Of a kind that is no text, and one without any.
    let mut tapped = inbound("x");
    tapped["type"] = "suggestion-response".into();
    assert_eq!(texts(&[tapped]), Ok(vec![]));
    let mut silent = inbound("x");
    silent["message"]["text"] = Value::Null;
    assert_eq!(texts(&[silent]).expect("readable")[0].body, "");
}

#[test]
fn one_bad_event_does_not_lose_the_others() {
    let mut sideways = out("message-sent", None);
    sideways["message"]["direction"] = "sideways".into();
    let mut nameless = inbound("x");
    nameless["message"]["id"] = "no id".into();
    let events = [
        json!(7),
        out("message-delivered", None),
        json!({ "type": "message-sent" }),
        sideways.clone(),
        inbound("STOP"),
        nameless,
        out("message-sent", None),
    ];

    assert_eq!(reports(&events).expect("readable").len(), 2);
    assert_eq!(texts(&events).expect("readable")[0].body, "STOP");
    assert_eq!(unread(&events), 4);
    assert_eq!(unread(&[inbound("x")]), 0);

    // Where nothing can be read, that is said.
    assert_eq!(reports(&[json!(7)]), Err(WebhookError::Parameter("event")));
    assert_eq!(texts(&[sideways]), Err(WebhookError::Parameter("message.direction")));
    assert_eq!(reports(&[]), Ok(vec![]));
    let read =
        Carrier::Bandwidth.read_reports("", out("message-sent", None).to_string().as_bytes());
    assert_eq!(read, Err(WebhookError::Parameter("body")), "an event without its array");
}

fn is_genuine(secrets: &[&str], authorization: Option<&str>) -> bool {
    let secrets: Vec<_> = secrets.iter().map(|text| secret(text)).collect();
    let mut headers = HeaderMap::new();
    if let Some(value) = authorization {
        headers.insert("authorization", HeaderValue::from_str(value).expect("a header"));
    }
    let url = "https://hooks.example.com/webhooks/bandwidth/a1";
    Carrier::Bandwidth.is_genuine(&secrets, &Incoming { url, headers: &headers, body: b"[]" })
}

#[test]
fn a_callback_is_genuine_with_the_accounts_credentials_alone() {
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert!(is_genuine(&["user:word"], Some(&basic("user:word"))));
    assert!(is_genuine(&["user:word"], Some(&basic("user:word").replace("Basic", "basic"))));
    assert!(is_genuine(&["user:new", "user:old"], Some(&basic("user:old"))), "while it changes");

    for (secrets, given) in [
        (&["user:word"][..], None),
        (&["user:word"], Some(String::new())),
        (&["user:word"], Some("Basic".to_owned())),
        (&["user:word"], Some("Basic ".to_owned())),
        (&["user:word"], Some(basic("user:wor"))),
        (&["user:word"], Some(basic("User:word"))),
        (&["user:word"], Some(basic("user:word").replace("Basic", "Bearer"))),
        (&["user:word"], Some("Basic user:word".to_owned())),
        (&[], Some(basic("user:word"))),
        // An account that was set up without a user is nobody's.
        (&[""], Some(basic(""))),
        (&["word"], Some(basic("word"))),
    ] {
        assert!(!is_genuine(secrets, given.as_deref()), "{secrets:?} {given:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_as_a_callback_is_read_or_refused(
        body in prop_oneof![".{0,120}", "\\[[\\[\\]{}\":,a-z0-9]{0,60}\\]"],
    ) {
        for report in Carrier::Bandwidth.read_reports("", body.as_bytes()).unwrap_or_default() {
            prop_assert!(!report.sid.is_empty());
        }
        for text in Carrier::Bandwidth.read_texts(body.as_bytes()).unwrap_or_default() {
            prop_assert!(!text.sid.is_empty());
        }
        Carrier::Bandwidth.unread_parts(body.as_bytes());
    }
}
