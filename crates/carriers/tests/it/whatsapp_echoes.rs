//! What people of a business write in the WhatsApp Business app, as the Cloud API tells of it.

use carriers::{Carrier, ReceivedText, WebhookError};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::play::{BUSINESS_ACCOUNT, PHONE_NUMBER_ID, WAMID};

const CARRIER: Carrier = Carrier::WhatsappCloud;

fn envelope(changes: &[Value]) -> String {
    let entry = json!([{ "id": BUSINESS_ACCOUNT, "changes": changes }]);
    json!({ "object": "whatsapp_business_account", "entry": entry }).to_string()
}

/// A text that was written on the phone, and what else is said of it.
fn one(kind: &str, mut more: Value) -> Value {
    more["id"] = WAMID.into();
    more["type"] = kind.into();
    more["timestamp"] = "1731705721".into();
    more
}

/// A change that tells of such texts.
fn echoes(echoes: Value) -> Value {
    json!({ "field": "smb_message_echoes", "value": {
        "messaging_product": "whatsapp", "metadata": { "phone_number_id": PHONE_NUMBER_ID },
        "message_echoes": echoes,
    } })
}

fn texts(body: &str) -> Result<Vec<ReceivedText>, WebhookError> {
    CARRIER.read_texts(body.as_bytes())
}

#[test]
fn what_is_written_on_the_phone_itself_is_told_apart_from_what_people_write() {
    let to = "16505551234";
    let told = echoes(json!([
        one("text", json!({ "from": "15550783881", "to": to, "text": { "body": "STOP" } })),
        one("text", json!({ "to": format!("+{to}"), "text": { "body": "Hi" } })),
        one("text", json!({ "to_user_id": "US.13491208655302741918", "text": { "body": "Hi" } })),
        one("image", json!({ "to": to, "image": { "id": "1", "caption": "Look" } })),
        one("audio", json!({ "to": to, "audio": { "id": "2" } })),
        one("hologram", json!({ "to": to })),
        one("reaction", json!({ "to": to, "reaction": { "message_id": WAMID, "emoji": "x" } })),
        one("revoke", json!({ "to": to, "revoke": { "original_message_id": WAMID } })),
        one("edit", json!({ "to": to, "edit": {} })),
        one("text", json!({ "text": { "body": "To whom?" } })),
        { "type": "text" },
    ]));
    let body = envelope(&[told]);
    let read = CARRIER.read_echoes(body.as_bytes());
    let said: Vec<(&str, &str)> =
        read.iter().map(|echo| (echo.to.as_str(), echo.body.as_str())).collect();
    let number = "+16505551234";
    assert_eq!(
        said,
        [
            (number, "STOP"),
            (number, "Hi"),
            ("US.13491208655302741918", "Hi"),
            (number, "Look"),
            (number, ""),
            (number, ""),
        ]
    );
    assert!(read.iter().all(|echo| echo.from == PHONE_NUMBER_ID && echo.sid == WAMID));

    // They are no texts of people and no reports, and what cannot be read of them is counted.
    assert_eq!(texts(&body), Ok(vec![]));
    assert_eq!(CARRIER.read_reports("", body.as_bytes()), Ok(vec![]));
    assert_eq!(CARRIER.unread_parts(body.as_bytes()), 2);
    assert_eq!(texts(&envelope(&[echoes(Value::Null)])), Ok(vec![]));
    assert!(CARRIER.read_echoes(b"{}").is_empty());
}

#[test]
fn a_text_that_says_not_to_whom_it_went_is_counted_and_is_no_request_that_cannot_be_read() {
    let body = envelope(&[echoes(json!([one("text", json!({ "text": { "body": "Hi" } }))]))]);
    assert_eq!(texts(&body), Ok(vec![]));
    assert!(CARRIER.read_echoes(body.as_bytes()).is_empty());
    assert_eq!(CARRIER.unread_parts(body.as_bytes()), 1);
}

#[test]
fn the_id_of_a_person_who_was_written_to_is_told_beside_their_number() {
    let id = "US.13491208655302741918";
    let both = json!({ "to": "16505551234", "to_user_id": id, "text": { "body": "Hi" } });
    let alone = json!({ "to_user_id": id, "text": { "body": "Hi" } });
    let body = envelope(&[echoes(json!([one("text", both), one("text", alone)]))]);
    let read = CARRIER.read_echoes(body.as_bytes());
    let told: Vec<(&str, Option<&str>)> =
        read.iter().map(|echo| (echo.to.as_str(), echo.user_id.as_deref())).collect();
    assert_eq!(told, [("+16505551234", Some(id)), (id, None)]);
}

#[test]
fn a_text_of_the_phone_is_of_the_end_of_the_second_that_meta_names() {
    let at = |timestamp: Value| {
        let mut echo = one("text", json!({ "to": "16505551234", "text": { "body": "Hi" } }));
        echo["timestamp"] = timestamp;
        let read = CARRIER.read_echoes(envelope(&[echoes(json!([echo]))]).as_bytes());
        read.first().expect("it is read, whatever its time is").sent_at
    };
    let named = Timestamp::from_second(1_731_705_722).ok();
    assert_eq!((at("1731705721".into()), at(1_731_705_721.into())), (named, named));
    for none in [Value::Null, "soon".into(), "-1".into(), u64::MAX.into(), json!({})] {
        assert_eq!(at(none.clone()), None, "{none}");
    }
}
