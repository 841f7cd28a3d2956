//! A browser that signs in by cookies, and pages that try to use them.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    codes::{founder, world},
    harness::{Answer, World, send},
};

/// The cookies of an answer, as a browser sends them back.
fn cookies(answer: &Answer) -> String {
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs = set.filter_map(|line| line.to_str().unwrap().split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

/// A request with these cookies and nothing else that signs in.
fn request(world: &World, method: Method, path: &str, cookies: &str) -> RequestBuilder {
    world.with_token("").request(method, path).header("Cookie", cookies)
}

/// A browser that has signed in: its cookies and its token.
async fn browser(world: &World) -> (String, String) {
    founder(world, "mia@example.com", "Mia").await;
    let log_in = json!({
        "email": "mia@example.com", "password": "a mill by the river", "cookies": true,
    });
    let answer = world.with_token("").post("/v1/auth/login", &log_in).await;
    let kept = cookies(&answer);
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().cloned().collect();
    let body = answer.expect(200);
    assert!(body.get("access_token").is_none() && body.get("refresh_token").is_none(), "{body}");

    let line = |name: &str| {
        let lines = set.iter().map(|line| line.to_str().unwrap());
        lines.into_iter().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    for name in ["__Secure-mr_access", "__Secure-mr_refresh"] {
        let said = line(name);
        assert!(said.contains("HttpOnly") && said.contains("SameSite=Strict"), "{said}");
        assert!(said.ends_with("Secure"), "{said}");
    }
    assert!(line("__Secure-mr_refresh").contains("Path=/in/v1/auth;"));
    (kept, body["csrf_token"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_the_document_says_of_cookies_is_what_a_browser_has_to_send() {
    let world = world().await;
    let (kept, csrf) = browser(&world).await;
    let document: Value = serde_json::from_str(&api::documents::openapi_json()).unwrap();
    let contact = json!({ "phone": "+12125550123" });

    for (path, method, status) in
        [("/v1/contacts", "get", 200), ("/v1/contacts", "post", 201), ("/v1/me", "get", 200)]
    {
        let mut request =
            world.with_token("").request(method.to_uppercase().parse().unwrap(), path);
        if method == "post" {
            request = request.json(&contact);
        }
        // Of all cookies the one that is named, over https under its longer name; and the header.
        for (scheme, _) in document["paths"][path][method]["security"][1].as_object().unwrap() {
            let scheme = &document["components"]["securitySchemes"][scheme];
            let (name, place) = (scheme["name"].as_str().unwrap(), scheme["in"].as_str().unwrap());
            request = if place == "cookie" {
                let cookie = kept.split("; ").find(|one| one.contains(&format!("{name}=")));
                request.header("Cookie", cookie.unwrap())
            } else {
                request.header(name, &csrf)
            };
        }
        send(request).await.expect(status);
    }
}

#[tokio::test]
async fn a_browser_reads_with_its_cookie_and_says_its_token_to_change_something() {
    let world = world().await;
    let (kept, csrf) = browser(&world).await;
    let me = send(request(&world, Method::GET, "/v1/me", &kept)).await.expect(200);
    assert_eq!(me["person"]["name"], "Mia");

    let contact = json!({ "phone": "+12125550123" });
    let post = || request(&world, Method::POST, "/v1/contacts", &kept).json(&contact);
    let refused = send(post()).await.expect(403);
    assert!(refused["detail"].as_str().unwrap().contains("X-CSRF-Token"), "{refused}");
    send(post().header("X-CSRF-Token", "guess")).await.problem(403);
    send(post().header("X-CSRF-Token", &csrf)).await.expect(201);

    // A token is its session's alone.
    let other =
        json!({ "email": "mia@example.com", "password": "a mill by the river", "cookies": true });
    let other = world.with_token("").post("/v1/auth/login", &other).await.expect(200);
    let theirs = other["csrf_token"].as_str().unwrap();
    send(post().header("X-CSRF-Token", theirs)).await.problem(403);
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing() {
    let world = world().await;
    let (kept, csrf) = browser(&world).await;
    let post = |headers: &[(&str, &str)]| {
        let mut post = request(&world, Method::POST, "/v1/contacts", &kept);
        for (name, value) in headers {
            post = post.header(*name, *value);
        }
        post.header("X-CSRF-Token", &csrf).json(&json!({ "phone": "+12125550123" }))
    };
    send(post(&[("Origin", "https://evil.example")])).await.problem(403);
    send(post(&[("Origin", "null")])).await.problem(403);
    send(post(&[("Sec-Fetch-Site", "cross-site")])).await.problem(403);
    send(post(&[("Sec-Fetch-Site", "same-site")])).await.problem(403);
    send(post(&[("Origin", "https://hooks.example.test")])).await.expect(201);
    send(post(&[("Sec-Fetch-Site", "same-origin")])).await.expect(200);
}

#[tokio::test]
async fn a_browser_renews_switches_and_leaves_by_cookie() {
    let world = world().await;
    let (kept, csrf) = browser(&world).await;
    let renew = |kept: &str| request(&world, Method::POST, "/v1/auth/refresh", kept);
    send(renew(&kept).json(&json!({}))).await.problem(403);
    let renewed = send(renew(&kept).header("X-CSRF-Token", &csrf).json(&json!({}))).await;
    let kept = cookies(&renewed);
    let body = renewed.expect(200);
    assert!(body.get("access_token").is_none(), "{body}");
    assert_eq!(body["csrf_token"], csrf.as_str(), "it stays with the session");

    let switch = request(&world, Method::POST, "/v1/auth/switch", &kept);
    let switch = switch.header("X-CSRF-Token", &csrf).json(&json!({ "tenant": body["tenant"] }));
    let switched = send(switch).await;
    let kept = cookies(&switched);
    let body = switched.expect(200);
    assert!(body.get("refresh_token").is_none(), "a script gets nothing: {body}");

    let leave = request(&world, Method::POST, "/v1/auth/logout", &kept);
    let left = send(leave.header("X-CSRF-Token", &csrf)).await;
    let cleared: Vec<_> = left.headers.get_all("set-cookie").iter().cloned().collect();
    assert_eq!(left.status.as_u16(), 204);
    assert_eq!(cleared.len(), 3);
    assert!(cleared.iter().all(|line| line.to_str().unwrap().contains("Max-Age=0")));
    send(request(&world, Method::GET, "/v1/me", &kept)).await.problem(401);
    send(renew(&kept).header("X-CSRF-Token", &csrf).json(&json!({}))).await.problem(401);
}

#[tokio::test]
async fn a_refresh_without_its_token_uses_nothing_up() {
    let world = world().await;
    let (kept, csrf) = browser(&world).await;
    let renew = || request(&world, Method::POST, "/v1/auth/refresh", &kept).json(&json!({}));
    send(renew()).await.problem(403);
    send(renew().header("Origin", "https://evil.example").header("X-CSRF-Token", &csrf))
        .await
        .problem(403);
    let fine: Value = send(renew().header("X-CSRF-Token", &csrf)).await.expect(200);
    assert_eq!(fine["person"]["name"], "Mia");
}

#[tokio::test]
async fn a_key_in_a_cookie_signs_nobody_in_and_bearer_works_beside_cookies() {
    let world = world().await;
    let (kept, _) = browser(&world).await;
    let key = world.caller("acme", store::settings::api_keys::KeyRole::Admin).await;
    let as_cookie = format!("__Secure-mr_access={}", key.key);
    send(request(&world, Method::GET, "/v1/me", &as_cookie)).await.problem(403);
    let both = key.request(Method::POST, "/v1/contacts").header("Cookie", &kept);
    send(both.json(&json!({ "phone": "+12125550123" }))).await.expect(201);
}

#[tokio::test]
async fn the_page_of_a_link_loads_from_this_server_alone() {
    let world = world().await;
    let page = world.with_token("").get("/sign-in").await;
    let policy = page.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
    assert!(page.expect(200).as_str().unwrap().contains("sign-in.js"));
    let script = world.with_token("").get("/sign-in.js").await;
    assert!(script.expect(200).as_str().unwrap().contains("magic-link/verify"));
}
