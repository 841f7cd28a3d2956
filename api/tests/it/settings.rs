//! What a tenant sets up: templates, accounts, senders, pools, budgets, policies, switches.

use std::collections::BTreeSet;

use domain::ids::account_handle;
use serde_json::{Value, json};
use store::{
    Role,
    settings::{
        accounts::Access,
        api_keys::KeyRole,
        platform_accounts::{self, PlatformAccount, Share},
    },
};

use crate::harness::{Caller, World};

/// An account with a sender and a pool; the ids of the sender and the pool.
pub(crate) async fn carrier(caller: &Caller, account: &str, number: &str) -> (Value, Value) {
    let body = json!({
        "account": account, "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "secret",
        "base_url": "http://127.0.0.1:8090",
    });
    caller.post("/v1/carrier-accounts", &body).await.expect(201);
    let sender = json!({ "number": number, "account": account, "pace": 10 });
    let sender = caller.post("/v1/senders", &sender).await.expect(201);
    let pool = json!({ "name": "all", "senders": [sender["id"]] });
    let pool = caller.post("/v1/pools", &pool).await.expect(201);
    (sender["id"].clone(), pool["id"].clone())
}

/// A promotion to every contact.
pub(crate) fn promo(template: &Value, pool: &Value) -> Value {
    let audience = json!({ "all": true });
    json!({
        "name": "c", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": audience,
    })
}

/// A template that says hello; its id.
pub(crate) async fn template(caller: &Caller) -> Value {
    let body = json!({ "name": "Hello", "variants": [
        { "key": "a", "weight": 1, "bodies": { "en": "Hi {first_name|friend}", "es": "Hola" } },
    ] });
    caller.post("/v1/templates", &body).await.expect(201)["id"].clone()
}

#[tokio::test]
async fn a_template_has_versions_and_refuses_variables_that_nobody_has() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let id = template(&caller).await;
    let path = format!("/v1/templates/{}", id.as_str().unwrap());
    let next =
        json!({ "variants": [{ "key": "a", "weight": 1, "bodies": { "en": "Code {code}" } }] });
    let errors = caller.post(&format!("{path}/versions"), &next).await.problem(422);

    assert_eq!(errors, [("variants[0].bodies.en".to_owned(), "unknown_variable".to_owned())]);

    let mut next = next;
    next["variables"] = json!(["code"]);
    let added = caller.post(&format!("{path}/versions"), &next).await.expect(201);

    assert_eq!((&added["version"], &added["name"]), (&json!(2), &json!("Hello")));
    assert_eq!(caller.get(&path).await.expect(200)["variants"], next["variants"]);

    let missing = format!("/v1/templates/{}/versions", uuid::Uuid::nil());
    caller.post(&missing, &next).await.problem(404);
}

#[tokio::test]
async fn a_preview_shows_the_text_its_segments_and_what_forces_ucs2() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let body = json!({
        "body": "Hi {first_name} \u{1f600}", "variables": { "first_name": "Ana" }, "class": "promo",
    });
    let preview = caller.post("/v1/templates/preview", &body).await.expect(200);

    assert_eq!(preview["text"], "Hi Ana \u{1f600}\nReply STOP to opt out");
    assert_eq!(preview["forces_ucs2"], "\u{1f600}");
    assert_eq!(preview["segments"], 1);

    assert_eq!(preview["warnings"], json!([]));
    let long = json!({ "body": "{link}", "variables": { "link": "x".repeat(1_531) } });
    let long = caller.post("/v1/templates/preview", &long).await.expect(200);
    assert_eq!((&long["segments"], &long["warnings"][0]["code"]), (&json!(11), &json!("too_long")));
    let longest = json!({ "body": "x".repeat(1_498), "class": "promo" });
    let longest = caller.post("/v1/templates/preview", &longest).await.expect(200);
    assert_eq!(longest["warnings"][0]["code"], "too_long", "with the longest opt-out line");

    let errors = caller.post("/v1/templates/preview", &json!({ "body": "{nope}" })).await;
    assert_eq!(errors.problem(422)[0].1, "unknown_variable");
}

#[tokio::test]
async fn a_new_token_frees_what_the_old_one_held() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    carrier(&caller, "main", "+12125550199").await;
    let mut db = world.database.superuser().await.unwrap();
    let handle = account_handle(Some(&"acme".parse().unwrap()), "main");
    let rest = "insert into millrace.account_pace values ($1, now() + interval '1 h')";
    sqlx::query(rest).bind(&handle).execute(&mut db).await.unwrap();
    let sealed = "select sealed_token from millrace.carrier_accounts";
    let before: String = sqlx::query_scalar(sealed).fetch_one(&mut db).await.unwrap();
    let token = json!({ "auth_token": "another" });
    let path = "/v1/carrier-accounts/main";

    assert_eq!(caller.put(path, &token).await.expect(200)["account"], "main");

    let after: String = sqlx::query_scalar(sealed).fetch_one(&mut db).await.unwrap();
    assert_ne!(before, after);

    let woken: String =
        sqlx::query_scalar("select what from millrace.wakes").fetch_one(&mut db).await.unwrap();
    assert_eq!(woken, format!("account:{handle}"));

    let resting = "select count(*) from millrace.account_pace";
    let resting: i64 = sqlx::query_scalar(resting).fetch_one(&mut db).await.unwrap();
    assert_eq!(resting, 0, "the account rests no more");

    caller.put(path, &json!({ "auth_token": "" })).await.problem(422);
    let other = world.caller("globex", KeyRole::Admin).await;
    other.put(path, &token).await.problem(404);
}

#[tokio::test]
async fn an_account_is_called_at_another_address_once_that_is_set() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    carrier(&caller, "main", "+12125550199").await;
    let path = "/v1/carrier-accounts/main";

    let moved = json!({ "base_url": "https://api.twilio.com/" });
    let account = caller.put(path, &moved).await.expect(200);
    assert_eq!(account["base_url"], "https://api.twilio.com");
    let listed = caller.get("/v1/carrier-accounts").await.expect(200);
    assert_eq!(listed["data"][0]["base_url"], "https://api.twilio.com");

    let mut db = world.database.superuser().await.unwrap();
    let woken: String =
        sqlx::query_scalar("select what from millrace.wakes").fetch_one(&mut db).await.unwrap();
    assert!(woken.starts_with("account:"), "what was held for it goes on: {woken}");

    let field = |of: &str, code: &str| [(of.to_owned(), code.to_owned())];
    let evil = caller.put(path, &json!({ "base_url": "https://evil.test" })).await.problem(422);
    assert_eq!(evil, field("base_url", "not_allowed"));
    let nothing = caller.put(path, &json!({})).await.problem(422);
    assert_eq!(nothing, field("auth_token", "required"));
}

#[tokio::test]
async fn two_tenants_name_their_accounts_alike_and_have_an_account_each() {
    let world = World::start().await;
    let (acme, globex) =
        (world.caller("acme", KeyRole::Admin).await, world.caller("globex", KeyRole::Admin).await);
    carrier(&acme, "main", "+12125550199").await;
    carrier(&globex, "main", "+12125550199").await;

    let mut handles = BTreeSet::new();
    for caller in [&acme, &globex] {
        let accounts = caller.get("/v1/carrier-accounts").await.expect(200);
        assert_eq!(accounts["data"].as_array().unwrap().len(), 1);
        assert_eq!(accounts["data"][0]["account"], "main");
        handles.insert(accounts["data"][0]["handle"].as_str().unwrap().to_owned());
        let senders = caller.get("/v1/senders").await.expect(200);
        assert_eq!(senders["data"][0]["account"], "main");
    }
    assert_eq!(handles.len(), 2, "{handles:?}");
    let again = json!({
        "account": "main", "carrier": "twilio", "carrier_sid": "AC2", "auth_token": "t",
    });
    acme.post("/v1/carrier-accounts", &again).await.problem(409);
}

#[tokio::test]
async fn the_token_of_an_account_of_the_platform_is_its_operators_alone() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let owner = world.database.store(Role::Owner).await.unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let account = PlatformAccount {
        handle: "shared".into(),
        access: Access {
            carrier: "twilio".into(),
            carrier_sid: "AC1".into(),
            base_url: "https://api.twilio.com".into(),
            sealed_token: "sealed".into(),
        },
        confirms_opt_out: true,
        pace: Some(10),
        created_at: now,
    };
    assert!(platform_accounts::create(&owner, &account).await.unwrap());
    let share = Share { tenant: "acme".parse().unwrap(), weight: 3 };
    assert!(platform_accounts::share(&owner, &account, "lent", &share, now).await.unwrap());

    let listed = caller.get("/v1/carrier-accounts").await.expect(200);
    assert_eq!(listed["data"][0]["account"], "lent");
    assert_eq!(listed["data"][0]["handle"], "shared");
    let token = json!({ "auth_token": "another" });
    caller.put("/v1/carrier-accounts/lent", &token).await.problem(409);
    let sender = json!({ "number": "+12125550199", "account": "lent", "pace": 1 });
    caller.post("/v1/senders", &sender).await.expect(201);
}

#[tokio::test]
async fn a_token_goes_in_and_never_comes_out() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    carrier(&caller, "main", "+12125550199").await;
    let list = caller.get("/v1/carrier-accounts").await.expect(200);

    assert!(!list.to_string().contains("secret") && !list.to_string().contains("token"), "{list}");
    let handle = list["data"][0]["handle"].as_str().unwrap();
    assert_eq!(
        list["data"][0]["status_webhook"],
        format!("https://hooks.example.test/in/webhooks/twilio/{handle}/status")
    );

    let mut db = world.database.superuser().await.unwrap();
    let sealed: String = sqlx::query_scalar("select sealed_token from millrace.carrier_accounts")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert!(!sealed.contains("secret"));

    let stolen = json!({
        "account": "x", "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "t",
        "base_url": "https://evil.test",
    });
    let errors = caller.post("/v1/carrier-accounts", &stolen).await.problem(422);
    assert_eq!(errors, [("base_url".to_owned(), "not_allowed".to_owned())]);
}

#[tokio::test]
async fn senders_pools_and_budgets_name_only_what_exists() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let senders = caller.get("/v1/senders").await.expect(200);

    assert_eq!(senders["data"][0]["id"], sender);
    let today = json!({ "day": 1, "limit_today": 50, "used": 0 });
    assert_eq!(senders["data"][0]["warmup"], today, "a new sender warms up");
    assert_eq!(caller.get("/v1/pools").await.expect(200)["data"][0]["id"], pool);

    let lost = json!({ "number": "+12125550198", "account": "other", "pace": 1 });
    assert_eq!(caller.post("/v1/senders", &lost).await.problem(422)[0].0, "account");

    let twice = json!({ "number": "(212) 555-0199", "account": "main", "pace": 1 });
    caller.post("/v1/senders", &twice).await.problem(409);
    let pool = json!({ "name": "p", "senders": [sender, uuid::Uuid::nil()] });
    assert_eq!(caller.post("/v1/pools", &pool).await.problem(422)[0].0, "senders[1]");

    for (senders, field) in [(51, "senders"), (50, "senders[0]")] {
        let many: Vec<_> = (1..=senders).map(uuid::Uuid::from_u128).collect();
        let pool = json!({ "name": "p", "senders": many });
        assert_eq!(caller.post("/v1/pools", &pool).await.problem(422)[0].0, field, "{senders}");
    }

    let cap = json!({ "scope": "tenant", "daily": { "amount": "10.00", "currency": "USD" } });
    caller.put("/v1/budgets", &cap).await.expect(200);
    let list = caller.get("/v1/budgets").await.expect(200);
    let spent = &list["data"][0]["spent"]["day"]["spent"];

    assert_eq!(*spent, json!({ "amount": "0.00", "currency": "USD" }));

    let until: jiff::Timestamp =
        list["data"][0]["spent"]["month"]["until"].as_str().unwrap().parse().unwrap();
    assert!(until > *world.now.lock().unwrap(), "the month has not ended");
    assert_eq!(list["data"][0]["daily"]["amount"], "10.00");

    let euros = json!({ "scope": "tenant", "daily": { "amount": "1", "currency": "EUR" } });
    caller.put("/v1/budgets", &euros).await.problem(422);
    caller.put("/v1/budgets", &json!({ "scope": "tenant" })).await.expect(200);
    assert_eq!(caller.get("/v1/budgets").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_policy_has_versions_and_a_rule_that_makes_no_sense_is_refused() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let none = caller.get("/v1/policies").await.expect(200);
    assert_eq!(none["data"][0]["version"], 0);

    for days in [30, 60] {
        caller.put("/v1/policies", &json!({ "suppression_days": days })).await.expect(200);
    }
    let versions = caller.get("/v1/policies?limit=1").await.expect(200);
    assert_eq!(versions["data"][0]["version"], 2);
    assert_eq!(versions["data"][0]["policy"]["suppression_days"], 60);
    assert_eq!(versions["data"][0]["policy"]["require_consent"], true);

    let cursor = versions["next_cursor"].as_str().unwrap();
    let older = caller.get(&format!("/v1/policies?cursor={cursor}")).await.expect(200);
    assert_eq!(older["data"][0]["version"], 1);

    caller.put("/v1/policies", &json!({ "frequency": { "hours": 0 } })).await.problem(422);
    caller.put("/v1/policies", &json!({ "no_such_rule": 1 })).await.problem(422);
    // A list would be read as the rules in order, and an empty one as the defaults.
    for (list, field) in [(json!([]), ""), (json!({ "quota": [600] }), "quota")] {
        let refused = caller.put("/v1/policies", &list).await.expect(422);
        assert_eq!(refused["errors"][0]["field"], field);
        assert_eq!(refused["errors"][0]["detail"], "expected an object, not an array");
    }
    let never = json!({ "quiet_hours": { "window": "daily 21:30-22:30" },
        "allowed_countries": ["US", "XX"], "frequency": { "messages": 0 } });
    let refused = caller.put("/v1/policies", &never).await;
    let detail = refused.body["errors"][0]["detail"].clone();
    let fields: Vec<String> = refused.problem(422).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["allowed_countries[1]", "frequency.messages", "quiet_hours.window"]);
    assert_eq!(detail, "`XX` does not fit: a country's two letters of ISO 3166");
    let wrong = json!({ "quiet_hours": { "window": "daily 22:00-06:00" } });
    let wrong = caller.put("/v1/policies", &wrong).await.expect(422);
    let detail = wrong["errors"][0]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("`\"daily 22:00-06:00\"` does not fit: the end must come"),
        "{detail}"
    );

    let versions = caller.get("/v1/policies?limit=1").await.expect(200);
    assert_eq!(versions["data"][0]["version"], 2);
}

#[tokio::test]
async fn a_policy_is_amended_rule_by_rule_and_each_answer_says_what_has_changed() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let patch = async |body: Value| caller.patch("/v1/policies", &body).await;
    let first = json!({ "suppression_days": 30, "quota": { "per_day": 500 } });
    let first = patch(first).await.expect(200);
    let changed = json!([
        { "rule": "quota.per_day", "from": 10_000_000, "to": 500 },
        { "rule": "suppression_days", "from": 90, "to": 30 },
    ]);
    assert_eq!((&first["version"], &first["changed"]), (&json!(1), &changed));

    let second = patch(json!({ "quota": { "per_hour": 50 } })).await.expect(200);
    assert_eq!(second["policy"]["quota"]["per_day"], 500, "what is not named stays");
    assert_eq!(second["changed"].as_array().unwrap().len(), 1);
    let third = patch(json!({ "suppression_days": null })).await.expect(200);
    assert_eq!(third["policy"]["suppression_days"], 90, "null is the default");

    let put = caller.put("/v1/policies", &json!({ "suppression_days": 30 })).await.expect(200);
    let rules: Vec<&Value> =
        put["changed"].as_array().unwrap().iter().map(|one| &one["rule"]).collect();
    assert_eq!(rules, ["quota.per_day", "quota.per_hour", "suppression_days"], "reset, and said");

    let refused = patch(json!({ "quota": { "per_day": 0, "per_second": 1 } })).await.problem(422);
    assert_eq!(refused, [("quota.per_second".to_owned(), "unknown_field".to_owned())]);
    patch(json!({ "quota": { "per_day": 0 } })).await.problem(422);
    patch(json!([1])).await.problem(422);

    let evening = json!({ "quiet_hours": { "window": "daily 18:00-20:00" } });
    let evening = patch(evening).await.expect(200);
    let warning = &evening["warnings"][0];
    assert_eq!(warning["rule"], "quiet_hours.window");
    assert_eq!(warning["states"], json!(["RI"]), "{warning}");
    assert!(patch(json!({ "quiet_hours": null })).await.expect(200)["warnings"].is_null());
    assert_eq!(caller.get("/v1/policies").await.expect(200)["data"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_switch_that_is_thrown_back_wakes_what_was_held_for_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    caller
        .put("/v1/kill-switch", &json!({ "scope": "tenant", "mode": "paused" }))
        .await
        .expect(200);
    let list = caller.get("/v1/kill-switch").await.expect(200);

    assert_eq!((&list["platform"], &list["data"][0]["mode"]), (&json!("on"), &json!("paused")));

    let mut db = world.database.superuser().await.unwrap();
    let insert = "insert into millrace.parked (tenant_id, message_id, turn, cause, cause_key, lane,
            payload, parked_at)
        select t, gen_random_uuid(), 1, 'kill_switch', k, 'bulk', '{}', now()
        from unnest(array['acme', 'acme', 'other'], array['switch:tenant', 'switch:sender:1',
            'switch:tenant']) as k (t, k)";
    sqlx::raw_sql(insert).execute(&mut db).await.unwrap();
    let on = caller.put("/v1/kill-switch", &json!({ "scope": "tenant", "mode": "on" })).await;

    assert_eq!(on.expect(200)["released"], 1);

    let woken = "select tenant_id || ' ' || what from millrace.wakes";
    let woken: Vec<String> = sqlx::query_scalar(woken).fetch_all(&mut db).await.unwrap();
    assert_eq!(woken, ["acme switch:tenant"], "no other cause, no other tenant");

    let again = json!({ "scope": "tenant", "mode": "paused" });
    caller.put("/v1/kill-switch", &again).await.expect(200);
    let left: i64 =
        sqlx::query_scalar("select count(*) from millrace.wakes").fetch_one(&mut db).await.unwrap();
    assert_eq!(left, 0, "what is held now waits by right");

    caller.put("/v1/kill-switch", &json!({ "scope": "tenant", "mode": "on" })).await.expect(200);
    assert_eq!(caller.get("/v1/kill-switch").await.expect(200)["data"], json!([]));

    let lost = json!({ "scope": "campaign", "target": uuid::Uuid::nil(), "mode": "paused" });
    caller.put("/v1/kill-switch", &lost).await.problem(422);
}

#[tokio::test]
async fn a_sender_that_is_on_again_wakes_what_waits_for_any_sender() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (first, _) = carrier(&caller, "one", "+12125550198").await;
    let (second, _) = carrier(&caller, "other", "+12125550199").await;
    let put = async |sender: &Value, mode: &str| {
        let switch = json!({ "scope": "sender", "target": sender, "mode": mode });
        caller.put("/v1/kill-switch", &switch).await.expect(200)
    };
    put(&first, "paused").await;
    put(&second, "paused").await;
    // What has both is held for the first of them.
    put(&second, "on").await;
    let woken = "select what from millrace.wakes order by what";
    let mut db = world.database.superuser().await.unwrap();
    let woken: Vec<String> = sqlx::query_scalar(woken).fetch_all(&mut db).await.unwrap();
    let mut both =
        [&first, &second].map(|sender| format!("switch:sender:{}", sender.as_str().unwrap()));
    both.sort_unstable();

    assert_eq!(woken, both);
}

#[tokio::test]
async fn a_company_changes_its_settings() {
    let world = World::start_with(|settings| settings.fresh = std::time::Duration::ZERO).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let before = admin.get("/v1/tenant").await.expect(200);
    let body = json!({ "name": " Acme Coffee ", "country": "MX", "time_zone": "America/Chicago" });
    let after = admin.patch("/v1/tenant", &body).await.expect(200);
    assert_eq!((&after["name"], &after["country"]), (&json!("Acme Coffee"), &json!("MX")));
    assert_eq!((&after["language"], &after["currency"]), (&before["language"], &json!("USD")));
    assert_eq!(admin.get("/v1/me").await.expect(200)["tenant"], after);
    let trail = admin.get("/v1/audit?action=tenant.changed").await.expect(200);
    assert_eq!(trail["data"][0]["detail"]["before"], before);

    let wrong =
        json!({ "name": "", "country": "Atlantis", "time_zone": "Mars", "language": "klingon" });
    let errors = admin.patch("/v1/tenant", &wrong).await.problem(422);
    let fields: Vec<_> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["name", "country", "time_zone", "language"]);
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.patch("/v1/tenant", &body).await.problem(403);
    let other = world.caller("globex", KeyRole::Admin).await;
    assert_eq!(other.get("/v1/tenant").await.expect(200)["id"], "globex");
}
