//! Contacts and where their numbers stand.

use serde_json::json;
use store::settings::api_keys::KeyRole;

use crate::harness::World;

#[tokio::test]
async fn a_contact_is_made_once_per_number_and_added_to() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let first = json!({
        "phone": "(212) 555-0123", "first_name": "Ana", "language": "es-MX", "state": "ny",
        "tags": ["vip"], "attributes": { "plan": "gold" },
        "consent": { "source": "web form", "at": "2026-01-02", "basis": "express_written" },
    });
    let made = caller.post("/v1/contacts", &first).await.expect(201);

    assert_eq!(made["phone"], "+12125550123");
    assert_eq!((&made["language"], &made["region"]), (&json!("es"), &json!("US-NY")));
    assert_eq!(made["consent_at"], "2026-01-02T05:00:00Z", "the day begins in New York");

    let ledger = format!("/v1/contacts/{}/consent", made["id"].as_str().unwrap());
    let ledger = caller.get(&ledger).await.expect(200);
    assert_eq!(ledger["standings"][0]["basis"], "express_written");

    let again = json!({ "phone": "+12125550123", "last_name": "Ruiz", "tags": ["new"] });
    let known = caller.post("/v1/contacts", &again).await.expect(200);
    assert_eq!(known["id"], made["id"]);
    assert_eq!((&known["first_name"], &known["last_name"]), (&json!("Ana"), &json!("Ruiz")));
    assert_eq!(known["tags"], json!(["new", "vip"]));

    let path = format!("/v1/contacts/{}", made["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.expect(200), known);
    assert_eq!(caller.get("/v1/contacts?tag=vip").await.expect(200)["data"], json!([known]));
    assert_eq!(caller.get("/v1/contacts?tag=nobody").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn bulk_gives_each_row_its_own_result() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    caller.post("/v1/contacts", &json!({ "phone": "+12125550100" })).await.expect(201);
    let body = json!({ "contacts": [
        { "phone": "+12125550101", "consent": {} },
        { "phone": "+12125550100", "first_name": "Bo" },
        { "phone": "212 555 0101" },
        { "phone": "nope" },
        { "phone": "+12125550102", "shoe": 1 },
    ] });

    let answer = caller.post("/v1/contacts/bulk", &body).await.expect(200);
    let outcomes: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|row| row["outcome"].clone()).collect();

    assert_eq!(outcomes, ["created", "updated", "duplicate", "invalid", "invalid"]);
    assert_eq!(answer["results"][4]["errors"][0]["field"], "shoe");

    let again = caller.post("/v1/contacts/bulk", &body).await.expect(200);
    assert_eq!((&again["unchanged"], &again["created"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn lists_go_on_where_they_ended() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let people: Vec<_> = (0..7).map(|n| json!({ "phone": format!("+1212555010{n}") })).collect();
    caller.post("/v1/contacts/bulk", &json!({ "contacts": people })).await.expect(200);
    let mut seen = Vec::new();
    let mut path = "/v1/contacts?limit=3".to_owned();
    loop {
        let page = caller.get(&path).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/contacts?limit=3&cursor={cursor}");
    }

    let distinct: std::collections::HashSet<_> = seen.iter().map(ToString::to_string).collect();
    assert_eq!((seen.len(), distinct.len()), (7, 7));
}

#[tokio::test]
async fn a_number_on_the_list_keeps_its_first_reason_and_the_ledger_has_one_line() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    for reason in ["asked by letter", "again"] {
        let stop = json!({ "phone": "+12125550100", "reason": reason });
        let listed = caller.post("/v1/do-not-contact", &stop).await.expect(201);
        assert_eq!(listed["reason"], "asked by letter");
    }

    let list = caller.get("/v1/do-not-contact").await.expect(200);

    assert_eq!(list["data"][0]["phone"], "+12125550100");

    let mut db = world.database.superuser().await.unwrap();
    let lines: i64 = sqlx::query_scalar("select count(*) from millrace.consents")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(lines, 1);
}

#[tokio::test]
async fn a_post_under_a_key_is_done_once_and_another_body_is_refused() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let body = json!({ "phone": "+12125550100", "first_name": "Ana" });
    let answers =
        futures::future::join_all((0..8).map(|_| caller.post_once("/v1/contacts", "once", &body)))
            .await;
    let first = answers[0].clone().expect(201);
    let replayed =
        |answer: &crate::harness::Answer| answer.headers.contains_key("idempotent-replayed");

    assert_eq!(answers.iter().filter(|answer| replayed(answer)).count(), 7);

    let path = format!("/v1/contacts/{}", first["id"].as_str().unwrap());
    for answer in answers {
        assert_eq!(answer.headers["location"], path.as_str(), "the repeats name it too");
        assert_eq!(answer.expect(201), first, "201 for the repeats too");
    }
    let other = json!({ "phone": "+12125550100", "first_name": "Bo" });
    let errors = caller.post_once("/v1/contacts", "once", &other).await.problem(422);
    assert_eq!(errors[0].1, "key_reused");

    let elsewhere = json!({ "phone": "+12125550100", "reason": "x" });
    caller.post_once("/v1/do-not-contact", "once", &elsewhere).await.problem(422);
}
