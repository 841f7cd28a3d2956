//! Callbacks of the Cloud API, as every carrier's are asked for: whether they are genuine, how an
//! address is verified, and what they say.

use carriers::{
    Carrier, Incoming, ReceivedText, Reference, ReportedNumbers, ReportedStatus, StatusReport,
    TemplateChange, TemplateNews, WebhookError,
};
use domain::{
    billing::{PriceCategory, PriceNotice},
    carrier_template::ReviewState,
};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::play::{BUSINESS_ACCOUNT, PHONE_NUMBER_ID, WAMID, secret};

const CARRIER: Carrier = Carrier::WhatsappCloud;
const MESSAGE: Uuid = Uuid::from_u128(7);

/// A change of the field `messages` with these lists.
fn change(messages: Value, statuses: Value) -> Value {
    json!({ "field": "messages", "value": {
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID },
        "contacts": [{ "profile": { "name": "Ana" }, "wa_id": "16505551234",
            "user_id": "US.13491208655302741918" }],
        "messages": messages, "statuses": statuses,
    } })
}

fn envelope(changes: Vec<Value>) -> String {
    let entry = json!([{ "id": BUSINESS_ACCOUNT, "changes": changes }]);
    json!({ "object": "whatsapp_business_account", "entry": entry }).to_string()
}

fn status(word: &str, code: Option<u32>) -> Value {
    let mut status = json!({
        "id": WAMID, "status": word, "timestamp": "1750030073", "recipient_id": "16505551234",
        "biz_opaque_callback_data": format!("tenant=acme&message={MESSAGE}"),
        "pricing": { "billable": true, "pricing_model": "PMP", "category": "utility",
            "type": "regular" },
    });
    if let Some(code) = code {
        let title = "words that may change";
        status["errors"] = json!([{ "code": code, "title": title, "message": title }]);
    }
    status
}

fn reports(body: &str) -> Result<Vec<StatusReport>, WebhookError> {
    CARRIER.read_reports("", body.as_bytes())
}

fn texts(body: &str) -> Result<Vec<ReceivedText>, WebhookError> {
    CARRIER.read_texts(body.as_bytes())
}

/// One message of a person, with this kind and content.
fn message(kind: &str, content: Value) -> Value {
    let mut message =
        json!({ "from": "16505551234", "id": WAMID, "timestamp": "1749416383", "type": kind });
    message[kind] = content;
    message
}

fn received(body: &str, num_media: u16) -> ReceivedText {
    ReceivedText {
        sid: WAMID.to_owned(),
        from: "+16505551234".to_owned(),
        user_id: Some("US.13491208655302741918".to_owned()),
        username: None,
        to: PHONE_NUMBER_ID.to_owned(),
        body: body.to_owned(),
        payload: None,
        is_reaction: false,
        num_media,
        media: Vec::new(),
        keyword: None,
        answered: false,
        service: None,
    }
}

#[test]
fn a_status_names_its_message_and_where_it_stands() {
    for (word, code, stands) in [
        ("sent", None, Some(ReportedStatus::Sent)),
        ("delivered", None, Some(ReportedStatus::Delivered)),
        ("read", None, Some(ReportedStatus::Read)),
        ("played", None, Some(ReportedStatus::Read)),
        ("failed", Some(131_026), Some(ReportedStatus::Undelivered(Some(131_026)))),
        ("failed", None, Some(ReportedStatus::Undelivered(None))),
        ("deleted", None, None),
        ("something new", None, None),
    ] {
        let want = stands.map(|status| StatusReport {
            reference: Some(Reference { tenant: "acme".to_owned(), message: MESSAGE }),
            sid: WAMID.to_owned(),
            numbers: ReportedNumbers {
                to: Some("+16505551234".to_owned()),
                from: Some(PHONE_NUMBER_ID.to_owned()),
            },
            status,
            price: Some(PriceNotice {
                is_billed: true,
                category: Some(PriceCategory::Utility),
                is_free_entry: false,
            }),
        });

        let body = envelope(vec![change(Value::Null, json!([status(word, code)]))]);
        assert_eq!(reports(&body), Ok(Vec::from_iter(want)), "{word}");
        assert_eq!(texts(&body), Ok(vec![]), "{word}");
        assert_eq!(CARRIER.unread_parts(body.as_bytes()), 0, "{word}");
    }
}

#[test]
fn a_status_says_what_its_message_is_billed_as_and_one_that_says_nothing_is_read_all_the_same() {
    use PriceCategory::{AuthenticationInternational, Marketing, Service};
    let told = |is_billed, category, is_free_entry| {
        Some(PriceNotice { is_billed, category, is_free_entry })
    };
    for (pricing, want) in [
        (
            json!({ "billable": true, "pricing_model": "PMP", "category": "service",
                "type": "regular" }),
            told(true, Some(Service), false),
        ),
        (
            json!({ "billable": false, "pricing_model": "PMP", "category": "service",
                "type": "free_customer_service" }),
            told(false, Some(Service), false),
        ),
        (
            json!({ "billable": false, "category": "marketing", "type": "free_entry_point" }),
            told(false, Some(Marketing), true),
        ),
        (
            json!({ "category": "authentication_international", "type": "regular" }),
            told(true, Some(AuthenticationInternational), false),
        ),
        (json!({ "billable": true, "category": "something_new" }), told(true, None, false)),
        (json!({ "billable": true, "pricing_model": "CBP", "category": "utility" }), None),
        (json!({ "category": "utility" }), None),
        (json!({ "billable": "yes" }), None),
        (json!("free"), None),
        (Value::Null, None),
    ] {
        let mut status = status("delivered", None);
        status["pricing"] = pricing.clone();
        let found = reports(&envelope(vec![change(Value::Null, json!([status]))])).expect("read");
        assert_eq!((found[0].status, found[0].price), (ReportedStatus::Delivered, want));
    }

    let by_conversation = json!({ "billable": true, "pricing_model": "CBP" });
    for unsaid in [Value::Null, json!("free"), json!({ "category": "utility" }), by_conversation] {
        let mut failed = status("failed", Some(131_026));
        failed["pricing"] = unsaid.clone();
        let found = reports(&envelope(vec![change(Value::Null, json!([failed]))])).expect("read");
        assert_eq!(found[0].price, Some(PriceNotice::NOT_BILLED), "what failed, {unsaid}");
    }
}

#[test]
fn a_status_of_somebody_without_a_number_and_without_our_data_is_read() {
    let mut status = status("delivered", None);
    status["recipient_id"] = Value::Null;
    status["biz_opaque_callback_data"] = "another system's".into();
    let mut beside = change(Value::Null, json!([status]));
    beside["value"]["contacts"][0]["wa_id"] = Value::Null;
    status["recipient_user_id"] = "US.13491208655302741918".into();
    let mut within = change(Value::Null, json!([status]));
    within["value"]["contacts"] = Value::Null;

    for change in [beside, within] {
        let found = reports(&envelope(vec![change])).expect("read");
        assert_eq!(found[0].reference, None);
        assert_eq!(found[0].numbers.to.as_deref(), Some("US.13491208655302741918"));
    }
}

/// A text of words alone.
fn words(body: &str) -> Option<ReceivedText> {
    Some(received(body, 0))
}

/// Words of a button or a row, with what it brings back.
fn chosen(body: &str, payload: &str) -> Option<ReceivedText> {
    Some(ReceivedText { payload: Some(payload.to_owned()), ..received(body, 0) })
}

/// A file, by its id at Meta.
fn file(caption: &str, id: &str) -> Option<ReceivedText> {
    Some(ReceivedText { media: vec![id.to_owned()], ..received(caption, 1) })
}

#[test]
fn every_kind_of_message_is_heard_in_words_and_files() {
    let reply = |kind: &str| json!({ "type": kind, kind: { "id": "y", "title": "Yes" } });
    let long = "x".repeat(257);
    let form =
        json!({ "type": "nfm_reply", "nfm_reply": { "response_json": "{}", "body": "Sent" } });
    let sign = ReceivedText { is_reaction: true, ..received("👍", 0) };
    let place = json!({ "latitude": 1.5, "longitude": 2, "name": "Mill", "address": "River 1" });

    for (kind, content, want) in [
        ("text", json!({ "body": "Señor 😀" }), words("Señor 😀")),
        ("button", json!({ "payload": "p", "text": "Stop" }), chosen("Stop", "p")),
        ("button", json!({ "text": "Stop" }), words("Stop")),
        ("button", json!({ "payload": long, "text": "Stop" }), words("Stop")),
        ("interactive", reply("button_reply"), chosen("Yes", "y")),
        ("interactive", reply("list_reply"), chosen("Yes", "y")),
        ("interactive", form, words("Sent")),
        ("interactive", json!({ "type": "something_new" }), words("")),
        ("reaction", json!({ "message_id": WAMID, "emoji": "👍" }), Some(sign)),
        ("reaction", json!({ "message_id": WAMID }), None),
        ("reaction", json!({ "message_id": WAMID, "emoji": "" }), None),
        ("image", json!({ "id": "1", "caption": "Look" }), file("Look", "1")),
        ("video", json!({ "id": "2", "mime_type": "video/mp4" }), file("", "2")),
        ("audio", json!({ "id": "3", "voice": true }), file("", "3")),
        ("sticker", json!({ "id": "4", "animated": false }), file("", "4")),
        ("document", json!({ "id": "5", "filename": "a.pdf" }), file("", "5")),
        ("document", json!({ "id": "../me", "filename": "a.pdf" }), Some(received("", 1))),
        ("image", Value::Null, Some(received("", 1))),
        ("location", json!({ "latitude": 1.5, "longitude": -2.25 }), words("1.5, -2.25")),
        ("location", place, words("Mill, River 1")),
        ("contacts", json!([{ "name": { "formatted_name": "x" } }]), Some(received("", 1))),
        ("system", json!({ "type": "user_changed_number", "new_wa_id": "1" }), None),
        ("unsupported", json!(null), words("")),
        ("something_new", json!({ "a": 1 }), words("")),
    ] {
        let body = envelope(vec![change(json!([message(kind, content)]), Value::Null)]);
        assert_eq!(texts(&body), Ok(Vec::from_iter(want)), "{kind}");
        assert_eq!(CARRIER.unread_parts(body.as_bytes()), 0, "{kind}");
    }
}

#[test]
fn who_hides_their_number_is_known_by_the_id_beside_the_message() {
    let mut hidden = message("text", json!({ "body": "Hi" }));
    hidden["from"] = Value::Null;
    let mut change = change(json!([hidden]), Value::Null);
    change["value"]["contacts"][0]["wa_id"] = Value::Null;
    let found = texts(&envelope(vec![change])).expect("read");
    assert_eq!(found[0].from, "US.13491208655302741918");
    assert_eq!(found[0].user_id, None, "the id stands once");
}

#[test]
fn a_number_and_the_names_beside_it_are_told_together() {
    let mut change = change(json!([message("text", json!({ "body": "Hi" }))]), Value::Null);
    change["value"]["contacts"][0]["profile"]["username"] = "ana.ruiz".into();
    let found = texts(&envelope(vec![change])).expect("read");
    let ReceivedText { from, user_id, username, .. } = &found[0];
    assert_eq!(from, "+16505551234");
    assert_eq!(user_id.as_deref(), Some("US.13491208655302741918"));
    assert_eq!(username.as_deref(), Some("ana.ruiz"));
}

#[test]
fn entries_and_changes_of_every_kind_are_read_together_and_one_bad_part_loses_no_other() {
    let said = message("text", json!({ "body": "Hi" }));
    let mixed = change(json!([said, { "id": 1 }]), json!([status("read", None), { "status": 1 }]));
    let template = json!({ "field": "message_template_status_update", "value": {
        "event": "APPROVED", "message_template_id": 1, "message_template_name": "x" } });
    let broken = json!({ "field": "messages", "value": { "metadata": 1 } });
    let body = envelope(vec![mixed, template, broken, json!(7)]);

    assert_eq!(texts(&body), Ok(vec![received("Hi", 0)]));
    assert_eq!(reports(&body).map(|found| found.len()), Ok(1));
    assert_eq!(CARRIER.unread_parts(body.as_bytes()), 4);

    let nothing = envelope(vec![json!(7)]);
    assert!(texts(&nothing).is_err() && reports(&nothing).is_err());
    for body in ["", "[]", "{}", "null"] {
        assert_eq!(texts(body), Err(WebhookError::Parameter("entry")), "{body}");
    }
}

#[test]
fn who_stops_marketing_in_whatsapp_itself_is_told() {
    let choice = |value: &str, timestamp: Value| {
        json!({ "wa_id": "16505551234", "detail": "words", "category": "marketing_messages",
            "value": value, "timestamp": timestamp })
    };
    let choices = json!({ "field": "user_preferences", "value": {
        "messaging_product": "whatsapp", "metadata": { "phone_number_id": PHONE_NUMBER_ID },
        "user_preferences": [
            choice("stop", json!(1_731_705_721)), choice("resume", json!(1)), { "value": "stop" },
        ],
    } });
    let body = envelope(vec![choices, change(json!([]), Value::Null)]);
    let stops = CARRIER.read_marketing_stops(body.as_bytes());
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!((stops[0].from.as_str(), stops[0].to.as_str()), ("+16505551234", PHONE_NUMBER_ID));
    assert!(stops[0].name.ends_with(":1731705721"), "a repeat has the same name");

    // It is no text, and nothing of it is lost to those that are.
    assert_eq!(texts(&body), Ok(vec![]));
    assert_eq!(CARRIER.unread_parts(body.as_bytes()), 0);
    assert!(CARRIER.read_marketing_stops(b"{}").is_empty());
}

#[test]
fn what_meta_tells_of_templates_is_read_change_by_change() {
    let about = |field: &str, more: Value| {
        let mut value = json!({ "message_template_id": 594_425_479_261_596_u64,
            "message_template_name": "order", "message_template_language": "en_US" });
        for (name, one) in more.as_object().expect("fields") {
            value[name] = one.clone();
        }
        json!({ "field": field, "value": value })
    };
    let status = "message_template_status_update";
    let told = |told: TemplateChange| TemplateNews {
        name: "order".to_owned(),
        language: "en_US".to_owned(),
        told,
        at: Timestamp::from_second(1_731_705_721).ok(),
    };
    let state = |state, status: &str, reason: Option<&str>| {
        let (status, reason) = (status.to_owned(), reason.map(str::to_owned));
        told(TemplateChange::State { state, status, reason })
    };
    let rejection = json!({ "reason": "It holds a link.", "recommendation": "Remove it." });

    let mut body: Value = serde_json::from_str(&envelope(vec![
        about(status, json!({ "event": "APPROVED", "reason": "NONE" })),
        about(
            status,
            json!({ "event": "REJECTED", "reason": "SCAM", "rejection_info": rejection }),
        ),
        about(status, json!({ "event": "SOMETHING_NEW", "reason": null })),
        about(
            "message_template_quality_update",
            json!({ "previous_quality_score": "GREEN",
            "new_quality_score": "RED" }),
        ),
        about("template_category_update", json!({ "new_category": "MARKETING" })),
        about("template_category_update", json!({ "correct_category": "MARKETING" })),
        about("message_template_components_update", json!({})),
        json!({ "field": status, "value": { "event": "APPROVED" } }),
        json!(7),
    ]))
    .expect("JSON");
    body["entry"][0]["time"] = 1_731_705_721.into();

    let body = body.to_string();
    let news = CARRIER.read_template_news(body.as_bytes());
    let expected = [
        state(ReviewState::Approved, "APPROVED", None),
        state(ReviewState::Rejected, "REJECTED", Some("SCAM: It holds a link.")),
        state(ReviewState::Other, "SOMETHING_NEW", None),
        told(TemplateChange::Quality("red".to_owned())),
        told(TemplateChange::Category("marketing".to_owned())),
    ];
    assert_eq!(news, expected);

    // It is about nobody's messages, and is told without a time that can be read all the same.
    assert_eq!(texts(&body), Ok(vec![]));
    let bare = envelope(vec![about(status, json!({ "event": "PAUSED" }))]);
    assert_eq!(CARRIER.read_template_news(bare.as_bytes())[0].at, None);
    let odd = body.replace("1731705721", r#""yesterday""#);
    assert_eq!(CARRIER.read_template_news(odd.as_bytes())[4].at, None);
    for nothing in ["", "{}", "[]", r#"{"entry": [{"time": "x"}]}"#] {
        assert!(CARRIER.read_template_news(nothing.as_bytes()).is_empty(), "{nothing}");
    }
}

/// What Meta signs: an escaped form, to the byte.
const SIGNED: &str = concat!(
    r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":"#,
    r#"{"text":"Se\u00f1or \ud83d\ude00 https:\/\/x.test"},"field":"messages"}]}]}"#,
);

/// The HMAC-SHA256 of it under the app secret below, by another implementation.
const SIGNATURE: &str = "sha256=175e7ff45f5cc9b5162d411fa35eaaae95025ac826b3b5725e7aa0ed13b038ae";

const APP_SECRET: &str = "0123456789abcdef0123456789abcdef";

fn genuine(account_secrets: &[&str], signature: Option<&str>, body: &str) -> bool {
    let secrets: Vec<_> = account_secrets.iter().map(|text| secret(text)).collect();
    let mut headers = HeaderMap::new();
    if let Some(signature) = signature {
        let value = HeaderValue::from_str(signature).expect("a header");
        headers.insert("x-hub-signature-256", value);
    }
    let request = Incoming { url: "https://x.test/w", headers: &headers, body: body.as_bytes() };
    CARRIER.is_genuine(&secrets, &request)
}

#[test]
fn a_callback_is_genuine_with_the_app_secret_alone() {
    let mine = format!("token:{APP_SECRET}:word");
    let old = "token:another:word";
    assert!(genuine(&[&mine], Some(SIGNATURE), SIGNED));
    assert!(genuine(&[old, &mine], Some(SIGNATURE), SIGNED), "while one replaces another");

    let as_token = format!("{APP_SECRET}:x:word");
    for (label, account_secret, signature, body) in [
        ("another secret", old, Some(SIGNATURE), SIGNED),
        ("the secret in another place", as_token.as_str(), Some(SIGNATURE), SIGNED),
        ("no signature", mine.as_str(), None, SIGNED),
        ("no scheme", mine.as_str(), SIGNATURE.strip_prefix("sha256="), SIGNED),
        ("an empty one", mine.as_str(), Some("sha256="), SIGNED),
        ("another body", mine.as_str(), Some(SIGNATURE), "{}"),
        ("a secret of no parts", APP_SECRET, Some(SIGNATURE), SIGNED),
    ] {
        assert!(!genuine(&[account_secret], signature, body), "{label}");
    }
    assert!(!genuine(&[], Some(SIGNATURE), SIGNED));
}

#[test]
fn an_address_is_verified_by_the_accounts_own_word() {
    let secrets = [secret("t:s:old-word"), secret("t:s:my word+1".replace(' ', "-").as_str())];
    let answer = |query: &str| CARRIER.handshake(&secrets, query);
    let asked = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=my-word%2B1";
    assert_eq!(answer(asked).as_deref(), Some("1158201444"));

    for query in [
        "",
        "hub.mode=subscribe&hub.challenge=1",
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=my-word%2B1",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=s",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
        "hub.mode=subscribe&hub.challenge=&hub.verify_token=my-word%2B1",
        "hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token=my-word%2B1",
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=x&hub.verify_token=my-word%2B1",
    ] {
        assert_eq!(answer(query), None, "{query}");
    }
    assert_eq!(Carrier::Twilio.handshake(&secrets, asked), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_read_or_refused(body in ".{0,200}", query in ".{0,80}") {
        for body in [body.clone(), envelope(vec![json!(body)])] {
            if let Ok(found) = texts(&body) {
                prop_assert!(found.iter().all(|text| !text.sid.is_empty()));
            }
            let _ = reports(&body);
        }
        prop_assert_eq!(CARRIER.handshake(&[secret("t:s:v")], &query), None);
    }
}
