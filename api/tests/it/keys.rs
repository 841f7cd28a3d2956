//! API keys: listed without the key itself, and revoked.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::{Caller, World};

/// The ids of a tenant's keys with this role.
async fn ids(caller: &Caller, role: &str) -> Vec<String> {
    let keys = caller.get("/v1/api-keys").await.expect(200);
    let keys = keys["data"].as_array().unwrap().iter().filter(|key| key["role"] == role);
    keys.map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_revoked_key_signs_nobody_in_and_the_trail_says_who_did_it() {
    let world = World::start_with(|settings| settings.fresh = std::time::Duration::ZERO).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let operator = world.caller("acme", KeyRole::Operator).await;
    operator.get("/v1/me").await.expect(200);

    let [id] = ids(&admin, "operator").await.try_into().expect("one key");
    let path = format!("/v1/api-keys/{id}");
    let revoked = admin.delete(&path).await.expect(200);
    assert_eq!((&revoked["role"], &revoked["name"]), (&"operator".into(), &"test".into()));
    assert_ne!(revoked["revoked_at"], Value::Null);
    assert_eq!(admin.delete(&path).await.expect(200), revoked, "done before");

    operator.get("/v1/me").await.problem(401);
    admin.get("/v1/me").await.expect(200);

    let trail = admin.get("/v1/audit?action=api_key.revoked").await.expect(200);
    assert_eq!(trail["data"].as_array().unwrap().len(), 1);
    assert_eq!(trail["data"][0]["subject"], format!("api_key:{id}"));
}

#[tokio::test]
async fn only_who_may_sees_and_revokes_keys_and_an_owners_key_is_an_owners() {
    let world = World::start().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let stranger = world.caller("globex", KeyRole::Owner).await;
    for role in [KeyRole::Operator, KeyRole::Agent, KeyRole::Viewer] {
        world.caller("acme", role).await.get("/v1/api-keys").await.problem(403);
    }

    let path = format!("/v1/api-keys/{}", ids(&admin, "owner").await[0]);
    admin.delete(&path).await.problem(403);
    stranger.delete(&path).await.problem(404);
    assert_eq!(ids(&stranger, "owner").await.len(), 1, "its own alone");
    owner.delete(&path).await.expect(200);
}

#[tokio::test]
async fn a_key_made_here_is_shown_once_and_does_what_its_scopes_say() {
    let world = World::start_with(|settings| settings.fresh = std::time::Duration::ZERO).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let body = json!({ "name": "shop", "role": "operator", "scopes": ["read", "send_messages"] });
    let made = admin.post("/v1/api-keys", &body).await.expect(201);
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with("mr_live_"), "{made}");

    let shop = world.with_token(key);
    let me = shop.get("/v1/me").await.expect(200);
    assert_eq!(me["permissions"], json!(["read", "send_messages"]));
    let refused = shop.post("/v1/contacts", &json!({ "phone": "+12125550123" })).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("scopes"), "{refused}");

    let listed = admin.get("/v1/api-keys").await.expect(200);
    let listed = listed["data"].as_array().unwrap().iter().find(|one| one["id"] == made["id"]);
    let listed = listed.unwrap();
    assert_eq!(listed["scopes"], made["scopes"]);
    assert_ne!(listed["last_used_at"], Value::Null, "{listed}");
    assert_eq!(listed["key"], Value::Null, "{listed}");

    let trail = admin.get("/v1/audit?action=api_key.created").await.expect(200);
    let subject = format!("api_key:{}", made["id"].as_str().unwrap());
    let entries = trail["data"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["subject"] == subject), "{trail}");
    assert!(!trail.to_string().contains(key), "the key is in no trail");
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_do_more_than_they() {
    let world = World::start().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let owners = json!({ "name": "owner's", "role": "owner" });
    admin.post("/v1/api-keys", &owners).await.problem(403);
    owner.post("/v1/api-keys", &owners).await.expect(201);

    let body = json!({ "name": "keys", "role": "admin", "scopes": ["read", "manage_keys"] });
    let made = owner.post("/v1/api-keys", &body).await.expect(201);
    let narrow = world.with_token(made["key"].as_str().unwrap());
    let more = json!({ "name": "more", "role": "operator" });
    let refused = narrow.post("/v1/api-keys", &more).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("send_messages"), "{refused}");
    let same = json!({ "name": "same", "role": "admin", "scopes": ["read"] });
    narrow.post("/v1/api-keys", &same).await.expect(201);
    for role in [KeyRole::Operator, KeyRole::Agent, KeyRole::Viewer] {
        world.caller("acme", role).await.post("/v1/api-keys", &same).await.problem(403);
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_new_key_is_said_field_by_field() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let body = json!({
        "name": " ", "role": "king", "scopes": ["read", "read", "fly"],
        "expires_at": "2020-01-01T00:00:00Z",
    });
    let refused = admin.post("/v1/api-keys", &body).await.problem(422);
    let fields: Vec<_> = refused.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["name", "role", "scopes[1]", "scopes[2]", "expires_at"]);

    let useless = json!({ "name": "shop", "role": "viewer", "scopes": ["read", "edit_contacts"] });
    let refused = admin.post("/v1/api-keys", &useless).await.problem(422);
    assert_eq!(refused, [("scopes[1]".to_owned(), "unexpected".to_owned())]);

    let body = json!({ "name": "shop", "role": "viewer" });
    let again = admin.request(reqwest::Method::POST, "/v1/api-keys");
    let again = again.header("Idempotency-Key", "one").json(&body).send().await.unwrap();
    assert_eq!(again.status(), 422, "a repeat could not show the key");
}

#[tokio::test]
async fn a_key_ends_when_it_was_to_end() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let end = *world.now.lock().unwrap() + jiff::SignedDuration::from_hours(1);
    let body = json!({ "name": "short", "role": "viewer", "expires_at": end });
    let made = admin.post("/v1/api-keys", &body).await.expect(201);
    let short = world.with_token(made["key"].as_str().unwrap());
    short.get("/v1/me").await.expect(200);

    let body = json!({ "name": "keys", "role": "admin", "expires_at": end });
    let made = admin.post("/v1/api-keys", &body).await.expect(201);
    let maker = world.with_token(made["key"].as_str().unwrap());
    let longer = json!({ "name": "longer", "role": "viewer" });
    assert_eq!(maker.post("/v1/api-keys", &longer).await.problem(422)[0].0, "expires_at");

    *world.now.lock().unwrap() = end;
    let refused = short.get("/v1/me").await.expect(401);
    assert!(refused["detail"].as_str().unwrap().contains("expired"), "{refused}");
}
