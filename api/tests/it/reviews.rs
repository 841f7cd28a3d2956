//! Texts that were taken for an opt-out by other words than a keyword: listed, and decided once.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use wire::Event;

use crate::harness::World;

/// A text of each of three people; the second had left before it, the third has since.
const TEXTS: &str = r#"
    insert into millrace.contacts (tenant_id, contact_id, number, country, created_at, updated_at)
    select 'acme', gen_random_uuid(), number, 'US', now(), now()
    from unnest(array['+12125550101', '+12125550102', '+12125550103']) number;
    insert into millrace.consents (tenant_id, consent_id, number, channel, action, method, evidence,
        previous, at, recorded_at, recorded_by)
    select 'acme', ('00000000-0000-0000-0000-00000000000' || n)::uuid, '+1212555010' || n, 'sms',
           'revoke', method, jsonb_build_object('words', words, 'rule', 'en:phrase:' || words),
           previous, at::timestamptz, at::timestamptz, 'stage:inbound'
    from (values (1, 'phrase', 'leave me alone', 'consented', '2026-04-01T12:00:00Z'),
                 (2, 'phrase', 'go away', 'opted_out', '2026-04-02T12:00:00Z'),
                 (3, 'phrase', 'wrong person', 'none', '2026-04-03T12:00:00Z')
         ) as t (n, method, words, previous, at);
    insert into millrace.consents (tenant_id, consent_id, number, channel, action, method, at,
        recorded_at, recorded_by)
    values ('acme', gen_random_uuid(), '+12125550103', 'sms', 'revoke', 'keyword',
            '2026-04-04T12:00:00Z', '2026-04-04T12:00:00Z', 'stage:inbound');
    insert into millrace.standings (tenant_id, number, channel, marketing_consent_at, opted_out_at,
        opt_out_cause)
    select 'acme', number, 'sms', '2026-01-01T00:00:00Z', '2026-04-01T12:00:00Z', 'phrase'
    from millrace.contacts"#;

/// Where the text of person `n` is decided about.
fn path_of(n: u8) -> String {
    format!("/v1/consent/reviews/00000000-0000-0000-0000-00000000000{n}/decision")
}

#[tokio::test]
async fn texts_that_wait_for_a_person_are_listed_and_decided_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    world.run(TEXTS).await;
    let list = async |query: &str| {
        let list = caller.get(&format!("/v1/consent/reviews{query}")).await.expect(200);
        list["data"].as_array().unwrap().clone()
    };
    let out = async |n: u8| {
        let row = caller.get(&format!("/v1/contacts?phone=%2B1212555010{n}")).await.expect(200);
        !row["data"][0]["opted_out_at"].is_null()
    };

    let all = list("").await;
    assert_eq!(all.len(), 3, "a keyword needs nobody");
    assert_eq!((&all[2]["text"], &all[2]["decision"]), (&json!("leave me alone"), &Value::Null));
    assert_eq!(all[2]["rule"], "en:phrase:leave me alone");
    assert_eq!(list("?phone=(212)+555-0102").await.len(), 1);
    assert_eq!(list("?since=2026-04-02T12:00:00Z&decided=false").await.len(), 2);
    let page = caller.get("/v1/consent/reviews?limit=2").await.expect(200);
    let rest = format!("?cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(list(&rest).await.len(), 1);

    let dismissed = json!({ "decision": "dismissed" });
    for (n, stays_out) in [(1, false), (2, true), (3, true)] {
        let decided = caller.post(&path_of(n), &dismissed).await.expect(200);
        assert_eq!(decided["decision"], "dismissed");
        assert!(decided["decided_by"].is_string(), "{decided}");
        assert_eq!(out(n).await, stays_out, "{n}");
    }
    assert_eq!(caller.post(&path_of(1), &dismissed).await.expect(200)["decision"], "dismissed");
    caller.post(&path_of(1), &json!({ "decision": "opted_out" })).await.problem(409);
    assert_eq!(list("?decided=true").await.len(), 3);
    let wrong = caller.post(&path_of(1), &json!({ "decision": "maybe" })).await.problem(422);
    assert_eq!(wrong[0].0, "decision");
    caller.post(&path_of(9), &dismissed).await.problem(404);

    let trail = "select count(*) from millrace.audit_log where action = 'consent.reviewed'";
    assert_eq!(world.number(trail).await, 3);
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.get("/v1/consent/reviews").await.expect(200);
    viewer.post(&path_of(2), &dismissed).await.problem(403);
    let stranger = world.caller("globex", KeyRole::Owner).await;
    stranger.post(&path_of(2), &dismissed).await.problem(404);
    assert_eq!(stranger.get("/v1/consent/reviews").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_dismissal_gives_nothing_back_to_who_has_said_stop_at_another_address() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    world.run(TEXTS).await;
    let contact = async |n: u8| {
        let row = caller.get(&format!("/v1/contacts?phone=%2B1212555010{n}")).await.expect(200);
        row["data"][0]["id"].as_str().unwrap().to_owned()
    };
    let merges = format!("/v1/contacts/{}/merges", contact(1).await);
    caller.post(&merges, &json!({ "merged_id": contact(3).await })).await.expect(201);

    caller.post(&path_of(1), &json!({ "decision": "dismissed" })).await.expect(200);
    let out = "select count(*) from millrace.standings where opted_out_at is not null";
    assert_eq!(world.number(out).await, 3);
}

#[tokio::test]
async fn a_decision_is_an_event_and_a_dismissal_an_opt_in() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    world.run(TEXTS).await;
    caller.post(&path_of(1), &json!({ "decision": "dismissed" })).await.expect(200);
    caller.post(&path_of(3), &json!({ "decision": "opted_out" })).await.expect(200);

    let left = "select count(*) from millrace.unsaid_events";
    world.becomes(0, left).await;
    for (what, count) in [("opted_in", 1), ("reviewed", 2)] {
        let subject = format!("events.acme.contact.{what}");
        let events: Vec<Event> = world.published("EVENTS", &subject).await;
        assert_eq!(events.len(), count, "{what}");
    }
}
