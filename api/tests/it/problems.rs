//! Every error has the same shape, and says what to do.

use std::time::Duration;

use api::ApiSettings;
use reqwest::Method;
use serde_json::json;
use store::settings::api_keys::KeyRole;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{JWT_KEY, World, send};

#[tokio::test]
async fn whatever_is_wrong_with_a_request_the_answer_is_a_problem() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let nobody = world.with_token("");
    nobody.get("/v1/me").await.problem(401);
    nobody.get("/v1/nowhere").await.problem(404);
    admin.get("/nowhere").await.problem(404);
    let answer = admin.put("/v1/messages", &json!({})).await;

    assert_eq!(answer.headers["allow"], "GET,HEAD,POST");

    answer.problem(405);
    let raw = admin.request(Method::POST, "/v1/messages").body("to=1");
    send(raw).await.problem(415);
    let typed = |body: &str| {
        let request = admin.request(Method::POST, "/v1/messages");
        send(request.header("Content-Type", "application/json").body(body.to_owned()))
    };
    typed("{").await.problem(400);

    assert_eq!(typed("[]").await.problem(422), [(String::new(), "invalid_type".to_owned())]);

    let long = format!("{{\"to\": \"{}\"}}", "1".repeat(300_000));
    typed(&long).await.problem(413);
    admin.get("/v1/contacts/not-an-id").await.problem(404);
    let query = admin.get("/v1/contacts?limit=0").await.problem(422);
    assert_eq!(query, [("limit".to_owned(), "out_of_range".to_owned())]);

    admin.get("/v1/contacts?cursor=%00").await.problem(422);
}

#[tokio::test]
async fn json_that_is_nested_without_end_is_refused_and_the_process_goes_on() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    // As deep as a body may be long.
    let deep = format!("{}{}", "[".repeat(120_000), "]".repeat(120_000));
    let send_to = |method: Method, path: &str, body: String| {
        let request = admin.request(method, path).header("Content-Type", "application/json");
        send(request.body(body))
    };
    let policy = send_to(Method::PATCH, "/v1/policies", format!("{{\"x\": {deep}}}"));
    policy.await.problem(400);
    for field in ["attributes", "phone", "unknown"] {
        let answer =
            send_to(Method::POST, "/v1/contacts", format!("{{\"{field}\": {deep}}}")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 422), "{field}: {}", answer.body);
    }
    let bulk = format!("{{\"contacts\": [{deep}]}}");
    let bulk = send_to(Method::POST, "/v1/contacts/bulk", bulk).await.expect(200);
    assert_eq!(bulk["results"][0]["outcome"], "invalid", "{bulk}");
    admin.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn a_request_keeps_its_own_id_and_others_get_one() {
    let world = World::start().await;
    let request = world.http.get(format!("{}/v1/me", world.base)).header("x-request-id", "abc-1");
    assert_eq!(send(request).await.body["request_id"], "abc-1");
    let request = world.http.get(format!("{}/v1/me", world.base)).header("x-request-id", "a b");
    assert_ne!(send(request).await.body["request_id"], "a b");
}

#[tokio::test]
async fn a_role_may_do_what_the_table_says_and_a_bad_token_nothing() {
    let world = World::start().await;
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    let me = viewer.get("/v1/me").await.expect(200);
    assert_eq!((&me["role"], &me["tenant"]["id"]), (&json!("viewer"), &json!("acme")));

    viewer.post("/v1/messages", &json!({})).await.problem(403);
    viewer.put("/v1/kill-switch", &json!({})).await.problem(403);
    let operator = world.caller("acme", KeyRole::Operator).await;
    operator.put("/v1/budgets", &json!({})).await.problem(403);
    operator.put("/v1/kill-switch", &json!({})).await.problem(422);
    for token in ["mr_test_nothing", "mr_live_", "x.y.z", "x"] {
        world.with_token(token).get("/v1/me").await.problem(401);
    }
}

#[tokio::test]
async fn a_token_is_accepted_until_it_expires_and_only_from_our_key() {
    let world = World::start().await;
    world.database.tenant("acme").await.unwrap();
    let token = |key: &[u8], seconds: i64, role: &str| {
        let exp = stage::machine::now().as_second() + seconds;
        let claims = json!({ "tenant": "acme", "sub": "ann", "role": role, "exp": exp });
        let key = jsonwebtoken::EncodingKey::from_secret(key);
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap()
    };

    let me = world.with_token(&token(&JWT_KEY, 60, "agent")).get("/v1/me").await.expect(200);
    assert_eq!(me["subject"], "user:ann");

    for bad in
        [token(&JWT_KEY, -60, "agent"), token(&[8; 32], 60, "agent"), token(&JWT_KEY, 60, "god")]
    {
        world.with_token(&bad).get("/v1/me").await.problem(401);
    }
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_ingress_ends() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let address = world.base.trim_start_matches("http://").to_owned();
    let body = json!({ "to": "+12125550123", "class": "promo", "body": "Hi" }).to_string();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        caller.key,
        body.len()
    );

    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body.as_bytes()[..10]).await.unwrap();
    // The head has been read once another request on a second connection was answered.
    caller.get("/v1/me").await.expect(200);
    let stopping = tokio::spawn(world.stop());
    while TcpStream::connect(&address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stream.write_all(&body.as_bytes()[10..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");

    stopping.await.unwrap();
}

#[tokio::test]
async fn every_answer_tells_a_browser_what_it_may_do_with_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    for path in ["/v1/me", "/v1/nothing", "/v1/users", "/openapi.json", "/docs/"] {
        let headers = caller.get(path).await.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["x-frame-options"], "DENY", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(policy.contains("default-src 'none'"), path != "/docs/", "{path}: {policy}");
    }
    let headers = caller.get("/v1/me").await.headers;
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["strict-transport-security"], "max-age=31536000", "it is reached by https");
}

#[tokio::test]
async fn over_http_a_browser_is_not_told_to_come_by_https() {
    let public = |settings: &mut ApiSettings| settings.public_url = "http://api.example".into();
    let world = World::start_with(public).await;
    let headers = world.with_token("").get("/v1/me").await.headers;
    assert!(!headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_head_of_far_more_than_64_kib_is_not_read() {
    let world = World::start().await;
    let request =
        world.http.get(format!("{}/v1/me", world.base)).header("x-long", "x".repeat(200_000));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 431);
}
