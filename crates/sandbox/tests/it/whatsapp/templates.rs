//! Templates of WhatsApp as their callers see them: made, judged, sent with values, deleted.

use reqwest::Method;
use serde_json::json;

use super::{BUSINESS, NUMBER, business, call, code, create_template, review, send, told};
use crate::support::World;

#[tokio::test]
async fn a_template_is_reviewed_by_hand_judged_by_people_and_told_of() {
    let world = World::new().await;
    let settings = json!({
        "access_token": "token", "app_secret": "secret", "numbers": [NUMBER],
        "callback_url": world.receiver.url("wa"), "review": "by_hand",
    });
    world.put(&format!("businesses/{BUSINESS}"), settings).await;
    world.faults(json!({})).await;
    let made = create_template(&world, "plain", "Hello.").await;
    assert_eq!(made.body["status"], "PENDING");
    let plain = || json!({ "name": "plain", "language": { "code": "en_US" } });
    assert_eq!(code(&send(&world, "template", plain(), "t").await), (404, 132_001));

    let rejected = review(&world, "plain", json!({ "status": "REJECTED", "reason": "SCAM" })).await;
    assert_eq!((rejected.status, &rejected.body["callbacks"]), (200, &json!(1)));
    let approved = json!({ "status": "APPROVED", "reason": "NONE", "quality": "YELLOW",
        "category": "MARKETING" });
    assert_eq!(review(&world, "plain", approved).await.body["callbacks"], 3);
    let hits = world.receiver.wait(4).await;
    let (field, value) = told(&hits[0]);
    assert_eq!(field, "message_template_status_update");
    assert_eq!((&value["event"], &value["reason"]), (&json!("REJECTED"), &json!("SCAM")));
    assert_eq!(value["message_template_name"], "plain");
    let mut fields: Vec<String> = hits[1..].iter().map(|hit| told(hit).0).collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "message_template_quality_update",
            "message_template_status_update",
            "template_category_update",
        ]
    );
    assert_eq!(send(&world, "template", plain(), "t").await.status, 200);

    // What is paused or disabled is refused with a code of its own; nobody is told unless asked.
    for (status, refused) in [("PAUSED", 132_015), ("DISABLED", 132_016)] {
        let quiet = json!({ "status": status, "told": false });
        assert_eq!(review(&world, "plain", quiet).await.body["callbacks"], 0);
        assert_eq!(code(&send(&world, "template", plain(), "t").await), (400, refused));
    }
    assert_eq!(review(&world, "other", json!({})).await.status, 404);
    assert_eq!(review(&world, "plain", json!({ "colour": 1 })).await.status, 422);

    let list = call(&world, Method::GET, &format!("{BUSINESS}/message_templates"), None).await;
    let listed = &list.body["data"][0];
    assert_eq!((&listed["status"], &listed["category"]), (&json!("DISABLED"), &json!("MARKETING")));
}

#[tokio::test]
async fn templates_with_headers_and_pages_need_their_values_and_are_deleted_by_id() {
    let world = World::new().await;
    business(&world).await;
    world.faults(json!({})).await;
    let new = json!({
        "name": "picture", "language": "en_US", "category": "MARKETING",
        "components": [
            { "type": "HEADER", "format": "IMAGE", "example": { "header_handle": ["4::aW"] } },
            { "type": "BODY", "text": "Look." },
            { "type": "BUTTONS", "buttons": [
                { "type": "QUICK_REPLY", "text": "Thanks" },
                { "type": "URL", "text": "More", "url": "https://example.com/{{1}}" },
            ] },
        ],
    });
    let path = format!("{BUSINESS}/message_templates");
    let made = call(&world, Method::POST, &path, Some(&new)).await;
    assert_eq!(made.status, 200, "{}", made.body);
    for text in ["{{1}} is here", "Hello {{1}}", "Hello {{1}} {{2}}."] {
        assert_eq!(code(&create_template(&world, "edge", text).await), (400, 100), "{text}");
    }

    let header = json!({ "type": "header", "parameters": [
        { "type": "image", "image": { "link": "https://example.com/a.png" } }] });
    let page = json!({ "type": "button", "sub_type": "url", "index": "1",
        "parameters": [{ "type": "text", "text": "417" }] });
    for (components, answered) in [
        (json!([header, page]), (200, 0)),
        (json!([page]), (400, 132_012)),
        (json!([header]), (400, 132_000)),
    ] {
        let template = json!({ "name": "picture", "language": { "code": "en_US" },
            "components": components });
        assert_eq!(code(&send(&world, "template", template, "t").await), answered);
    }

    let other = format!("{path}?name=picture&hsm_id=1");
    let gone = call(&world, Method::DELETE, &other, None).await;
    assert_eq!(code(&gone), (400, 100));
    assert_eq!(gone.body["error"]["error_subcode"], 2_593_002);
    let own = format!("{path}?name=picture&hsm_id={}", made.body["id"].as_str().unwrap());
    assert_eq!(call(&world, Method::DELETE, &own, None).await.body["success"], true);
    assert_eq!(call(&world, Method::GET, &path, None).await.body["data"], json!([]));
}
