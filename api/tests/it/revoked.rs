//! Several processes of the ingress on one database, each with a memory of its own: what is taken
//! from somebody at one of them, the others refuse within five seconds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::{Caller, World};

/// Within which a revocation holds in every process.
const WITHIN: Duration = Duration::from_secs(5);

/// A person who was invited and has come; their tokens.
async fn comes(world: &World, by: &Caller, name: &str) -> Value {
    let email = format!("{name}@example.com");
    let invited = by.post("/v1/invitations", &json!({ "email": email, "role": "admin" })).await;
    let code = invited.expect(201)["code"].clone();
    let accepted = json!({ "code": code, "name": name, "password": "a mill by the river" });
    world.with_token("").post("/v1/auth/accept-invitation", &accepted).await.expect(201)
}

fn with(world: &World, tokens: &Value) -> Caller {
    world.with_token(tokens["access_token"].as_str().unwrap())
}

/// Asks until the answer has this status. It must before the time is over.
async fn refused_with(status: u16, caller: &Caller, path: &str, since: Instant) {
    loop {
        let asked = since.elapsed();
        let answer = caller.get(path).await;
        if answer.status.as_u16() == status {
            return;
        }
        assert!(asked < WITHIN, "after {asked:?} {path} still answers {}", answer.status);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_is_revoked_at_one_process_every_other_refuses_within_five_seconds() {
    let world = World::start().await;
    let other = world.beside(|_| {}).await;
    let sleepy = world.beside(|settings| settings.fresh = Duration::from_secs(3_600)).await;

    let owner = world.caller("acme", KeyRole::Owner).await;
    let body = json!({ "name": "shop", "role": "operator" });
    let key = owner.post("/v1/api-keys", &body).await.expect(201);
    let shop = world.with_token(key["key"].as_str().unwrap());
    let tokens = [
        comes(&world, &owner, "ana").await,
        comes(&world, &owner, "ben").await,
        comes(&world, &owner, "cleo").await,
    ];
    let [ana, ben, cleo] = tokens.each_ref().map(|tokens| with(&world, tokens));
    let [user_ana, _, user_cleo] = tokens
        .each_ref()
        .map(|tokens| format!("/v1/users/{}", tokens["person"]["id"].as_str().unwrap()));

    // Each is known in every process.
    for process in [&other, &sleepy] {
        for caller in [&shop, &ana, &ben, &cleo] {
            caller.at(process).get("/v1/me").await.expect(200);
        }
        ana.at(process).get("/v1/users").await.expect(200);
    }

    // A key is revoked, a role is changed, a session is ended and a person is removed.
    let key = format!("/v1/api-keys/{}", key["id"].as_str().unwrap());
    owner.delete(&key).await.expect(200);
    owner.patch(&user_ana, &json!({ "role": "viewer" })).await.expect(200);
    ben.post("/v1/auth/logout", &json!({})).await.expect(204);
    owner.delete(&user_cleo).await.expect(200);

    let since = Instant::now();
    let [shop_there, ana_there, ben_there, cleo_there] =
        [&shop, &ana, &ben, &cleo].map(|caller| caller.at(&other));
    tokio::join!(
        refused_with(401, &shop_there, "/v1/me", since),
        refused_with(403, &ana_there, "/v1/users", since),
        refused_with(401, &ben_there, "/v1/me", since),
        refused_with(401, &cleo_there, "/v1/me", since),
    );
    ana.at(&other).get("/v1/me").await.expect(200);

    // One that asks the database once an hour believes what it knew: the others refuse because
    // they ask, not because they knew nothing.
    for caller in [&shop, &ben, &cleo] {
        caller.at(&sleepy).get("/v1/me").await.expect(200);
    }
    ana.at(&sleepy).get("/v1/users").await.expect(200);
}
