//! Test keys: they work in a twin of their tenant, whose accounts are at the sandbox.

use serde_json::{Value, json};
use sqlx::types::Uuid;
use store::settings::api_keys::{self, KeyRole};
use wire::Submitted;

use crate::{
    harness::{Caller, World},
    settings::carrier,
};

/// A test key of this role, made by somebody of the company.
async fn test_key(world: &World, by: &Caller, role: &str) -> Caller {
    let body = json!({ "name": "trial", "role": role, "mode": "test" });
    let made = by.post("/v1/api-keys", &body).await.expect(201);
    assert_eq!(made["mode"], "test");
    let key = made["key"].as_str().expect("a key");
    assert!(key.starts_with("mr_test_"), "{made}");
    world.with_token(key)
}

fn list(page: Value) -> Vec<Value> {
    page["data"].as_array().expect("data").clone()
}

#[tokio::test]
async fn a_test_key_works_in_a_twin_that_shares_nothing_with_its_company() {
    let world = World::start().await;
    let live = world.caller("acme", KeyRole::Admin).await;
    carrier(&live, "main", "+12125550199").await;
    live.put("/v1/policies", &json!({ "suppression_days": 3 })).await;
    let policy = live.get("/v1/policies").await.expect(200);
    let trial = test_key(&world, &live, "admin").await;

    // Who asks, and where.
    let (me, mine) = (trial.get("/v1/me").await.expect(200), live.get("/v1/me").await.expect(200));
    assert_eq!((&me["mode"], &mine["mode"]), (&json!("test"), &json!("live")));
    assert_eq!(mine["tenant"]["id"], "acme");
    assert_ne!(me["tenant"]["id"], "acme");
    assert_eq!(me["tenant"]["name"], mine["tenant"]["name"]);
    assert_eq!(trial.get("/v1/policies").await.expect(200)["policy"], policy["policy"]);

    // Everything that it needs to send is there, at the sandbox.
    let accounts = list(trial.get("/v1/carrier-accounts").await.expect(200));
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["base_url"], "http://127.0.0.1:8090");
    let senders = list(trial.get("/v1/senders").await.expect(200));
    let pools = list(trial.get("/v1/pools").await.expect(200));
    assert_eq!(pools[0]["senders"], json!([senders[0]["id"]]));

    // People and what they have said are its own.
    let person = json!({ "phone": "+12125550100", "consent": {} });
    let ours = live.post("/v1/contacts", &person).await.expect(201);
    trial.get(&format!("/v1/contacts/{}", ours["id"].as_str().unwrap())).await.problem(404);
    let stop = json!({ "phone": "+12125550100", "reason": "a trial" });
    trial.post("/v1/do-not-contact", &stop).await.expect(201);
    assert_eq!(list(live.get("/v1/do-not-contact").await.expect(200)), Vec::<Value>::new());

    // A text is submitted as the twin's.
    let text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
    trial.post("/v1/messages", &text).await.expect(202);
    let sent: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let tenants: Vec<_> = sent.iter().map(|message| message.head.tenant.as_str()).collect();
    assert_eq!(tenants, [me["tenant"]["id"].as_str().unwrap()]);

    // A second key works in the same twin.
    let again = test_key(&world, &live, "viewer").await;
    assert_eq!(again.get("/v1/me").await.expect(200)["tenant"], me["tenant"]);
    assert_eq!(world.number("select count(*) from millrace.tenants").await, 2);
}

#[tokio::test]
async fn the_keys_of_a_twin_are_its_companys_and_revoked_there() {
    let world = World::start_with(|settings| settings.fresh = std::time::Duration::ZERO).await;
    let live = world.caller("acme", KeyRole::Owner).await;
    let trial = test_key(&world, &live, "owner").await;
    for path in ["/v1/api-keys", "/v1/users", "/v1/invitations", "/v1/audit"] {
        let answer = trial.get(path).await;
        let wanted = if path == "/v1/audit" { 200 } else { 403 };
        assert_eq!(answer.status.as_u16(), wanted, "{path}");
    }
    let more = json!({ "name": "more", "role": "viewer" });
    let refused = trial.post("/v1/api-keys", &more).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("live credentials"), "{refused}");

    let keys = list(live.get("/v1/api-keys").await.expect(200));
    let [key] = keys.iter().filter(|key| key["mode"] == "test").collect::<Vec<_>>()[..] else {
        panic!("one test key: {keys:?}")
    };
    let trail = live.get("/v1/audit?action=api_key.created").await.expect(200);
    assert!(trail.to_string().contains("\"mode\":\"test\""), "{trail}");
    live.delete(&format!("/v1/api-keys/{}", key["id"].as_str().unwrap())).await.expect(200);
    trial.get("/v1/me").await.problem(401);
}

#[tokio::test]
async fn a_twin_has_accounts_at_the_sandbox_alone() {
    let world = World::start_with(|settings| {
        settings.carrier_hosts.push("elsewhere.test:8090".into());
    });
    let world = world.await;
    let live = world.caller("acme", KeyRole::Admin).await;
    let trial = test_key(&world, &live, "admin").await;
    let account = |name: &str, url: Option<&str>| {
        json!({
            "account": name, "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "secret",
            "base_url": url,
        })
    };

    let allowed = account("live", Some("http://elsewhere.test:8090"));
    live.post("/v1/carrier-accounts", &allowed).await.expect(201);
    for url in ["https://api.twilio.com", "http://elsewhere.test:8090", "http://127.0.0.1:8091"] {
        let refused = trial.post("/v1/carrier-accounts", &account("real", Some(url))).await;
        let refused = refused.expect(422);
        assert_eq!(refused["errors"][0]["code"], "not_allowed", "{url}: {refused}");
        assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("sandbox"), "{refused}");
        let change = json!({ "base_url": url });
        trial.patch("/v1/carrier-accounts/sandbox", &change).await.problem(422);
    }

    // Where nothing is said, the sandbox is meant.
    let made = trial.post("/v1/carrier-accounts", &account("second", None)).await.expect(201);
    assert_eq!(made["base_url"], "http://127.0.0.1:8090");
}

#[tokio::test]
async fn without_a_sandbox_no_test_key_is_made_and_the_answer_says_the_fix() {
    let world = World::start_with(|settings| settings.sandbox_url = None).await;
    let live = world.caller("acme", KeyRole::Admin).await;
    let body = json!({ "name": "trial", "role": "viewer", "mode": "test" });
    let refused = live.post("/v1/api-keys", &body).await.expect(422);
    assert_eq!(refused["errors"][0]["field"], "mode");
    let detail = refused["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("MILLRACE_SANDBOX_URL"), "{detail}");
    assert_eq!(world.number("select count(*) from millrace.tenants").await, 1, "no twin");
    assert_eq!(world.number("select count(*) from millrace.api_keys").await, 1, "no key");
}

#[tokio::test]
async fn a_test_key_from_before_there_were_twins_signs_nobody_in() {
    let world = World::start().await;
    let live = world.caller("acme", KeyRole::Admin).await;
    let old = "mr_test_from-before";
    let hash: String = api_keys::hash(old).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = Uuid::from_u128(7);
    world
        .run(&format!(
            "insert into millrace.api_keys (tenant_id, key_id, hash, name, role, created_at)
             values ('acme', '{id}', '\\x{hash}', 'old', 'admin', now())"
        ))
        .await;
    let refused = world.with_token(old).get("/v1/me").await.expect(401);
    assert!(refused["detail"].as_str().unwrap().contains("make another"), "{refused}");
    live.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_company_has_so_many_keys_and_no_more() {
    let world = World::start().await;
    let live = world.caller("acme", KeyRole::Admin).await;
    let fill = "insert into millrace.api_keys
                    (tenant_id, key_id, hash, name, role, created_at, revoked_at, expires_at)
                select 'acme', gen_random_uuid(), sha256(n::text::bytea), 'k', 'viewer', now(),
                       case when n % 3 = 1 then now() end,
                       case when n % 3 = 2 then timestamptz '2026-01-01' end
                from generate_series(0, 2993) n";
    world.run(fill).await;
    let body = json!({ "name": "last", "role": "viewer" });
    let last = live.post("/v1/api-keys", &body).await.expect(201);
    let refused = live.post("/v1/api-keys", &body).await.expect(409);
    assert!(refused["detail"].as_str().unwrap().contains("revoke some"), "{refused}");

    live.delete(&format!("/v1/api-keys/{}", last["id"].as_str().unwrap())).await.expect(200);
    live.post("/v1/api-keys", &body).await.expect(201);
}
