//! What each send through the Cloud API puts on the wire: a labelled table of whole requests.

use carriers::{
    CarrierReply, Outbound, Reference, Refusal, SetupError,
    whatsapp::{BASE_URL, Client, MessageContent, Recipient, VERSION, WhatsappMessage},
};
use domain::draft::{
    ButtonKind, ButtonValue, CarrierTemplate, FileKind, HeaderValue, ListRow, ReplyButton,
    RichContent,
};
use serde_json::{Value, json};

use crate::play::{
    BUSINESS_ACCOUNT, PHONE_NUMBER_ID, Played, Seen, Server, WAMID, secret, to_number, whatsapp,
};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn sent(message: WhatsappMessage<'_>) -> Seen {
    let reply = json!({ "messaging_product": "whatsapp", "messages": [{ "id": WAMID }] });
    let server = Server::playing([Played::new(200, &reply.to_string())]).await;
    whatsapp(&server.url).send(&message).await;
    server.seen().remove(0)
}

fn template(parameters: &[&str]) -> CarrierTemplate {
    let parameters: Vec<String> = parameters.iter().map(|text| (*text).to_owned()).collect();
    CarrierTemplate::new("order_shipped", "en_US", &parameters).expect("right")
}

/// The body of a message of this type to the number of [`to_number`].
fn body(kind: &str, object: Value) -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "16505551234",
        "type": kind, "biz_opaque_callback_data": "t", kind: object,
    })
}

fn button(id: &str, title: &str) -> ReplyButton {
    ReplyButton { id: id.to_owned(), title: title.to_owned() }
}

fn row(id: &str, title: &str, description: Option<&str>) -> ListRow {
    let description = description.map(str::to_owned);
    ListRow { id: id.to_owned(), title: title.to_owned(), description }
}

/// Sends each, and compares the whole request.
async fn check<'a>(cases: impl IntoIterator<Item = (&'a str, MessageContent<'a>, Value)>) {
    let path = format!("/{VERSION}/{PHONE_NUMBER_ID}/messages");
    for (label, content, want) in cases {
        let seen = sent(to_number(content)).await;
        assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", path.as_str()), "{label}");
        assert_eq!(seen.uri.query(), None, "{label}");
        assert_eq!(seen.header("authorization"), Some("Bearer token1"), "{label}");
        assert_eq!(seen.header("content-type"), Some("application/json"), "{label}");
        assert_eq!(seen.header("accept"), Some("application/json"), "{label}");
        let found: Value = serde_json::from_slice(&seen.body).expect("JSON");
        assert_eq!(found, want, "{label}");
    }
}

#[tokio::test]
async fn what_headers_and_buttons_of_templates_need_is_sent_as_the_documents_say() {
    let button = |index, kind, value: &str| ButtonValue { index, kind, value: value.to_owned() };
    let buttons = [
        button(0, ButtonKind::QuickReply, "yes-417"),
        button(1, ButtonKind::Url, "417"),
        button(2, ButtonKind::CopyCode, "SPRING"),
    ];
    let link = || "https://example.com/a".to_owned();
    let with = |header: HeaderValue| {
        let whole = CarrierTemplate {
            header: Some(header),
            buttons: buttons.to_vec(),
            ..template(&["Ana"])
        };
        whole.checked().expect("right")
    };
    let of_media = |kind: &str| json!({ "type": kind, kind: { "link": "https://example.com/a" } });

    let cases = [
        (
            "a text",
            with(HeaderValue::Text("417".to_owned())),
            json!({ "type": "text", "text": "417" }),
        ),
        ("an image", with(HeaderValue::Image(link())), of_media("image")),
        ("a video", with(HeaderValue::Video(link())), of_media("video")),
        ("a document", with(HeaderValue::Document(link())), of_media("document")),
    ];
    check(cases.iter().map(|(label, template, header)| {
        let want = json!({
            "name": "order_shipped", "language": { "code": "en_US" },
            "components": [
                { "type": "header", "parameters": [header] },
                { "type": "body", "parameters": [{ "type": "text", "text": "Ana" }] },
                { "type": "button", "sub_type": "quick_reply", "index": "0",
                    "parameters": [{ "type": "payload", "payload": "yes-417" }] },
                { "type": "button", "sub_type": "url", "index": "1",
                    "parameters": [{ "type": "text", "text": "417" }] },
                { "type": "button", "sub_type": "copy_code", "index": "2",
                    "parameters": [{ "type": "coupon_code", "coupon_code": "SPRING" }] },
            ],
        });
        (*label, MessageContent::Template(template), body("template", want))
    }))
    .await;
}

#[tokio::test]
async fn texts_and_templates_are_the_requests_of_the_documents() {
    let (plain, filled) = (template(&[]), template(&["Ana", "12 High\n\tStreet"]));

    check([
        (
            "a text of characters of every kind",
            MessageContent::Text("Señor 😀 \"& co\"\n"),
            body("text", json!({ "body": "Señor 😀 \"& co\"\n", "preview_url": false })),
        ),
        (
            "a template without parameters",
            MessageContent::Template(&plain),
            body("template", json!({ "name": "order_shipped", "language": { "code": "en_US" } })),
        ),
        (
            "a template with parameters, on one line each",
            MessageContent::Template(&filled),
            body(
                "template",
                json!({
                    "name": "order_shipped", "language": { "code": "en_US" },
                    "components": [{ "type": "body", "parameters": [
                        { "type": "text", "text": "Ana" },
                        { "type": "text", "text": "12 High Street" },
                    ] }],
                }),
            ),
        ),
    ])
    .await;
}

#[tokio::test]
async fn files_are_the_requests_of_the_documents() {
    let link = "https://x.test/a.pdf";
    let media = |kind, caption, filename| MessageContent::Media { kind, link, caption, filename };

    check([
        (
            "an image with words",
            media(FileKind::Image, Some("Look"), None),
            body("image", json!({ "link": link, "caption": "Look" })),
        ),
        (
            "a document with a name",
            media(FileKind::Document, Some("Yours"), Some("bill.pdf")),
            body("document", json!({ "link": link, "caption": "Yours", "filename": "bill.pdf" })),
        ),
        ("a video", media(FileKind::Video, None, None), body("video", json!({ "link": link }))),
        ("a sound", media(FileKind::Audio, None, None), body("audio", json!({ "link": link }))),
        (
            "a sticker",
            media(FileKind::Sticker, None, None),
            body("sticker", json!({ "link": link })),
        ),
    ])
    .await;
}

#[tokio::test]
async fn questions_and_reactions_are_the_requests_of_the_documents() {
    let buttons = [button("y", "Yes"), button("n", "No")];
    let rows = [row("1", "Monday", None), row("2", "Tuesday", Some("Afternoon"))];

    check([
        (
            "buttons",
            MessageContent::Buttons { body: "Come?", buttons: &buttons },
            body(
                "interactive",
                json!({
                    "type": "button", "body": { "text": "Come?" },
                    "action": { "buttons": [
                        { "type": "reply", "reply": { "id": "y", "title": "Yes" } },
                        { "type": "reply", "reply": { "id": "n", "title": "No" } },
                    ] },
                }),
            ),
        ),
        (
            "a list",
            MessageContent::List { body: "When?", button: "Days", rows: &rows },
            body(
                "interactive",
                json!({
                    "type": "list", "body": { "text": "When?" },
                    "action": { "button": "Days", "sections": [{ "rows": [
                        { "id": "1", "title": "Monday" },
                        { "id": "2", "title": "Tuesday", "description": "Afternoon" },
                    ] }] },
                }),
            ),
        ),
        (
            "a reaction",
            MessageContent::Reaction { message_id: WAMID, emoji: "👍" },
            body("reaction", json!({ "message_id": WAMID, "emoji": "👍" })),
        ),
    ])
    .await;
}

/// What a message in the form of all carriers puts on the wire: its type and the object of it.
async fn object(body: &str, media: &[String], rich: Option<&RichContent>) -> (String, Value) {
    let reply = json!({ "messaging_product": "whatsapp", "messages": [{ "id": WAMID }] });
    let server = Server::playing([Played::new(200, &reply.to_string())]).await;
    let reference = Reference { tenant: "acme".to_owned(), message: uuid::Uuid::nil() };
    let outbound = Outbound {
        to: "+16505551234",
        from: PHONE_NUMBER_ID,
        body,
        media,
        template: None,
        rich,
        reference: &reference,
        public_url: "https://sms.example.com",
        account: "wa",
        validity_seconds: None,
        expires_at: None,
        traceparent: None,
    };
    let client = carriers::account::Client::WhatsappCloud(whatsapp(&server.url));
    let answer = client.send(&outbound).await;
    assert!(matches!(answer, CarrierReply::Accepted { .. }), "{answer:?}");

    let seen = server.seen().remove(0);
    let found: Value = serde_json::from_slice(&seen.body).expect("JSON");
    let tag = "tenant=acme&message=00000000-0000-0000-0000-000000000000";
    assert_eq!(found["biz_opaque_callback_data"], tag);
    let kind = found["type"].as_str().expect("a type").to_owned();
    (kind.clone(), found[&kind].clone())
}

#[tokio::test]
async fn what_goes_with_a_text_decides_its_type() {
    let file = |kind, name| RichContent::file(kind, name).expect("right");
    let link = ["https://x.test/a.jpg".to_owned()];

    let cases = [
        ("nothing", "Hi", &[][..], None, "text"),
        ("media of which nothing is said", "Look", &link[..], None, "image"),
        ("a file", "Look", &link[..], Some(file(FileKind::Document, Some("a.jpg"))), "document"),
        (
            "a file without a caption",
            "Look",
            &link[..],
            Some(file(FileKind::Sticker, None)),
            "sticker",
        ),
        (
            "a file whose media are not there",
            "Look",
            &[][..],
            Some(file(FileKind::Image, None)),
            "text",
        ),
        (
            "buttons",
            "Come?",
            &[][..],
            RichContent::buttons(vec![button("y", "Yes")]).ok(),
            "interactive",
        ),
        (
            "a list",
            "When?",
            &[][..],
            RichContent::list("Days", vec![row("1", "Monday", None)]).ok(),
            "interactive",
        ),
        ("a reaction", "👍", &[][..], RichContent::reaction(WAMID, "👍").ok(), "reaction"),
    ];
    for (label, body, media, rich, want) in cases {
        let (kind, object) = object(body, media, rich.as_ref()).await;
        assert_eq!(kind, want, "{label}");
        match want {
            "image" => assert_eq!(object, json!({ "link": link[0], "caption": "Look" }), "{label}"),
            "sticker" => assert_eq!(object, json!({ "link": link[0] }), "{label}"),
            "document" => assert_eq!(object["filename"], "a.jpg", "{label}"),
            "interactive" => assert_eq!(object["body"]["text"], body, "{label}"),
            "reaction" => assert_eq!(object["message_id"], WAMID, "{label}"),
            _ => assert_eq!(object["body"], body, "{label}"),
        }
    }
}

#[tokio::test]
async fn somebody_without_a_number_is_named_by_their_id() {
    let to = Recipient::of("US.13491208655302741918");
    let seen = sent(WhatsappMessage { to, ..to_number(MessageContent::Text("Hi")) }).await;
    let found: Value = serde_json::from_slice(&seen.body).expect("JSON");
    assert_eq!(found["recipient"], "US.13491208655302741918");
    assert_eq!(found.get("to"), None);
}

#[tokio::test]
async fn a_trace_is_passed_on_where_a_header_can_carry_it() {
    for (trace, passed_on) in [(TRACE, Some(TRACE)), ("00-\r\nx-evil: 1", None)] {
        let traceparent = Some(trace);
        let seen =
            sent(WhatsappMessage { traceparent, ..to_number(MessageContent::Text("Hi")) }).await;
        assert_eq!(seen.header("traceparent"), passed_on);
        assert_eq!(seen.header("x-evil"), None);
    }
}

#[tokio::test]
async fn a_sender_that_is_no_id_is_refused_without_a_call() {
    let server = Server::playing([Played::new(200, "{}")]).await;
    for from in ["+12125550199", "", "../me", "1065403522429221065403"] {
        let message = WhatsappMessage { from, ..to_number(MessageContent::Text("Hi")) };
        let answer = whatsapp(&server.url).send(&message).await;
        assert_eq!(answer, CarrierReply::Refused { code: 100, reason: Refusal::Sender }, "{from}");
    }
    assert!(server.seen().is_empty());
}

#[test]
fn unusable_settings_are_named() {
    let new = |url: &str, id: &str, token: &str| {
        let http = carriers::http::client().expect("TLS is set up");
        Client::new(http, url, id, &secret(token)).map(|_| ())
    };
    assert_eq!(new(BASE_URL, BUSINESS_ACCOUNT, "t:s:v"), Ok(()));
    assert_eq!(new("graph.facebook.com", BUSINESS_ACCOUNT, "t:s:v"), Err(SetupError::BaseUrl));
    for id in ["", "1234", "10229012934039810229012", "AC1", "10229/012"] {
        assert_eq!(new(BASE_URL, id, "t:s:v"), Err(SetupError::BusinessAccount), "{id}");
    }
    for token in ["", "t", "t:s", "t::v", ":s:v", "t:s:", "t:s:v:x", "t:s:v\n"] {
        let refused = new(BASE_URL, BUSINESS_ACCOUNT, token);
        assert_eq!(refused, Err(SetupError::TokenSecretVerify), "{token}");
    }
}
