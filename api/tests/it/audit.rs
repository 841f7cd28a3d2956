//! The audit trail: what is in it, and that nobody changes it unseen.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World},
    settings::{carrier, template},
};

async fn trail(caller: &Caller, query: &str) -> Vec<Value> {
    let page = caller.get(&format!("/v1/audit?limit=1000{query}")).await.expect(200);
    page["data"].as_array().unwrap().clone()
}

fn actions(trail: &[Value]) -> Vec<&str> {
    trail.iter().rev().map(|entry| entry["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_act_that_matters_is_in_the_trail_with_before_and_after() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    caller.put("/v1/policies", &json!({ "suppression_days": 30 })).await.expect(200);
    caller.put("/v1/policies", &json!({ "suppression_days": 60 })).await.expect(200);
    let pause = json!({ "scope": "sender", "target": sender, "mode": "paused", "reason": "why" });
    caller.put("/v1/kill-switch", &pause).await.expect(200);
    let cap = json!({ "scope": "tenant", "daily": { "amount": "10.00", "currency": "USD" } });
    caller.put("/v1/budgets", &cap).await.expect(200);
    let new = json!({ "name": "May", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "all": true } });
    let campaign = caller.post("/v1/campaigns", &new).await.expect(201)["id"].clone();
    for act in ["start", "pause", "resume", "stop", "stop"] {
        let path = format!("/v1/campaigns/{}/{act}", campaign.as_str().unwrap());
        caller.post(&path, &json!({})).await.expect(200);
    }

    let stop = json!({ "phone": "+12125550100", "reason": "asked by letter" });
    caller.post("/v1/do-not-contact", &stop).await.expect(201);
    caller
        .post("/v1/contacts", &json!({ "phone": "+12125550101", "consent": {} }))
        .await
        .expect(201);

    let all = trail(&caller, "").await;
    assert_eq!(
        actions(&all),
        [
            "api_key.created",
            "carrier_account.created",
            "sender.created",
            "policy.changed",
            "policy.changed",
            "switch.changed",
            "budget.changed",
            "campaign.started",
            "campaign.paused",
            "campaign.resumed",
            "campaign.stopped",
            "do_not_contact.added",
            "consent.granted",
        ]
    );
    assert!(!json!(all).to_string().contains("\"secret\""), "a credential is never told");
    let policy = &trail(&caller, "&action=policy.changed").await[0];
    assert_eq!(policy["detail"]["before"]["suppression_days"], 30);
    assert_eq!(policy["detail"]["after"]["suppression_days"], 60);
    assert!(policy["actor"].as_str().unwrap().starts_with("key:"));
    let switch = &trail(&caller, "&action=switch.changed").await[0];
    assert_eq!(
        (&switch["detail"]["before"], &switch["detail"]["after"]),
        (&json!("on"), &json!("paused"))
    );
    let number = trail(&caller, "&subject=number:%2B12125550100").await;
    assert_eq!(number[0]["detail"]["source"], "asked by letter");
    assert_eq!(trail(&caller, "&since=2026-05-01T15:00:01Z").await.len(), 0);
    let page = caller.get("/v1/audit?limit=4").await.expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let older = caller.get(&format!("/v1/audit?limit=4&cursor={next}")).await.expect(200);
    assert_eq!(older["data"][0]["seq"], 9);
    let verdict = caller.get("/v1/audit/verify").await.expect(200);
    assert_eq!((&verdict["ok"], &verdict["entries"]), (&json!(true), &json!(13)));
    assert_eq!(verdict["head"]["hash"], all[0]["hash"]);
    let rest = caller.get("/v1/audit/verify?after=9").await.expect(200);
    assert_eq!((&rest["ok"], &rest["entries"]), (&json!(true), &json!(4)));
    let end = caller.get("/v1/audit/verify?after=13").await.expect(200);
    assert_eq!((&end["ok"], &end["entries"]), (&json!(true), &json!(0)));
    let past = caller.get("/v1/audit/verify?after=99999999").await.problem(422);
    assert_eq!(past, [("after".to_owned(), "out_of_range".to_owned())]);
}

#[tokio::test]
async fn writers_at_the_same_time_make_one_chain_and_each_tenant_has_its_own() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let other = world.caller("globex", KeyRole::Admin).await;
    let stops = (0..12).map(|n| {
        let (caller, other) = (caller.clone(), other.clone());
        async move {
            let stop = json!({ "phone": format!("+121255501{n:02}"), "reason": "asked" });
            caller.post("/v1/do-not-contact", &stop).await.expect(201);
            other.post("/v1/do-not-contact", &stop).await.expect(201);
        }
    });

    futures::future::join_all(stops).await;
    for caller in [&caller, &other] {
        let verdict = caller.get("/v1/audit/verify").await.expect(200);
        assert_eq!((&verdict["ok"], &verdict["entries"]), (&json!(true), &json!(13)));
    }

    let (mine, theirs) = (trail(&caller, "").await, trail(&other, "").await);
    assert!(mine.iter().all(|entry| theirs.iter().all(|other| entry["hash"] != other["hash"])));
}

#[tokio::test]
async fn whatever_is_done_to_the_rows_is_seen_and_the_api_cannot_do_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    for n in 0..5 {
        let stop = json!({ "phone": format!("+1212555010{n}"), "reason": "asked" });
        caller.post("/v1/do-not-contact", &stop).await.expect(201);
    }

    let mut tx = world.store.scoped([&"acme".parse().unwrap()]).await.unwrap();
    for act in ["update millrace.audit_log set actor = 'x'", "delete from millrace.audit_log"] {
        let refused = sqlx::raw_sql(act).execute(&mut *tx).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{refused}");
        tx = world.store.scoped([&"acme".parse().unwrap()]).await.unwrap();
    }

    drop(tx);

    world.run("create table kept as table millrace.audit_log").await;
    for (tampering, seq, why) in [
        ("update millrace.audit_log set actor = 'key:x' where seq = 3", 3, "changed"),
        ("update millrace.audit_log set detail = '{}' where seq = 1", 1, "changed"),
        ("update millrace.audit_log set at = at + interval '1 s' where seq = 6", 6, "changed"),
        ("delete from millrace.audit_log where seq = 4", 4, "missing"),
        ("delete from millrace.audit_log where seq = 1", 1, "missing"),
        ("delete from millrace.audit_log where seq = 6", 6, "missing"),
        (
            "update millrace.audit_log a set prev_hash = b.hash from millrace.audit_log b
             where a.seq = 5 and b.seq = 1",
            5,
            "not chained to the entry before",
        ),
        (
            "insert into millrace.audit_log select tenant_id, 7, at, actor, action, subject, detail,
                 hash, hash from millrace.audit_log where seq = 6",
            7,
            "the end is not where the head has it",
        ),
    ] {
        world.run(tampering).await;
        let verdict = caller.get("/v1/audit/verify").await.expect(200);
        assert_eq!(verdict["ok"], false, "{tampering}");
        assert_eq!(verdict["first_bad"], json!({ "seq": seq, "why": why }), "{tampering}");
        world
            .run("delete from millrace.audit_log; insert into millrace.audit_log table kept")
            .await;
        assert_eq!(caller.get("/v1/audit/verify").await.expect(200)["ok"], true);
    }
}
