//! Showing that an address is one's own: what a stranger has set up ends; who is replaced is told.

use serde_json::json;
use store::settings::api_keys::KeyRole;

use crate::codes::{PASSWORD, another, code, founder, said, with, world};

const NUMBER: &str = "+12125550123";

#[tokio::test]
async fn the_password_of_a_sign_up_is_the_one_that_comes_with_the_code() {
    let world = world().await;
    let nobody = world.with_token("");
    let eves = "eve was here first";
    let sign_up =
        |email: &str| json!({ "email": email, "company": "E", "name": "Eve", "password": eves });
    let log_in = |email: &str, password: &str| json!({ "email": email, "password": password });

    // A stranger has begun it, the owner of the address uses the code: with a password ...
    nobody.post("/v1/auth/signup", &sign_up("mia@example.com")).await.expect(202);
    let right = code(&world).await;
    let weak = json!({ "to": "mia@example.com", "code": right, "password": "password1234" });
    let refused = nobody.post("/v1/auth/otp/verify", &weak).await;
    assert_eq!(refused.problem(422)[0].0, "password", "and the code is good still");
    let verify = json!({ "to": "mia@example.com", "code": right, "password": PASSWORD });
    nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
    nobody.post("/v1/auth/login", &log_in("mia@example.com", eves)).await.problem(401);
    nobody.post("/v1/auth/login", &log_in("mia@example.com", PASSWORD)).await.expect(200);

    // ... or with none: then none signs in.
    nobody.post("/v1/auth/signup", &sign_up("ben@example.com")).await.expect(202);
    let verify = json!({ "to": "ben@example.com", "code": code(&world).await });
    nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
    nobody.post("/v1/auth/login", &log_in("ben@example.com", eves)).await.problem(401);

    // Nothing of a password waits in the row.
    nobody.post("/v1/auth/signup", &sign_up("zoe@example.com")).await.expect(202);
    let kept = "select count(*) from millrace.codes where sign_up::text like '%argon2%'";
    assert_eq!(world.number(kept).await, 0);
}

#[tokio::test]
async fn who_proves_an_address_first_ends_what_somebody_else_has_set_up() {
    let world = world().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let body = json!({ "email": "ana@example.com", "role": "viewer" });
    let code_of = owner.post("/v1/invitations", &body).await.expect(201)["code"].clone();
    let nobody = world.with_token("");
    let accepted = json!({ "code": code_of, "name": "Eve", "password": PASSWORD });
    let eve = nobody.post("/v1/auth/accept-invitation", &accepted).await.expect(201);
    assert_eq!(eve["person"]["email_verified"], false);
    let eves = with(&world, &eve);
    eves.post("/v1/me/addresses", &json!({ "to": NUMBER })).await.expect(202);
    let verify = json!({ "to": NUMBER, "code": code(&world).await });
    let eve = eves.post("/v1/me/addresses/verify", &verify).await.expect(200);
    assert_eq!(eve["phone"], NUMBER);

    nobody.post("/v1/auth/otp", &json!({ "to": "ana@example.com" })).await.expect(202);
    let verify = json!({ "to": "ana@example.com", "code": code(&world).await });
    let ana = nobody.post("/v1/auth/otp/verify", &verify).await.expect(200);
    assert_eq!(ana["person"]["email_verified"], true);
    assert!(ana["person"]["phone"].is_null(), "{ana}");
    let (channel, told) = said(&world).await.pop().unwrap();
    assert_eq!((channel.as_str(), told.to.as_str()), ("text", NUMBER));
    assert!(told.text.contains("signs in to Millrace no more"), "{}", told.text);
    eves.get("/v1/me").await.problem(401);
    let log_in = json!({ "email": "ana@example.com", "password": PASSWORD });
    nobody.post("/v1/auth/login", &log_in).await.problem(401);
    with(&world, &ana).get("/v1/me").await.expect(200);
    let trail = owner.get("/v1/audit?action=user.address_proven").await.expect(200);
    assert_eq!(trail["data"].as_array().unwrap().len(), 2, "Eve's number, Ana's mail");
}

#[tokio::test]
async fn an_address_is_proven_by_its_code_and_the_one_before_is_told() {
    let world = world().await;
    let tokens = founder(&world, "mia@example.com", "Mia").await;
    founder(&world, "ben@example.com", "Ben").await;
    let mia = with(&world, &tokens);
    let (ask, verify) = ("/v1/me/addresses", "/v1/me/addresses/verify");

    mia.post(ask, &json!({ "to": "+12125550123" })).await.expect(202);
    let right = code(&world).await;
    let wrong = json!({ "to": "+12125550123", "code": another(&right) });
    mia.post(verify, &wrong).await.problem(401);
    let person =
        mia.post(verify, &json!({ "to": "+12125550123", "code": right })).await.expect(200);
    assert_eq!(person["phone"], "+12125550123");

    // A number that is replaced is told by a text, and proving the same once more tells nobody.
    for (number, told) in [("+12125550124", "+12125550123"), ("+12125550124", "+12125550124")] {
        mia.post(ask, &json!({ "to": number })).await.expect(202);
        let new = json!({ "to": number, "code": code(&world).await });
        mia.post(verify, &new).await.expect(200);
        let (channel, last) = said(&world).await.pop().unwrap();
        assert_eq!((channel.as_str(), last.to.as_str()), ("text", told));
        assert_eq!(last.text.contains("has been replaced"), number != told, "{}", last.text);
    }

    mia.post(ask, &json!({ "to": "ben@example.com" })).await.expect(202);
    let theirs = json!({ "to": "ben@example.com", "code": code(&world).await });
    mia.post(verify, &theirs).await.problem(409);

    mia.post(ask, &json!({ "to": "new@example.com" })).await.expect(202);
    let new = json!({ "to": "new@example.com", "code": code(&world).await });
    let person = mia.post(verify, &new).await.expect(200);
    assert_eq!(
        (&person["email"], &person["email_verified"]),
        (&json!("new@example.com"), &json!(true))
    );
    let (channel, told) = said(&world).await.pop().unwrap();
    assert_eq!((channel.as_str(), told.to.as_str()), ("mail", "mia@example.com"));
    let trail = mia.get("/v1/audit?action=user.address_proven").await.expect(200).to_string();
    assert!(!trail.contains("example.com") && !trail.contains("2125550123"), "{trail}");
}
