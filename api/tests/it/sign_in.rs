//! People: invited, signed in, renewed, moved to another role, gone.

use domain::ids::TenantId;
use serde_json::{Value, json};
use store::{people::invitations, settings::api_keys::KeyRole};

use crate::harness::{Caller, World};

const PASSWORD: &str = "a mill by the river";

/// A platform on which what has changed is known at once.
async fn world() -> World {
    World::start_with(|settings| settings.fresh = std::time::Duration::ZERO).await
}

/// Somebody who was invited by this caller and has come; the tokens that they got.
async fn comes(world: &World, by: &Caller, email: &str, role: &str) -> Value {
    let invited = by.post("/v1/invitations", &json!({ "email": email, "role": role })).await;
    let code = invited.expect(201)["code"].clone();
    let accepted = json!({ "code": code, "name": "Ana", "password": PASSWORD });
    let nobody = world.with_token("nobody");
    nobody.post("/v1/auth/accept-invitation", &accepted).await.expect(201)
}

fn with(world: &World, tokens: &Value) -> Caller {
    world.with_token(tokens["access_token"].as_str().unwrap())
}

#[tokio::test]
async fn who_is_invited_comes_once_and_signs_in_with_their_password() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let body = json!({ "email": " Ana@Example.com", "role": "operator" });
    let invited = owner.post("/v1/invitations", &body).await.expect(201);
    assert_eq!(invited["email"], "ana@example.com");
    assert_eq!(invited["mailed"], false, "the platform sends no mail");
    let open = owner.get("/v1/invitations").await.expect(200);
    assert_eq!(open["data"][0]["id"], invited["id"]);
    assert!(!open.to_string().contains(invited["code"].as_str().unwrap()), "it is shown once");

    let nobody = world.with_token("nobody");
    let accepted = json!({ "code": invited["code"], "name": "Ana", "password": PASSWORD });
    let tokens = nobody.post("/v1/auth/accept-invitation", &accepted).await.expect(201);
    nobody.post("/v1/auth/accept-invitation", &accepted).await.problem(401);

    let me = with(&world, &tokens).get("/v1/me").await.expect(200);
    assert_eq!((&me["role"], &me["person"]["email"]), (&json!("operator"), &invited["email"]));
    let log_in = json!({ "email": "ANA@example.com", "password": PASSWORD });
    let again = nobody.post("/v1/auth/login", &log_in).await.expect(200);
    assert_eq!(again["tenant"], "acme");
    let sessions = with(&world, &again).get("/v1/me/sessions").await.expect(200);
    assert_eq!(sessions["data"].as_array().unwrap().len(), 2);
    assert_eq!(sessions["data"][0]["is_current"], true);
}

#[tokio::test]
async fn whoever_is_not_known_gets_the_answer_of_a_wrong_password() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    comes(&world, &owner, "ana@example.com", "viewer").await;
    let nobody = world.with_token("nobody");

    let wrong = json!({ "email": "ana@example.com", "password": "a mill by the sea" });
    let unknown = json!({ "email": "ben@example.com", "password": "a mill by the sea" });
    let wrong = nobody.post("/v1/auth/login", &wrong).await.expect(401);
    let unknown = nobody.post("/v1/auth/login", &unknown).await.expect(401);
    assert_eq!(wrong["detail"], unknown["detail"]);

    // Accepting the invitation was a try, and so was the wrong password.
    for _ in 0..8 {
        let guess = json!({ "email": "ana@example.com", "password": "guess" });
        nobody.post("/v1/auth/login", &guess).await.problem(401);
    }
    let right = json!({ "email": "ana@example.com", "password": PASSWORD });
    let late = nobody.post("/v1/auth/login", &right).await;
    assert!(late.headers.contains_key("retry-after"));
    late.problem(429);
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_its_session() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let first = comes(&world, &owner, "ana@example.com", "viewer").await;
    let nobody = world.with_token("nobody");
    let renew = |tokens: &Value| json!({ "refresh_token": tokens["refresh_token"] });

    let second = nobody.post("/v1/auth/refresh", &renew(&first)).await.expect(200);
    let third = nobody.post("/v1/auth/refresh", &renew(&second)).await.expect(200);
    with(&world, &third).get("/v1/me").await.expect(200);

    nobody.post("/v1/auth/refresh", &renew(&first)).await.problem(401);
    nobody.post("/v1/auth/refresh", &renew(&third)).await.problem(401);
    with(&world, &third).get("/v1/me").await.problem(401);
}

#[tokio::test]
async fn a_session_that_is_ended_is_good_for_nothing() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let one = comes(&world, &owner, "ana@example.com", "viewer").await;
    let nobody = world.with_token("nobody");
    let log_in = json!({ "email": "ana@example.com", "password": PASSWORD });
    let other = nobody.post("/v1/auth/login", &log_in).await.expect(200);
    let stranger = comes(&world, &owner, "ben@example.com", "viewer").await;

    let sessions = with(&world, &one).get("/v1/me/sessions").await.expect(200);
    let session = |is_current: bool| {
        let data = sessions["data"].as_array().unwrap();
        let found = data.iter().find(|session| session["is_current"] == is_current);
        format!("/v1/me/sessions/{}", found.unwrap()["id"].as_str().unwrap())
    };
    with(&world, &stranger).delete(&session(false)).await.problem(404);
    with(&world, &one).delete(&session(false)).await.expect(204);
    with(&world, &other).get("/v1/me").await.problem(401);
    let renew = json!({ "refresh_token": other["refresh_token"] });
    nobody.post("/v1/auth/refresh", &renew).await.problem(401);

    with(&world, &one).post("/v1/auth/logout", &json!({})).await.expect(204);
    with(&world, &one).get("/v1/me").await.problem(401);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let one = comes(&world, &owner, "ana@example.com", "viewer").await;
    let nobody = world.with_token("nobody");
    let log_in = json!({ "email": "ana@example.com", "password": PASSWORD });
    let other = nobody.post("/v1/auth/login", &log_in).await.expect(200);

    let ana = with(&world, &one);
    let wrong = json!({ "current": "not this one", "new": "a wheel in the water" });
    ana.put("/v1/me/password", &wrong).await.problem(401);
    let weak = json!({ "current": PASSWORD, "new": "password1234" });
    assert_eq!(ana.put("/v1/me/password", &weak).await.problem(422)[0].1, "common");
    let fine = json!({ "current": PASSWORD, "new": "a wheel in the water" });
    ana.put("/v1/me/password", &fine).await.expect(204);

    ana.get("/v1/me").await.expect(200);
    with(&world, &other).get("/v1/me").await.problem(401);
    nobody.post("/v1/auth/login", &log_in).await.problem(401);
}

#[tokio::test]
async fn one_person_works_for_two_companies_with_a_role_in_each() {
    let world = world().await;
    let acme = world.caller("acme", KeyRole::Owner).await;
    let globex = world.caller("globex", KeyRole::Owner).await;
    let first = comes(&world, &acme, "ana@example.com", "owner").await;

    let body = json!({ "email": "ana@example.com", "role": "viewer" });
    let invited = globex.post("/v1/invitations", &body).await.expect(201);
    let nobody = world.with_token("nobody");
    let wrong = json!({ "code": invited["code"], "name": "x", "password": "some other password" });
    nobody.post("/v1/auth/accept-invitation", &wrong).await.problem(401);
    let right = json!({ "code": invited["code"], "name": "x", "password": PASSWORD });
    let second = nobody.post("/v1/auth/accept-invitation", &right).await.expect(201);
    assert_eq!((&second["tenant"], &second["role"]), (&json!("globex"), &json!("viewer")));
    assert_eq!(second["person"]["name"], "Ana", "they are called what they were");

    let ana = with(&world, &first);
    let companies = ana.get("/v1/me/tenants").await.expect(200);
    assert_eq!(companies["data"][0]["id"], "acme");
    assert_eq!(companies["data"][1]["id"], "globex");
    let switched = ana.post("/v1/auth/switch", &json!({ "tenant": "globex" })).await.expect(200);
    let me = with(&world, &switched).get("/v1/me").await.expect(200);
    assert_eq!((&me["tenant"]["id"], &me["role"]), (&json!("globex"), &json!("viewer")));
    let renew = json!({ "refresh_token": switched["refresh_token"] });
    let renewed = nobody.post("/v1/auth/refresh", &renew).await.expect(200);
    assert_eq!(renewed["tenant"], "globex");

    let elsewhere = json!({ "tenant": "initech" });
    ana.post("/v1/auth/switch", &elsewhere).await.problem(403);
    acme.get("/v1/me/tenants").await.problem(403);
}

#[tokio::test]
async fn a_role_that_changes_and_a_person_who_leaves_are_known_at_once() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let tokens = comes(&world, &owner, "ana@example.com", "admin").await;
    let (ana, path) = (with(&world, &tokens), user(&tokens));
    ana.get("/v1/users").await.expect(200);

    let viewer = json!({ "role": "viewer" });
    assert_eq!(owner.patch(&path, &viewer).await.expect(200)["role"], "viewer");
    ana.get("/v1/users").await.problem(403);
    owner.delete(&path).await.expect(200);
    ana.get("/v1/me").await.problem(401);
    owner.get(&path).await.problem(404);
    let log_in = json!({ "email": "ana@example.com", "password": PASSWORD });
    world.with_token("nobody").post("/v1/auth/login", &log_in).await.problem(403);

    let trail = owner.get("/v1/audit").await.expect(200).to_string();
    for act in ["user.invited", "user.joined", "session.began", "user.role_changed", "user.removed"]
    {
        assert!(trail.contains(act), "{act}: {trail}");
    }
}

#[tokio::test]
async fn an_owner_is_an_owners_and_the_last_one_stays() {
    let world = world().await;
    let key = world.caller("acme", KeyRole::Owner).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let first = comes(&world, &key, "ana@example.com", "owner").await;
    let ana = with(&world, &first);
    let owner = json!({ "email": "ben@example.com", "role": "owner" });
    admin.post("/v1/invitations", &owner).await.problem(403);
    admin.patch(&user(&first), &json!({ "role": "viewer" })).await.problem(403);
    admin.delete(&user(&first)).await.problem(403);

    ana.patch(&user(&first), &json!({ "role": "admin" })).await.problem(409);
    ana.delete(&user(&first)).await.problem(409);

    let second = comes(&world, &ana, "ben@example.com", "owner").await;
    let ben = with(&world, &second);
    let (mine, theirs) = (user(&second), user(&first));
    let (one, other) = tokio::join!(ben.delete(&mine), ana.delete(&theirs));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two who leave at once one stays");
}

#[tokio::test]
async fn another_company_sees_no_people_and_no_invitations_of_this_one() {
    let world = world().await;
    let acme = world.caller("acme", KeyRole::Owner).await;
    let globex = world.caller("globex", KeyRole::Owner).await;
    let tokens = comes(&world, &acme, "ana@example.com", "viewer").await;
    let body = json!({ "email": "ben@example.com", "role": "viewer" });
    let invited = acme.post("/v1/invitations", &body).await.expect(201);

    assert_eq!(globex.get("/v1/users").await.expect(200)["data"], json!([]));
    assert_eq!(globex.get("/v1/invitations").await.expect(200)["data"], json!([]));
    globex.get(&user(&tokens)).await.problem(404);
    globex.patch(&user(&tokens), &json!({ "role": "owner" })).await.problem(404);
    globex.delete(&user(&tokens)).await.problem(404);
    let invitation = format!("/v1/invitations/{}", invited["id"].as_str().unwrap());
    globex.delete(&invitation).await.problem(404);
    acme.delete(&invitation).await.expect(204);
    let accept = json!({ "code": invited["code"], "name": "Ben", "password": PASSWORD });
    world.with_token("nobody").post("/v1/auth/accept-invitation", &accept).await.problem(401);
}

#[tokio::test]
async fn an_invitation_ends_after_seven_days() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let body = json!({ "email": "ana@example.com", "role": "viewer" });
    let code = owner.post("/v1/invitations", &body).await.expect(201)["code"].clone();
    let code = code.as_str().unwrap();

    let now = stage::machine::now();
    for (hours, is_good) in [(167, true), (169, false)] {
        let mut tx = world.store.scoped(["acme".parse::<TenantId>().unwrap()]).await.unwrap();
        let at = now + jiff::SignedDuration::from_hours(hours);
        let found = invitations::find(&mut tx, code, at).await.unwrap();
        assert_eq!(found.is_some(), is_good, "after {hours} hours");
    }
}

#[tokio::test]
async fn a_thousand_invitations_are_open_at_most_and_those_that_ended_make_room() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    world
        .run(
            "insert into millrace.invitations (tenant_id, invitation_id, hash, email, role,
                 invited_by, created_at, expires_at)
             select 'acme', gen_random_uuid(), sha256(n::text::bytea), n || '@example.com',
                 'viewer', 'operator', now(), now() + interval '1 day'
             from generate_series(1, 1000) n",
        )
        .await;
    let one_more = json!({ "email": "ana@example.com", "role": "viewer" });
    owner.post("/v1/invitations", &one_more).await.problem(409);
    let again = json!({ "email": "7@example.com", "role": "viewer" });
    owner.post("/v1/invitations", &again).await.expect(201);

    world.run("update millrace.invitations set expires_at = now()").await;
    owner.post("/v1/invitations", &one_more).await.expect(201);
    assert_eq!(world.number("select count(*) from millrace.invitations").await, 1);
}

#[tokio::test]
async fn nobody_gives_what_they_have_not() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let tokens = comes(&world, &owner, "ana@example.com", "viewer").await;
    let body = json!({ "name": "people", "role": "owner", "scopes": ["read", "manage_people"] });
    let key = owner.post("/v1/api-keys", &body).await.expect(201)["key"].clone();
    let narrow = world.with_token(key.as_str().unwrap());

    let admin = json!({ "email": "ben@example.com", "role": "admin" });
    let refused = narrow.post("/v1/invitations", &admin).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("send_messages"), "{refused}");
    narrow.patch(&user(&tokens), &json!({ "role": "admin" })).await.problem(403);
    let viewer = json!({ "email": "ben@example.com", "role": "viewer" });
    narrow.post("/v1/invitations", &viewer).await.expect(201);
}

#[tokio::test]
async fn a_switch_leaves_one_refresh_token_and_an_ended_session_none() {
    let world = world().await;
    let acme = world.caller("acme", KeyRole::Owner).await;
    let tokens = comes(&world, &acme, "ana@example.com", "viewer").await;
    let (ana, nobody) = (with(&world, &tokens), world.with_token("nobody"));
    let renew = |tokens: &Value| json!({ "refresh_token": tokens["refresh_token"] });

    let switched = ana.post("/v1/auth/switch", &json!({ "tenant": "acme" })).await.expect(200);
    nobody.post("/v1/auth/refresh", &renew(&tokens)).await.problem(401);
    let one = "select count(*) from millrace.refresh_tokens";
    assert_eq!(world.number(one).await, 1);

    let (body, body_again) = (renew(&switched), renew(&switched));
    let (first, second) = tokio::join!(
        nobody.post("/v1/auth/refresh", &body),
        nobody.post("/v1/auth/refresh", &body_again),
    );
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "of two at once one is the second");
    ana.post("/v1/auth/switch", &json!({ "tenant": "acme" })).await.problem(401);
}

#[tokio::test]
async fn who_works_here_already_keeps_their_role() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    comes(&world, &owner, "ana@example.com", "agent").await;
    let again = comes(&world, &owner, "ana@example.com", "admin").await;
    assert_eq!(again["role"], "agent");
    let trail = owner.get("/v1/audit?action=user.joined").await.expect(200);
    let roles = trail["data"].as_array().unwrap().iter().map(|entry| &entry["detail"]["role"]);
    assert!(roles.into_iter().all(|role| role == "agent"), "{trail}");
}

#[tokio::test]
async fn passwords_are_not_tried_through_invitation_after_invitation() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    comes(&world, &owner, "ana@example.com", "viewer").await;
    let nobody = world.with_token("nobody");
    let mut statuses = Vec::new();
    for _ in 0..11 {
        let body = json!({ "email": "ana@example.com", "role": "viewer" });
        let code = owner.post("/v1/invitations", &body).await.expect(201)["code"].clone();
        let guess = json!({ "code": code, "name": "x", "password": "is it this one?" });
        let answer = nobody.post("/v1/auth/accept-invitation", &guess).await;
        statuses.push(answer.status.as_u16());
    }
    assert!(statuses.ends_with(&[429]) && statuses.starts_with(&[401]), "{statuses:?}");
}

#[tokio::test]
async fn who_leaves_takes_their_invitations_and_their_company_along() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let tokens = comes(&world, &owner, "ana@example.com", "admin").await;
    let body = json!({ "email": "ben@example.com", "role": "admin" });
    let code =
        with(&world, &tokens).post("/v1/invitations", &body).await.expect(201)["code"].clone();

    owner.delete(&user(&tokens)).await.expect(200);
    let nobody = world.with_token("nobody");
    let accept = json!({ "code": code, "name": "Ben", "password": PASSWORD });
    nobody.post("/v1/auth/accept-invitation", &accept).await.problem(401);
    let renew = json!({ "refresh_token": tokens["refresh_token"] });
    nobody.post("/v1/auth/refresh", &renew).await.problem(403);
    nobody.post("/v1/auth/refresh", &renew).await.problem(403);
}

#[tokio::test]
async fn without_a_key_to_sign_with_nobody_signs_in_and_nothing_is_used_up() {
    let world = World::start_with(|settings| settings.jwt_keys.clear()).await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let body = json!({ "email": "ana@example.com", "role": "viewer" });
    let code = owner.post("/v1/invitations", &body).await.expect(201)["code"].clone();
    let accept = json!({ "code": code, "name": "Ana", "password": PASSWORD });
    let nobody = world.with_token("nobody");
    nobody.post("/v1/auth/accept-invitation", &accept).await.problem(503);
    assert_eq!(owner.get("/v1/invitations").await.expect(200)["data"][0]["email"], body["email"]);
    nobody.post("/v1/auth/login?tenant=acme", &accept).await.problem(422);
}

/// The path of a person by their tokens.
fn user(tokens: &Value) -> String {
    format!("/v1/users/{}", tokens["person"]["id"].as_str().unwrap())
}
