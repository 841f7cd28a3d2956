//! Coming to a company without a password: by a number, by a code, or signed in already; and the
//! first password of whoever has none.

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    codes::{code, founder, said, with, world},
    harness::{Caller, World, send},
};

const NUMBER: &str = "+12125550123";
const ACCEPT: &str = "/v1/auth/accept-invitation";

/// Somebody who has founded a company by a number, and has no password; their tokens.
async fn by_phone(world: &World) -> Value {
    let nobody = world.with_token("");
    let new = json!({ "phone": NUMBER, "company": "Phones", "name": "Zoe" });
    nobody.post("/v1/auth/signup", &new).await.expect(202);
    let verify = json!({ "to": NUMBER, "code": code(world).await });
    nobody.post("/v1/auth/otp/verify", &verify).await.expect(200)
}

async fn invite(by: &Caller, address: &Value) -> Value {
    let mut body = address.clone();
    body["role"] = json!("viewer");
    by.post("/v1/invitations", &body).await.expect(201)
}

#[tokio::test]
async fn a_number_is_invited_by_text_and_its_person_shows_that_it_is_theirs() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let invited = invite(&owner, &json!({ "phone": "+1 212 555-0123" })).await;
    assert_eq!((&invited["phone"], &invited["email"]), (&json!(NUMBER), &Value::Null));
    assert_eq!((&invited["texted"], &invited["mailed"]), (&json!(true), &json!(false)));
    let (channel, text) = said(&world).await.pop().expect("a text");
    assert_eq!((channel.as_str(), text.to.as_str()), ("text", NUMBER));
    assert!(text.text.contains(invited["code"].as_str().unwrap()), "{}", text.text);
    let listed = owner.get("/v1/invitations").await.expect(200);
    assert_eq!(listed["data"][0]["phone"], NUMBER);

    // The invitation alone proves nothing of the number: whoever invites holds it too.
    let nobody = world.with_token("");
    let accept = json!({ "code": invited["code"], "name": "Zoe", "password": "a mill by a river" });
    let errors = nobody.post(ACCEPT, &accept).await.problem(422);
    assert_eq!(errors, [("proof".to_owned(), "required".to_owned())]);

    let ask = json!({ "code": invited["code"] });
    nobody.post("/v1/auth/invitation-code", &ask).await.expect(202);
    let proof = code(&world).await;
    let wrong = format!("{:06}", (proof.parse::<u32>().unwrap() + 1) % 1_000_000);
    let shown = |proof: &str| json!({ "code": invited["code"], "name": "Zoe", "proof": proof });
    nobody.post(ACCEPT, &shown(&wrong)).await.problem(401);
    let tokens = nobody.post(ACCEPT, &shown(&proof)).await.expect(201);
    assert_eq!((&tokens["tenant"], &tokens["role"]), (&json!("acme"), &json!("viewer")));
    assert_eq!(tokens["person"]["phone"], NUMBER);
    nobody.post(ACCEPT, &shown(&proof)).await.problem(401);

    // It is theirs from now on: a code signs them in.
    nobody.post("/v1/auth/otp", &json!({ "to": NUMBER })).await.expect(202);
    let verify = json!({ "to": NUMBER, "code": code(&world).await });
    nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
}

#[tokio::test]
async fn an_invitation_names_one_address_and_texts_are_counted_as_mails_are() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let both = json!({ "email": "ana@example.com", "phone": NUMBER, "role": "viewer" });
    owner.post("/v1/invitations", &both).await.problem(422);
    owner.post("/v1/invitations", &json!({ "role": "viewer" })).await.problem(422);
    let mixed = json!({ "phone": "ana@example.com", "role": "viewer" });
    owner.post("/v1/invitations", &mixed).await.problem(422);

    for _ in 0..5 {
        assert_eq!(invite(&owner, &json!({ "phone": NUMBER })).await["texted"], true);
    }
    assert_eq!(invite(&owner, &json!({ "phone": NUMBER })).await["texted"], false);
    assert_eq!(said(&world).await.len(), 5);
    let texted = "select sum(texted)::bigint from millrace.code_counts where key = '+1212'";
    assert_eq!(world.number(texted).await, 5, "as codes are: they cost as much");
}

#[tokio::test]
async fn somebody_signed_in_accepts_what_is_for_an_address_of_theirs() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let tokens = by_phone(&world).await;
    let (zoe, nobody) = (with(&world, &tokens), world.with_token(""));
    let invited = invite(&owner, &json!({ "phone": NUMBER })).await;
    let accept = json!({ "code": invited["code"] });
    nobody.post(ACCEPT, &accept).await.problem(401);
    owner.post(ACCEPT, &accept).await.problem(403);
    let mia = with(&world, &founder(&world, "mia@example.com", "Mia").await);
    mia.post(ACCEPT, &accept).await.problem(403);

    let joined = zoe.post(ACCEPT, &accept).await.expect(201);
    assert_eq!(joined["tenant"], "acme");
    assert_eq!(joined["person"]["id"], tokens["person"]["id"]);
    with(&world, &joined).get("/v1/me").await.expect(200);
    let companies = zoe.get("/v1/me/tenants").await.expect(200);
    assert_eq!(companies["data"].as_array().unwrap().len(), 2);

    // By mail, too, once it is shown to be hers.
    let globex = world.caller("globex", KeyRole::Owner).await;
    let invited = invite(&globex, &json!({ "email": "mia@example.com" })).await;
    let accept = json!({ "code": invited["code"] });
    world.run("update millrace.persons set email_verified_at = null").await;
    mia.post(ACCEPT, &accept).await.problem(403);
    world.run("update millrace.persons set email_verified_at = now() where email <> ''").await;
    mia.post(ACCEPT, &accept).await.expect(201);
}

#[tokio::test]
async fn a_browser_accepts_with_its_cookies_and_says_its_token() {
    let world = world().await;
    founder(&world, "mia@example.com", "Mia").await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let invited = invite(&owner, &json!({ "email": "mia@example.com" })).await;
    let log_in = json!({
        "email": "mia@example.com", "password": "a mill by the river", "cookies": true,
    });
    let answer = world.with_token("").post("/v1/auth/login", &log_in).await;
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs: Vec<_> = set.filter_map(|line| line.to_str().unwrap().split(';').next()).collect();
    let (kept, csrf) = (pairs.join("; "), answer.body["csrf_token"].as_str().unwrap().to_owned());

    let accept = json!({ "code": invited["code"], "cookies": true });
    let post = || {
        let request = world.with_token("").request(Method::POST, ACCEPT);
        request.header("Cookie", &kept).json(&accept)
    };
    send(post()).await.problem(403);
    let joined = send(post().header("X-CSRF-Token", csrf)).await.expect(201);
    assert_eq!(joined["tenant"], "acme");
    assert!(joined.get("access_token").is_none(), "{joined}");
}

#[tokio::test]
async fn whoever_is_known_needs_no_password_with_a_code_to_the_invited_address() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    by_phone(&world).await;
    let invited = invite(&owner, &json!({ "phone": NUMBER })).await;
    let nobody = world.with_token("");
    let guess = json!({ "code": invited["code"], "name": "Z", "password": "a mill by a river" });
    nobody.post(ACCEPT, &guess).await.problem(401);
    let ask = json!({ "code": invited["code"] });
    nobody.post("/v1/auth/invitation-code", &ask).await.expect(202);
    let shown = json!({ "code": invited["code"], "proof": code(&world).await });
    assert_eq!(nobody.post(ACCEPT, &shown).await.expect(201)["person"]["name"], "Zoe");

    // A code by which somebody else shows an address of theirs is none of an invitation.
    let invited = invite(&owner, &json!({ "email": "ben@example.com" })).await;
    let mia = with(&world, &founder(&world, "mia@example.com", "Mia").await);
    mia.post("/v1/me/addresses", &json!({ "to": "ben@example.com" })).await.expect(202);
    let shown = json!({ "code": invited["code"], "name": "Ben", "proof": code(&world).await });
    nobody.post(ACCEPT, &shown).await.problem(401);
}

#[tokio::test]
async fn whoever_has_no_password_sets_a_first_one_and_then_says_it_to_change_it() {
    let world = world().await;
    let zoe = with(&world, &by_phone(&world).await);
    let nobody = world.with_token("");
    zoe.put("/v1/me/password", &json!({ "new": "short" })).await.problem(422);
    let first = json!({ "new": "a wheel in the water" });
    assert_eq!(zoe.put("/v1/me/password", &first).await.status.as_u16(), 204);
    let log_in = json!({ "email": NUMBER, "password": "a wheel in the water" });
    nobody.post("/v1/auth/login", &log_in).await.expect(200);

    let next = json!({ "new": "another wheel in it" });
    let errors = zoe.put("/v1/me/password", &next).await.problem(422);
    assert_eq!(errors, [("current".to_owned(), "required".to_owned())]);
    let wrong = json!({ "current": "not the one it is", "new": "another wheel in it" });
    zoe.put("/v1/me/password", &wrong).await.problem(401);
    let right = json!({ "current": "a wheel in the water", "new": "another wheel in it" });
    assert_eq!(zoe.put("/v1/me/password", &right).await.status.as_u16(), 204);
    for action in ["user.password_set", "user.password_changed"] {
        let trail = zoe.get(&format!("/v1/audit?action={action}")).await.expect(200);
        assert_eq!(trail["data"].as_array().unwrap().len(), 1, "{action}");
    }
}
