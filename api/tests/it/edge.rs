//! The edge: who asks too fast, pages of other origins, proxies, TLS.

use std::{sync::Arc, time::Duration};

use api::Tls;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client, Method};
use serde_json::json;
use store::settings::api_keys::KeyRole;

use tokio::io::AsyncReadExt;

use crate::harness::{World, send};

#[tokio::test]
async fn who_asks_too_fast_waits_and_others_do_not() {
    let world = World::start_with(|settings| settings.calls = (1, 3)).await;
    let (fast, other) =
        (world.caller("acme", KeyRole::Viewer).await, world.caller("acme", KeyRole::Viewer).await);

    let left = |answer: &crate::harness::Answer| answer.headers["ratelimit-remaining"].clone();
    let first = fast.get("/v1/me").await;
    assert_eq!(
        (first.headers["ratelimit-limit"].clone(), left(&first)),
        ("3".parse().unwrap(), "2".parse().unwrap())
    );
    fast.get("/v1/me").await.expect(200);
    fast.get("/v1/me").await.expect(200);
    let refused = fast.get("/v1/me").await;
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(left(&refused), "0");
    refused.problem(429);

    other.get("/v1/me").await.expect(200);
}

#[tokio::test]
async fn who_tries_many_credentials_from_one_place_waits() {
    let proxy = "127.0.0.1/32".parse().unwrap();
    let world = World::start_with(|settings| {
        settings.trusted_proxies = vec![proxy];
        settings.refused = (5, 200);
    })
    .await;
    let guesser = world.with_token("mr_live_guessed");
    let guess = |from: &str| {
        let request = guesser.request(Method::GET, "/v1/me").header("X-Forwarded-For", from);
        send(request)
    };

    let mut refused = 0;
    for _ in 0..240 {
        match guess("192.0.2.1, 198.51.100.1").await.status.as_u16() {
            401 => {}
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert!(refused > 0, "two hundred at once are enough");
    guess("192.0.2.1, 198.51.100.2").await.problem(401);
    guess("198.51.100.1, 198.51.100.3").await.problem(401);
}

#[tokio::test]
async fn pages_of_named_origins_may_call_and_others_may_not() {
    let named = "https://app.example.com";
    let world = World::start_with(|settings| settings.cors_origins = vec![named.to_owned()]).await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let preflight = |origin: &'static str| {
        let request = caller.request(Method::OPTIONS, "/v1/messages");
        let request = request.header("Origin", origin);
        let request = request.header("Access-Control-Request-Method", "POST");
        send(request.header("Access-Control-Request-Headers", "authorization,idempotency-key"))
    };

    let allowed = preflight(named).await;
    assert_eq!(
        (allowed.status.as_u16(), &allowed.headers["access-control-allow-origin"]),
        (200, &named.parse().unwrap())
    );
    assert_eq!(allowed.headers["access-control-allow-credentials"], "true");
    let other = preflight("https://evil.example").await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));

    let request = caller.request(Method::GET, "/v1/me").header("Origin", named);
    let answer = send(request).await;
    assert_eq!(answer.headers["access-control-allow-origin"], named);
    let shown = answer.headers["access-control-expose-headers"].to_str().unwrap().to_lowercase();
    assert!(shown.contains("retry-after") && shown.contains("ratelimit-remaining"), "{shown}");
}

#[tokio::test]
async fn without_named_origins_no_page_of_another_origin_may_call() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let request = caller.request(Method::GET, "/v1/me").header("Origin", "https://app.example.com");

    let answer = send(request).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    answer.expect(200);
}

/// A certificate for this machine in PEM, and what answers with it.
fn certificate() -> (String, Arc<Tls>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = boot::embedded::Scratch::new().unwrap();
    let (cert_file, key_file) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&cert_file, cert.pem()).unwrap();
    std::fs::write(&key_file, signing_key.serialize_pem()).unwrap();
    let mixed = Tls::read(&cert_file, &cert_file).expect_err("no key in it").to_string();
    assert!(mixed.contains("cert.pem"), "{mixed}");
    (cert.pem(), Arc::new(Tls::read(&cert_file, &key_file).unwrap()))
}

/// A client that trusts this certificate, or none of its own.
fn https(trusted: Option<&str>) -> Client {
    let builder = Client::builder().timeout(Duration::from_secs(5));
    let trusted = trusted.map(|pem| Certificate::from_pem(pem.as_bytes()).unwrap());
    trusted
        .into_iter()
        .fold(builder, |builder, one| builder.add_root_certificate(one))
        .build()
        .unwrap()
}

#[tokio::test]
async fn https_is_answered_with_the_certificate_that_is_named() {
    let (cert, tls) = certificate();
    let world = World::start_with(|settings| settings.tls = Some(tls)).await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let url = world.base.replace("http://127.0.0.1", "https://localhost");
    let ask = |client: Client| client.get(format!("{url}/v1/me")).bearer_auth(&caller.key).send();

    let answer = ask(https(Some(&cert))).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(ask(https(None)).await.is_err(), "a stranger's certificate");
    let plain = caller.request(Method::GET, "/v1/me").json(&json!({})).send().await;
    assert!(plain.is_err(), "plain http on a port of https");
}

#[tokio::test]
async fn who_does_not_shake_hands_makes_room_at_once() {
    let (cert, tls) = certificate();
    let world = World::start_with(|settings| {
        settings.tls = Some(tls);
        settings.connections = 1;
    })
    .await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let silent = tokio::net::TcpStream::connect(world.base.trim_start_matches("http://"));
    let mut silent = silent.await.unwrap();

    let url = world.base.replace("http://127.0.0.1", "https://localhost");
    let answer = https(Some(&cert)).get(format!("{url}/v1/me")).bearer_auth(&caller.key).send();
    assert_eq!(answer.await.unwrap().status(), 200);

    // Its connection is closed, and sooner than a handshake may take.
    let mut byte = [0];
    let closed = tokio::time::timeout(Duration::from_secs(4), silent.read(&mut byte));
    assert_eq!(closed.await.expect("closed").unwrap(), 0);
}
