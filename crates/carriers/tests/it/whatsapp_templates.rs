//! Templates of an account at Meta: what is asked, and what is read of the answers.

use carriers::{
    Doubt,
    whatsapp::{CarrierTemplateError, CarrierTemplateState, NewCarrierTemplate},
};
use serde_json::{Value, json};

use crate::play::{BUSINESS_ACCOUNT, Played, Server, whatsapp};

fn path() -> String {
    format!("/v21.0/{BUSINESS_ACCOUNT}/message_templates")
}

fn new<'a>(examples: &'a [String]) -> NewCarrierTemplate<'a> {
    NewCarrierTemplate {
        name: "order_shipped",
        language: "en_US",
        category: "UTILITY",
        body: "Hello {{1}}, it is on its way.",
        examples,
    }
}

fn state() -> CarrierTemplateState {
    CarrierTemplateState {
        id: "594425479261596".to_owned(),
        name: "order_shipped".to_owned(),
        language: "en_US".to_owned(),
        category: "MARKETING".to_owned(),
        status: "PENDING".to_owned(),
        quality: "UNKNOWN".to_owned(),
        rejected_reason: None,
        body: Some("Hello {{1}}, it is on its way.".to_owned()),
    }
}

#[tokio::test]
async fn a_template_is_given_to_review_with_examples_and_begins_as_meta_says() {
    let reply = json!({ "id": "594425479261596", "status": "PENDING", "category": "MARKETING" });
    let server = Server::playing([Played::new(200, &reply.to_string())]).await;
    let examples = ["Ana".to_owned()];
    let made = whatsapp(&server.url).create_template(&new(&examples)).await;
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

    let second = CarrierTemplateState {
        id: "594425479261597".to_owned(),
        quality: "GREEN".to_owned(),
        ..state()
    };
    assert_eq!(whatsapp(&server.url).templates().await, Ok(vec![state(), second]));
    let asked: Vec<String> =
        server.seen().iter().map(|seen| seen.uri.query().unwrap_or_default().to_owned()).collect();
    assert_eq!(asked.len(), 2);
    assert!(asked[0].ends_with("&limit=100") && asked[1].ends_with("&limit=100&after=B%3D"));
}

#[tokio::test]
async fn a_refusal_is_told_in_metas_words_for_the_user() {
    let error = json!({ "error": {
        "message": "Invalid parameter", "code": 100, "error_subcode": 2_388_293,
        "error_user_title": "x", "error_user_msg": "Too many variables for its length.",
    } });
    let server = Server::playing([Played::new(400, &error.to_string())]).await;
    let refused = whatsapp(&server.url).create_template(&new(&[])).await;
    let words = "Too many variables for its length.".to_owned();
    assert_eq!(refused, Err(CarrierTemplateError::Refused { code: 100, words }));

    let server = Server::playing([Played::new(502, "<html>")]).await;
    let why = Doubt::Unreadable { status: 502 };
    assert_eq!(
        whatsapp(&server.url).templates().await,
        Err(CarrierTemplateError::Unavailable(why))
    );
}
