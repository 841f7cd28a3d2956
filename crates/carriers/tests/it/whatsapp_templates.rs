//! Templates of an account at Meta: what is asked, and what is read of the answers.

use carriers::{CarrierTemplateError, Doubt, NewCarrierTemplate};
use domain::carrier_template::{
    KeptTemplate, ReviewState, TemplateBody, TemplateButton, TemplateComponents, TemplateHeader,
};
use serde_json::{Value, json};

use crate::play::{BUSINESS_ACCOUNT, Played, Server, whatsapp};

fn path() -> String {
    format!("/v21.0/{BUSINESS_ACCOUNT}/message_templates")
}

fn new(components: &TemplateComponents) -> NewCarrierTemplate<'_> {
    NewCarrierTemplate { name: "order_shipped", language: "en_US", category: "utility", components }
}

/// A text of one variable, with examples of it.
fn body(examples: &[&str]) -> TemplateComponents {
    let text = "Hello {{1}}, it is on its way.".to_owned();
    let examples = examples.iter().map(|value| (*value).to_owned()).collect();
    TemplateComponents { body: TemplateBody { text, examples }, ..TemplateComponents::default() }
}

fn button(kind: &str, text: Option<&str>) -> TemplateButton {
    let (kind, text) = (kind.to_owned(), text.map(str::to_owned));
    TemplateButton { kind, text, url: None, phone_number: None, example: None }
}

/// A template with one of each component.
fn whole() -> TemplateComponents {
    let header = TemplateHeader {
        format: "image".to_owned(),
        text: None,
        example: Some("4::aW".to_owned()),
    };

    TemplateComponents {
        header: Some(header),
        footer: Some("Acme".to_owned()),
        buttons: vec![
            button("quick_reply", Some("Thanks")),
            TemplateButton {
                url: Some("https://example.com/{{1}}".to_owned()),
                example: Some("https://example.com/417".to_owned()),
                ..button("url", Some("Follow it"))
            },
            TemplateButton {
                phone_number: Some("+12125550123".to_owned()),
                ..button("phone_number", Some("Call"))
            },
            TemplateButton { example: Some("SPRING".to_owned()), ..button("copy_code", None) },
        ],
        ..body(&["Ana"])
    }
}

/// The same as Meta writes it.
fn whole_at_meta() -> Value {
    json!([
        { "type": "HEADER", "format": "IMAGE", "example": { "header_handle": ["4::aW"] } },
        {
            "type": "BODY", "text": "Hello {{1}}, it is on its way.",
            "example": { "body_text": [["Ana"]] },
        },
        { "type": "FOOTER", "text": "Acme" },
        { "type": "BUTTONS", "buttons": [
            { "type": "QUICK_REPLY", "text": "Thanks" },
            {
                "type": "URL", "text": "Follow it", "url": "https://example.com/{{1}}",
                "example": ["https://example.com/417"],
            },
            { "type": "PHONE_NUMBER", "text": "Call", "phone_number": "+12125550123" },
            { "type": "COPY_CODE", "example": "SPRING" },
        ] },
    ])
}

fn state() -> KeptTemplate {
    KeptTemplate {
        id: "594425479261596".to_owned(),
        name: "order_shipped".to_owned(),
        language: "en_US".to_owned(),
        category: "marketing".to_owned(),
        state: ReviewState::Pending,
        status: "PENDING".to_owned(),
        quality: "unknown".to_owned(),
        reason: None,
        components: body(&["Ana"]),
    }
}

#[tokio::test]
async fn a_template_is_given_to_review_with_examples_and_begins_as_meta_says() {
    let reply = json!({ "id": "594425479261596", "status": "PENDING", "category": "MARKETING" });
    let server = Server::playing([Played::new(200, &reply.to_string())]).await;
    let made = whatsapp(&server.url).create_template(&new(&body(&["Ana"]))).await;
    assert_eq!(made, Ok(state()), "Meta may choose another category");

    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("POST", path().as_str()));
    assert_eq!(seen.header("authorization"), Some("Bearer token1"));
    let body: Value = serde_json::from_slice(&seen.body).expect("JSON");
    let want = json!({
        "name": "order_shipped", "language": "en_US", "category": "UTILITY",
        "parameter_format": "POSITIONAL",
        "components": [{
            "type": "BODY", "text": "Hello {{1}}, it is on its way.",
            "example": { "body_text": [["Ana"]] },
        }],
    });
    assert_eq!(body, want);
}

#[tokio::test]
async fn every_component_is_written_and_read_as_meta_has_it() {
    let created = json!({ "id": "594425479261596", "status": "PENDING" });
    let listed = json!({ "data": [{
        "id": "594425479261596", "name": "order_shipped", "language": "en_US",
        "category": "UTILITY", "status": "REJECTED", "rejected_reason": "TAG_CONTENT_MISMATCH",
        "components": whole_at_meta(),
    }] });
    let replies = [created, listed].map(|reply| Played::new(200, &reply.to_string()));
    let server = Server::playing(replies).await;
    let client = whatsapp(&server.url);
    client.create_template(&new(&whole())).await.expect("made");
    let listed = client.templates().await.expect("a list");

    let sent: Value = serde_json::from_slice(&server.seen()[0].body).expect("JSON");
    assert_eq!(sent["components"], whole_at_meta());
    let rejected = KeptTemplate {
        category: "utility".to_owned(),
        state: ReviewState::Rejected,
        status: "REJECTED".to_owned(),
        reason: Some("TAG_CONTENT_MISMATCH".to_owned()),
        components: whole(),
        ..state()
    };
    assert_eq!(listed, [rejected]);
}

#[tokio::test]
async fn metas_words_for_a_review_are_read_and_unknown_ones_are_no_refusal() {
    let words = ["APPROVED", "IN_APPEAL", "LIMIT_EXCEEDED", "ARCHIVED", "FLAGGED", "NEW_WORD"];
    let listed = words.map(|status| {
        json!({ "id": "5944", "name": "a", "language": "en", "category": "UTILITY",
            "status": status })
    });
    let reply = json!({ "data": listed });
    let server = Server::playing([Played::new(200, &reply.to_string())]).await;
    let states: Vec<ReviewState> = whatsapp(&server.url)
        .templates()
        .await
        .expect("a list")
        .into_iter()
        .map(|template| template.state)
        .collect();
    let known =
        [ReviewState::Approved, ReviewState::Pending, ReviewState::Paused, ReviewState::Disabled];
    assert_eq!((&states[..4], &states[4..]), (&known[..], &[ReviewState::Other; 2][..]));
}

#[tokio::test]
async fn a_template_is_deleted_by_name_and_id_and_one_that_is_gone_is_deleted() {
    let done = Played::new(200, r#"{"success": true}"#);
    let gone = json!({ "error": { "message": "x", "code": 100, "error_subcode": 2_593_002 } });
    let wrong = json!({ "error": { "message": "No.", "code": 100 } });
    let busy = json!({ "error": { "message": "x", "code": 80_007 } });
    let refusals = [gone, wrong, busy].map(|error| Played::new(400, &error.to_string()));
    let server = Server::playing([done].into_iter().chain(refusals)).await;
    let client = whatsapp(&server.url);

    assert_eq!(client.delete_template("order_shipped", "5944").await, Ok(()));
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.uri.path()), ("DELETE", path().as_str()));
    assert_eq!(seen.uri.query(), Some("name=order_shipped&hsm_id=5944"));
    assert_eq!(client.delete_template("order_shipped", "5944").await, Ok(()));

    let words = "No.".to_owned();
    let refused = Err(CarrierTemplateError::Refused { code: 100, words });
    assert_eq!(client.delete_template("order_shipped", "5944").await, refused);
    let busy = Err(CarrierTemplateError::Throttled { code: 80_007 });
    assert_eq!(client.delete_template("order_shipped", "5944").await, busy);
}

#[tokio::test]
async fn all_pages_of_templates_are_read() {
    let listed = |id: &str, quality: Option<&str>| {
        json!({
            "id": id, "name": "order_shipped", "language": "en_US", "category": "MARKETING",
            "status": "PENDING", "quality_score": quality.map(|score| json!({ "score": score })),
            "rejected_reason": "NONE",
            "components": [{ "type": "HEADER", "format": "TEXT", "text": "x" },
                { "type": "BODY", "text": "Hello {{1}}, it is on its way." }],
        })
    };
    let first = json!({
        "data": [listed("594425479261596", None)],
        "paging": { "cursors": { "before": "A", "after": "B=" }, "next": "https://x.test/next" },
    });
    let last = json!({
        "data": [listed("594425479261597", Some("GREEN"))],
        "paging": { "cursors": { "before": "A", "after": "C" } },
    });
    let pages = [first, last].map(|page| Played::new(200, &page.to_string()));
    let server = Server::playing(pages).await;

    let text = Some("x".to_owned());
    let header = TemplateHeader { format: "text".to_owned(), text, example: None };
    let components = TemplateComponents { header: Some(header), ..body(&[]) };
    let first = KeptTemplate { components, ..state() };
    let second = KeptTemplate {
        id: "594425479261597".to_owned(),
        quality: "green".to_owned(),
        ..first.clone()
    };
    assert_eq!(whatsapp(&server.url).templates().await, Ok(vec![first, second]));
    let asked: Vec<String> =
        server.seen().iter().map(|seen| seen.uri.query().unwrap_or_default().to_owned()).collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].ends_with("&limit=100") && asked[1].ends_with("&limit=100&after=B%3D"));

    // A next page that cannot be asked for leaves the list without an end.
    let endless = json!({ "data": [], "paging": { "next": "https://x.test/next" } });
    let server = Server::playing([Played::new(200, &endless.to_string())]).await;
    let why = CarrierTemplateError::Unavailable(Doubt::Unreadable { status: 200 });
    assert_eq!(whatsapp(&server.url).templates().await, Err(why));
}

#[tokio::test]
async fn a_refusal_is_told_in_metas_words_for_the_user() {
    let error = json!({ "error": {
        "message": "Invalid parameter", "code": 100, "error_subcode": 2_388_293,
        "error_user_title": "x", "error_user_msg": "Too many variables for its length.",
    } });
    let server = Server::playing([Played::new(400, &error.to_string())]).await;
    let refused = whatsapp(&server.url).create_template(&new(&body(&[]))).await;
    let words = "Too many variables for its length.".to_owned();
    assert_eq!(refused, Err(CarrierTemplateError::Refused { code: 100, words }));

    let server = Server::playing([Played::new(502, "<html>")]).await;
    let why = Doubt::Unreadable { status: 502 };
    assert_eq!(
        whatsapp(&server.url).templates().await,
        Err(CarrierTemplateError::Unavailable(why))
    );
}
