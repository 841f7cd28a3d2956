//! The character U+0000, which Postgres cannot store: whoever sends it is told where.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::World;

#[tokio::test]
async fn a_body_with_a_character_that_cannot_be_stored_is_refused_by_its_field() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let text = |body: &str| json!({ "to": "+12125550100", "class": "promo", "body": body });
    let mut tagged = text("hi");
    tagged["metadata"] = json!({ "order": "1\0" });
    let person = json!({ "phone": "+12125550100" });
    let with = |name: &str, value: Value| {
        let mut person = person.clone();
        person[name] = value;
        person
    };
    let campaign = json!({ "name": "x\0" });

    for (path, body, field) in [
        ("/v1/messages", text("hi\0"), "body"),
        ("/v1/messages", tagged, "metadata.order"),
        ("/v1/contacts", with("first_name", json!("A\0")), "first_name"),
        ("/v1/contacts", with("attributes", json!({ "pet": "\0" })), "attributes.pet"),
        ("/v1/contacts", with("attributes", json!({ "pet\0": "a" })), "attributes"),
        ("/v1/contacts", with("tags", json!(["a", "b\0"])), "tags[1]"),
        (
            "/v1/contacts/bulk",
            json!({ "contacts": [person.clone(), with("region", json!("\0"))] }),
            "contacts[1].region",
        ),
        (
            "/v1/templates",
            json!({ "name": "x", "variants": [
            { "key": "a", "weight": 1, "bodies": { "en": "Hi\0" } }] }),
            "variants[0].bodies.en",
        ),
        ("/v1/pools", json!({ "name": "x\0", "senders": [] }), "name"),
        ("/v1/do-not-contact", json!({ "phone": "+12125550100", "reason": "x\0" }), "reason"),
    ] {
        let wrong = admin.post(path, &body).await.problem(422);
        let told = (field.to_owned(), "invalid_character".to_owned());
        assert_eq!(wrong, [told], "{path} {body}");
    }
    // Whatever else is missing in this one, it is no fault of ours.
    admin.post("/v1/campaigns", &campaign).await.problem(422);
}

#[tokio::test]
async fn in_a_batch_only_the_item_is_refused() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let text = |body: &str| json!({ "to": "+12125550100", "class": "promo", "body": body });
    let batch = json!({ "messages": [text("one"), text("two\0")] });

    let answer = admin.post("/v1/messages/batch", &batch).await.expect(202);
    assert_eq!((&answer["accepted"], &answer["rejected"][0]["index"]), (&json!(1), &json!(1)));
    assert_eq!(answer["rejected"][0]["errors"][0]["code"], "invalid_character");
}

#[tokio::test]
async fn a_query_or_a_path_with_it_is_no_outage() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let wrong = admin.get("/v1/contacts?tag=a%00").await.problem(422);
    assert_eq!(wrong, [("tag".to_owned(), "invalid_character".to_owned())]);
    admin.get("/v1/audit?cursor=%00").await.problem(422);
    admin.get("/v1/contacts/%00").await.problem(404);
}

#[tokio::test]
async fn a_cell_of_a_file_with_it_makes_its_line_invalid() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let file =
        "phone,first_name,zip\n+12125550100,A\0,10001\n+12125550101,B,1\0\n+12125550102,C,\n";

    let report = admin.csv("/v1/contacts/import/preview", file).await.expect(200);
    assert_eq!((&report["created"], &report["invalid"]), (&json!(1), &json!(2)));
    let reason = "column first_name: the character U+0000 cannot be stored";
    assert_eq!(report["rows"][0]["reason"], reason);
}
