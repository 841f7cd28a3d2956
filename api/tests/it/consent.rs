//! The consent ledger of a contact, and numbers that had a promotion lately.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use wire::Event;

use crate::harness::{Caller, World};

/// A contact; the path of its ledger.
async fn contact(caller: &Caller) -> String {
    let made = caller.post("/v1/contacts", &json!({ "phone": "+12125550100" })).await.expect(201);
    format!("/v1/contacts/{}/consent", made["id"].as_str().unwrap())
}

fn grant() -> Value {
    json!({
        "action": "grant", "basis": "express_written", "method": "web_form", "language": "es",
        "at": "2026-04-01T00:00:00Z", "source": "spring form", "disclosure": "I agree to texts.",
        "page_url": "https://example.test/join", "ip": "2001:db8::1", "user_agent": "Mozilla/5.0",
        "signature": "box ticked", "message_ids": [uuid::Uuid::nil()],
        "certificate": "https://cert.trustedform.com/1", "words": "Sí",
    })
}

#[tokio::test]
async fn the_ledger_keeps_all_evidence_and_the_latest_comes_first() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller).await;
    let granted = caller.post(&path, &grant()).await.expect(201);
    assert_eq!(granted["standing"]["basis"], "express_written");

    let confirm = json!({ "action": "confirm", "method": "keyword", "at": "2026-04-02T00:00:00Z" });
    let confirmed = caller.post(&path, &confirm).await.expect(201);
    assert_eq!(
        confirmed["standing"]["basis"], "express_written",
        "a confirmation keeps its ground"
    );

    let revoke = json!({ "action": "revoke", "method": "voice", "words": "please stop" });
    caller.post(&path, &revoke).await.expect(201);
    let ledger = caller.get(&path).await.expect(200);
    let lines = ledger["data"].as_array().unwrap();
    let column = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();

    assert_eq!(column("action"), ["revoke", "confirm", "grant"]);
    assert_eq!(column("previous"), ["consented", "consented", "none"]);

    for (field, value) in grant().as_object().unwrap() {
        let stored =
            if field == "words" { &lines[2]["evidence"]["words"] } else { &lines[2][field] };
        assert_eq!(stored, value, "{field}");
    }

    let sha = "16b5c64283b9446841e077cf4aa368be42856011540a1a93bb9ebae557759a7a";

    assert_eq!(lines[2]["disclosure_sha256"], sha);
    assert_eq!(lines[2]["recorded_at"], "2026-05-01T15:00:00Z");

    let recipient = &ledger["standings"][0];
    assert_eq!((&recipient["opt_out_cause"], &recipient["holds"]), (&json!("voice"), &json!(true)));

    let page = caller.get(&format!("{path}?limit=2")).await.expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = caller.get(&format!("{path}?limit=2&cursor={next}")).await.expect(200);
    assert_eq!(rest["data"], json!([lines[2]]));
}

#[tokio::test]
async fn a_revocation_is_told_and_a_restoration_gives_back_what_was_granted_before() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller).await;
    let restore = json!({ "action": "restore", "method": "paper" });
    caller.post(&path, &restore).await.problem(409);
    caller.post(&path, &grant()).await.expect(201);
    let revoked = caller.post(&path, &json!({ "action": "revoke" })).await.expect(201);

    assert_eq!(revoked["standing"]["opted_out_at"], "2026-05-01T15:00:00Z");

    let restored = caller.post(&path, &restore).await.expect(201);
    let recipient = &restored["standing"];
    assert_eq!((&recipient["opted_out_at"], &recipient["holds"]), (&Value::Null, &json!(true)));

    world.becomes(0, "select count(*) from millrace.unsaid_events").await;
    for (what, id) in [("opted_out", &revoked["id"]), ("opted_in", &restored["id"])] {
        let subject = format!("events.acme.contact.{what}");
        let events: Vec<Event> = world.published("EVENTS", &subject).await;
        assert_eq!(events.len(), 1, "{what} {id}");
        assert!(events[0].data.get().contains(r#""cause":"api""#));
    }
}

#[tokio::test]
async fn one_program_is_left_and_taken_back_without_touching_the_others() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller).await;
    let leave =
        |program: &str| json!({ "action": "revoke", "scope": "program", "program": program });
    caller.post(&path, &leave("news")).await.expect(201);
    let left = caller.post(&path, &leave("deals")).await.expect(201);

    assert_eq!(left["standing"]["stopped_programs"], json!(["deals", "news"]));
    assert_eq!(left["standing"]["opted_out_at"], Value::Null);

    let back = json!({ "action": "restore", "scope": "program", "program": "news" });
    let back = caller.post(&path, &back).await.expect(201);
    assert_eq!(back["standing"]["stopped_programs"], json!(["deals"]));

    let list = caller.get("/v1/do-not-contact?cause=opted_out").await.expect(200);
    assert_eq!(list["data"][0]["stopped_programs"], json!(["deals"]));
}

#[tokio::test]
async fn a_stronger_ground_outlives_a_weaker_one_and_an_ended_one_does_not_hold() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller).await;
    let implied = |at: &str, end: &str| {
        let end = json!(end);
        json!({ "action": "grant", "basis": "implied", "at": at, "expires_at": end })
    };
    let first = implied("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let ended = caller.post(&path, &first).await.expect(201)["standing"].clone();

    assert_eq!((&ended["basis"], &ended["holds"]), (&json!("implied"), &json!(false)));

    let written = caller.post(&path, &grant()).await.expect(201)["standing"].clone();
    assert_eq!((&written["expires_at"], &written["holds"]), (&Value::Null, &json!(true)));

    let later = implied("2026-04-20T00:00:00Z", "2027-01-01T00:00:00Z");
    let kept = caller.post(&path, &later).await.expect(201)["standing"].clone();
    assert_eq!((&kept["basis"], &kept["expires_at"]), (&json!("express_written"), &Value::Null));
    assert_eq!(kept["consent_at"], "2026-04-20T00:00:00Z");
}

#[tokio::test]
async fn a_line_that_makes_no_sense_is_refused_with_its_field() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller).await;
    for (line, field) in [
        (json!({ "action": "allow" }), "action"),
        (json!({ "action": "grant", "basis": "implied" }), "expires_at"),
        (json!({ "action": "grant", "basis": "verbal" }), "basis"),
        (json!({ "action": "grant", "scope": "program", "program": "news" }), "scope"),
        (json!({ "action": "grant", "at": "2026-05-01T15:00:01Z" }), "at"),
        (json!({ "action": "revoke", "basis": "express" }), "basis"),
        (json!({ "action": "revoke", "scope": "program" }), "program"),
        (json!({ "action": "revoke", "scope": "tenant", "program": "news" }), "program"),
        (json!({ "action": "revoke", "program": "No News" }), "program"),
        (json!({ "action": "revoke", "scope": "sender" }), "scope"),
        (json!({ "action": "revoke", "method": "telepathy" }), "method"),
        (json!({ "action": "grant", "ip": "1.2.3" }), "ip"),
        (json!({ "action": "grant", "page_url": "ftp://x" }), "page_url"),
        (json!({ "action": "grant", "disclosure": "x".repeat(4_001) }), "disclosure"),
    ] {
        let errors = caller.post(&path, &line).await.problem(422);
        assert_eq!(errors[0].0, field, "{line}");
    }

    assert_eq!(world.number("select count(*) from millrace.consents").await, 0);

    let nobody = format!("/v1/contacts/{}/consent", uuid::Uuid::nil());
    caller.post(&nobody, &grant()).await.problem(404);
    caller.get(&nobody).await.problem(404);
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.post(&path, &grant()).await.problem(403);
}

#[tokio::test]
async fn suppressions_say_until_when_by_the_policy_in_force() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    world
        .run(
            "insert into millrace.standings (tenant_id, number, channel, last_promo_at) values
                 ('acme', '+12125550100', 'sms', '2026-05-01T14:00:00Z'),
                 ('acme', '+12125550101', 'sms', '2026-01-31T15:00:01Z'),
                 ('acme', '+12125550102', 'sms', '2026-01-31T15:00:00Z'),
                 ('acme', '+12125550103', 'sms', null),
                 ('other', '+12125550104', 'sms', '2026-05-01T14:00:00Z')",
        )
        .await;

    let list = caller.get("/v1/suppressions").await.expect(200);
    let column = |list: &Value, name: &str| {
        let rows = list["data"].as_array().unwrap().iter();
        rows.map(|row| row[name].clone()).collect::<Vec<_>>()
    };

    assert_eq!(column(&list, "phone"), ["+12125550100", "+12125550101"]);
    assert_eq!(column(&list, "until"), ["2026-07-30T14:00:00Z", "2026-05-01T15:00:01Z"]);

    let page = caller.get("/v1/suppressions?limit=1").await.expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = caller.get(&format!("/v1/suppressions?limit=1&cursor={next}")).await.expect(200);
    assert_eq!(column(&rest, "phone"), ["+12125550101"]);

    let one = caller.get("/v1/suppressions?phone=%2B12125550101").await.expect(200);
    assert_eq!(column(&one, "phone"), ["+12125550101"]);

    world
        .run(
            "insert into millrace.standings (tenant_id, number, channel, last_promo_at) values
                 ('acme', '+12125550105', 'sms', '2026-05-01T03:00:00Z')",
        )
        .await;
    let one = caller.get("/v1/suppressions?phone=%2B12125550105").await.expect(200);
    assert_eq!(column(&one, "until"), ["2026-07-30T13:00:00Z"], "not at 23:00 in New York");

    caller.put("/v1/policies", &json!({ "suppression_days": 1 })).await.expect(200);
    let list = caller.get("/v1/suppressions").await.expect(200);
    assert_eq!(column(&list, "until"), ["2026-05-02T14:00:00Z", "2026-05-02T13:00:00Z"]);

    world
        .run(
            "insert into millrace.policies (tenant_id, version, body, created_at, created_by)
             values ('acme', 2, '{\"x\": 1}', now(), '')",
        )
        .await;

    caller.get("/v1/suppressions").await.problem(409);
}
