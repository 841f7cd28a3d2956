//! A campaign simulated over HTTP: the sum, the lines, and nothing written. That its verdicts are
//! those of the real run is shown where the stages are, in the crate millrace.

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World, send},
    settings::{carrier, template},
};

/// A draft campaign to five people, of whom one has not consented and one is in Hawaii.
async fn campaign(world: &World, caller: &Caller) -> String {
    let (_, pool) = carrier(caller, "main", "+12125550199").await;
    world.run("update millrace.senders set active_since = '2025-01-01'").await;
    let template = template(caller).await;
    let mut people: Vec<_> = ["+12125550100", "+12125550101", "+12125550102", "+18085550103"]
        .map(|phone| json!({ "phone": phone, "consent": { "source": "form" } }))
        .into();
    people.push(json!({ "phone": "+12125550104" }));
    caller.post("/v1/contacts/bulk", &json!({ "contacts": people })).await.expect(200);
    let body = json!({
        "name": "Spring", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "all": true },
    });
    caller.post("/v1/campaigns", &body).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_draft_is_simulated_as_it_would_be_frozen_and_nothing_changes() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let path = format!("/v1/campaigns/{}/simulate", campaign(&world, &caller).await);
    let before = world.tables().await;
    // 06:00 in Hawaii, where a text may come from 09:00 on.
    let said = caller.post(&path, &json!({ "at": "2026-05-01T16:00:00Z" })).await.expect(200);
    assert_eq!(world.tables().await, before);

    let counts: Vec<_> =
        ["audience", "admitted", "deferred", "held", "blocked", "expired", "failed"]
            .map(|name| said[name].as_u64().unwrap())
            .into();
    assert_eq!(counts, [5, 3, 1, 0, 1, 0, 0]);
    assert_eq!(said["by_gate"][0]["code"], "no_consent");

    let quiet = &said["by_gate"][1];
    assert_eq!((&quiet["gate"], &quiet["count"]), (&json!("quiet_hours"), &json!(1)));

    let until = quiet["earliest_until"].as_str().unwrap();
    assert!(until.starts_with("2026-05-01T19:0"), "{until}");
    assert_eq!(
        (&said["sent"], &said["segments"], &said["complete"]),
        (&json!(4), &json!(4), &json!(true))
    );
    assert_eq!(said["cost"]["amount"], "0.0316");
    assert_eq!(said["reserved"]["cost"]["amount"], "0.0237");
    assert_eq!(said["first_send_at"], "2026-05-01T16:00:00Z");
    assert_eq!(said["finish_at"], quiet["latest_until"]);
    assert_eq!(said["senders"][0]["day"], "2026-05-01");
    assert_eq!(said["senders"][0]["admitted"], 4);
    assert_eq!(said["policy_version"], 0);
}

#[tokio::test]
async fn as_lines_it_says_what_every_gate_says_of_each_recipient_and_the_sum_last() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let path = format!("/v1/campaigns/{}/simulate", campaign(&world, &caller).await);
    let request = caller.request(Method::POST, &path).header("Accept", "application/x-ndjson");
    let lines = send(request).await.expect(200);
    let lines: Vec<Value> =
        lines.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    assert_eq!(lines.len(), 6);

    for line in &lines[..5] {
        assert_eq!(line["gates"].as_array().unwrap().len(), 8, "{line}");
        assert!(line["contact_id"].is_string());
    }

    assert_eq!(lines[5]["audience"], 5);

    let viewer = world.caller("other", KeyRole::Viewer).await;
    viewer.post(&path, &json!({})).await.problem(404);
    caller.post(&path, &Value::Null).await.expect(200);
    let wrong = caller.post(&path, &json!({ "at": "tomorrow" })).await.problem(422);
    assert_eq!(wrong, [("at".to_owned(), "invalid_time".to_owned())]);
}

#[tokio::test]
async fn a_running_campaign_is_simulated_for_those_who_are_still_to_be_sent_to() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&world, &caller).await;
    world
        .run(&format!(
            "insert into millrace.campaign_recipients
             select 'acme', '{id}', row_number() over (order by number) - 1, contact_id,
                    md5(number)::uuid from millrace.contacts;
             insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport)
             select 'acme', md5(number)::uuid, case number when '+12125550100' then 21 else 1 end,
                    'promo', 'sms', contact_id, number, 'Hi', 1, 7900, '', now(), now(), '[]'
             from millrace.contacts where number in ('+12125550100', '+12125550101');
             update millrace.campaigns set state = 'running', audience_size = 5, cursor = 2;"
        ))
        .await;

    let said = caller
        .post(&format!("/v1/campaigns/{id}/simulate"), &json!({ "at": "2026-05-01T20:00:00Z" }))
        .await
        .expect(200);
    assert_eq!((&said["audience"], &said["admitted"]), (&json!(4), &json!(3)));
}
