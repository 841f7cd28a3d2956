//! Webhooks: genuine ones are stored, others leave nothing, and no database is needed.

use async_nats::jetstream::consumer::PullConsumer;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::ids::{TenantId, account_handle, carrier_id};
use futures::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use nix::sys::signal::Signal;
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use store::settings::api_keys::KeyRole;
use wire::WebhookRequest;

use crate::harness::{Answer, PUBLIC_URL, World, client, send};

const FORM: &str = "application/x-www-form-urlencoded";
const BODY: &str = "MessageSid=SM1&MessageStatus=delivered";
const PATH: &str = "/webhooks/twilio/main/status?m=1";

/// What the account "main" of the tenant "acme" is called on the broker.
fn handle() -> String {
    account_handle(Some(&"acme".parse().unwrap()), "main")
}

fn subject(kind: &str) -> String {
    format!("carrier.twilio.{}.{kind}", handle())
}

/// What Twilio writes into `X-Twilio-Signature` for this request.
pub(crate) fn signature(url: &str, body: &str) -> String {
    let mut pairs: Vec<_> = body.split('&').filter_map(|pair| pair.split_once('=')).collect();
    pairs.sort_unstable();
    let signed = pairs.iter().fold(url.to_owned(), |all, (name, value)| all + name + value);
    let mut mac = Hmac::<Sha1>::new_from_slice(b"secret").unwrap();
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

async fn deliver(world: &World, path: &str, body: &str, signature: &str) -> Answer {
    let request = world.http.post(format!("{}{path}", world.base)).header("Content-Type", FORM);
    send(request.header("X-Twilio-Signature", signature).body(body.to_owned())).await
}

async fn genuine(world: &World, path: &str, body: &str) -> Answer {
    deliver(world, path, body, &signature(&format!("{PUBLIC_URL}{path}"), body)).await
}

async fn with_account() -> World {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let body = json!({
        "account": "main", "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "secret",
    });
    caller.post("/v1/carrier-accounts", &body).await.expect(201);
    world.ready().await;
    world
}

#[tokio::test]
async fn a_genuine_webhook_is_stored_as_it_came() {
    let world = with_account().await;
    genuine(&world, PATH, BODY).await.expect(200);
    let stored: Vec<WebhookRequest> = world.published("CARRIER", &subject("status")).await;
    let [stored] = stored.as_slice() else { panic!("one, not {}", stored.len()) };
    assert_eq!(stored.tenant.as_ref().map(TenantId::as_str), Some("acme"));
    assert_eq!(stored.account, handle());
    assert_eq!((stored.query.as_str(), stored.body.as_slice()), ("m=1", BODY.as_bytes()));
    assert!(stored.trace.is_some());
    let inbound =
        genuine(&world, "/webhooks/twilio/main/inbound", "MessageSid=SM2&Body=STOP").await;
    assert_eq!(inbound.expect(200), "<Response/>");
    let texts: Vec<WebhookRequest> = world.published("TEXTS", &subject("inbound")).await;
    assert_eq!(texts.len(), 1);
}

#[tokio::test]
async fn a_repeat_has_the_same_id_by_the_carriers_token_or_by_its_content() {
    let world = with_account().await;
    let url = format!("{PUBLIC_URL}{PATH}");
    for token in ["t-1", "t-1", "t-2"] {
        let request = world.http.post(format!("{}{PATH}", world.base)).header("Content-Type", FORM);
        let request = request.header("I-Twilio-Idempotency-Token", token);
        let request = request.header("X-Twilio-Signature", signature(&url, BODY)).body(BODY);
        send(request).await.expect(200);
    }
    genuine(&world, PATH, BODY).await.expect(200);
    let stored: Vec<WebhookRequest> = world.published("CARRIER", &subject("status")).await;
    let ids: std::collections::HashSet<_> = stored.iter().map(|request| request.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.contains(&carrier_id(&handle(), "t-1")));
}

#[tokio::test]
async fn what_is_not_genuine_is_refused_and_leaves_nothing() {
    let world = with_account().await;
    let url = format!("{PUBLIC_URL}{PATH}");
    let refused = deliver(&world, PATH, BODY, "bm8=").await;
    assert_eq!(refused.body["title"], "The signature does not match");
    refused.problem(403);
    deliver(&world, PATH, "MessageSid=SM2", &signature(&url, BODY)).await.problem(403);
    // Signed for the address that was called, which is not the public one.
    let called = format!("{}{PATH}", world.base);
    deliver(&world, PATH, BODY, &signature(&called, BODY)).await.problem(403);
    let unsigned = world.http.post(format!("{}{PATH}", world.base)).header("Content-Type", FORM);
    send(unsigned.body(BODY)).await.problem(403);
    let xml = world.http.post(format!("{}{PATH}", world.base)).header("Content-Type", "text/xml");
    send(xml.body(BODY)).await.problem(415);
    let other = "/webhooks/twilio/other/status";
    genuine(&world, other, BODY).await.problem(404);
    let long = format!("Body={}", "x".repeat(1024 * 1024));
    genuine(&world, PATH, &long).await.problem(413);
    assert!(world.frames("CARRIER", &subject("status")).await.is_empty());
}

#[tokio::test]
async fn json_is_stored_where_the_signed_address_names_its_hash() {
    let world = with_account().await;
    let body = r#"{"MessageSid":"SM1","MessageStatus":"delivered"}"#;
    let path = format!("{PATH}&bodySHA256={}", wire::hex(&Sha256::digest(body)));
    let deliver = |path: String, body: &'static str| {
        let signature = signature(&format!("{PUBLIC_URL}{path}"), "");
        let request = world.http.post(format!("{}{path}", world.base));
        let request = request.header("Content-Type", "application/json; charset=utf-8");
        send(request.header("X-Twilio-Signature", signature).body(body))
    };

    deliver(path.clone(), r#"{"MessageSid":"SM2","MessageStatus":"delivered"}"#).await.problem(403);
    deliver(PATH.to_owned(), body).await.problem(403);
    deliver(path, body).await.expect(200);

    let stored: Vec<WebhookRequest> = world.published("CARRIER", &subject("status")).await;
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].body, body.as_bytes());
}

#[tokio::test]
async fn a_webhook_of_the_longest_body_is_stored() {
    let world = with_account().await;
    let long = format!("Body={}", "x".repeat(1024 * 1024 - "Body=".len()));
    genuine(&world, PATH, &long).await.expect(200);

    let stored: Vec<WebhookRequest> = world.published("CARRIER", &subject("status")).await;
    assert_eq!(stored[0].body, long.as_bytes());
}

#[tokio::test]
async fn a_webhook_needs_no_database() {
    let mut world = with_account().await;
    world.database.server().signal(Signal::SIGSTOP);
    let begun = std::time::Instant::now();
    genuine(&world, PATH, BODY).await.expect(200);
    assert!(begun.elapsed() < std::time::Duration::from_millis(500), "{:?}", begun.elapsed());
    world.database.server().signal(Signal::SIGCONT);
}

#[tokio::test]
async fn an_ingress_that_starts_without_a_database_knows_the_accounts_from_the_mirror() {
    let world = with_account().await;
    let (mut database, broker) = world.stop().await;
    let store = database.store(store::Role::Api).await.unwrap();
    database.server().signal(Signal::SIGSTOP);

    let app = api::App::new(api::Parts {
        store,
        broker: broker.connect().await.unwrap(),
        sealer: store::core::seal::Sealer::new(&[[1; 32]]),
        settings: api::ApiSettings { public_url: PUBLIC_URL.into(), ..api::ApiSettings::default() },
        now: std::sync::Arc::new(stage::machine::now),
    });
    assert!(!app.is_ready(), "nothing is known before it serves");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = tokio_util::sync::CancellationToken::new();
    let server = tokio::spawn(api::serve(listener, app.clone(), stop.clone()));

    let url = format!("{PUBLIC_URL}{PATH}");
    let http = client();
    let post = || {
        let request = http.post(format!("{base}{PATH}")).header("Content-Type", FORM);
        send(request.header("X-Twilio-Signature", signature(&url, BODY)).body(BODY))
    };
    let stored = async {
        loop {
            let answer = post().await;
            // Not known yet is never "does not exist".
            assert_ne!(answer.status, 404);
            if answer.status == 200 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), stored).await.expect("stored");
    assert!(app.is_ready());

    database.server().signal(Signal::SIGCONT);
    stop.cancel();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_by_the_tenants_name_means_the_account_whose_secret_signed() {
    let world = with_account().await;
    let other = world.caller("globex", KeyRole::Admin).await;
    let body = json!({
        "account": "main", "carrier": "twilio", "carrier_sid": "AC2", "auth_token": "other's",
    });
    other.post("/v1/carrier-accounts", &body).await.expect(201);

    genuine(&world, PATH, BODY).await.expect(200);
    let stored: Vec<WebhookRequest> = world.published("CARRIER", &subject("status")).await;
    assert_eq!(stored.len(), 1);
    let path = format!("/webhooks/twilio/{}/status", handle());
    genuine(&world, &path, BODY).await.expect(200);
}

#[tokio::test]
async fn while_half_of_the_receipts_is_unread_none_is_taken_and_a_stop_is() {
    let world = with_account().await;
    let broker = world.broker.connect().await.unwrap();
    let carrier = broker.api.get_stream("CARRIER").await.unwrap();
    let mut config = carrier.cached_info().config.clone();
    config.max_bytes = 512 * 1024;
    broker.api.update_stream(config).await.unwrap();
    let receipt = |number: usize| format!("MessageSid=SM{number}&Body={}", "x".repeat(16 * 1024));
    let limit = std::time::Duration::from_secs(20);

    // More than half of the stream, and not all of it: 18 of 16 KiB in base64.
    for number in 0..18 {
        genuine(&world, PATH, &receipt(number)).await.expect(200);
    }
    let refused = async {
        loop {
            let answer = genuine(&world, PATH, "MessageSid=SM99").await;
            if answer.status == 503 {
                return answer;
            }
            answer.expect(200);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let refused = tokio::time::timeout(limit, refused).await.expect("refused");
    assert!(refused.headers.contains_key("retry-after"));

    // A text has a stream of its own.
    let stop = "MessageSid=SM100&Body=STOP";
    genuine(&world, "/webhooks/twilio/main/inbound", stop).await.expect(200);

    // Once they are read, receipts are taken again.
    let reader = broker.api.get_consumer_from_stream("reconcile", "CARRIER").await;
    let reader: PullConsumer = reader.unwrap();
    let mut unread = reader.fetch().max_messages(1000).messages().await.unwrap();
    while let Some(one) = unread.next().await {
        read(&one.unwrap()).await;
    }
    let taken = async {
        while genuine(&world, PATH, "MessageSid=SM101").await.status != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(limit, taken).await.expect("taken again");
}

/// Reads an entry, as `reconcile` does.
#[expect(clippy::disallowed_methods, reason = "it stands in for a stage")]
async fn read(entry: &async_nats::jetstream::Message) {
    entry.double_ack().await.unwrap();
}
