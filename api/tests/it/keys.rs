//! API keys: listed without the key itself, and revoked.

use serde_json::Value;
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
