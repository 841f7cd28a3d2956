//! One tenant's slow uploads use up what is its own, and take nothing from another tenant.

use std::time::{Duration, Instant};

use futures::{StreamExt, future::join_all, stream};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use store::settings::api_keys::KeyRole;

use crate::harness::{Answer, Caller, World, send};

/// A body that begins and never ends.
fn stalled() -> reqwest::Body {
    let begun = stream::iter([Ok::<_, std::io::Error>(b"phone\n".to_vec())]);
    reqwest::Body::wrap_stream(begun.chain(stream::pending()))
}

fn upload(caller: &Caller, path: &str, kind: &str) -> RequestBuilder {
    caller.request(Method::POST, path).header("Content-Type", kind)
}

/// Begins so many uploads that stall, and goes on once the ingress reads them.
async fn stall(
    caller: &Caller,
    count: usize,
    path: &str,
    kind: &str,
) -> Vec<tokio::task::JoinHandle<Answer>> {
    let begin = || tokio::spawn(send(upload(caller, path, kind).body(stalled())));
    let uploads = (0..count).map(|_| begin()).collect();

    // Their heads are with the ingress before those of whoever calls later on this machine.
    tokio::time::sleep(Duration::from_millis(300)).await;
    uploads
}

#[tokio::test]
async fn stalled_batches_and_imports_of_one_tenant_keep_no_other_waiting() {
    let world = World::start().await;
    let slow = world.caller("slow", KeyRole::Operator).await;
    let other = world.caller("other", KeyRole::Operator).await;
    let begun = Instant::now();
    let mut stalled = stall(&slow, 40, "/v1/messages/batch", "application/json").await;
    stalled.extend(stall(&slow, 6, "/v1/contacts/import", "text/csv").await);

    // The others are served at once, with everything that stalls still under way.
    let text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
    let batch = other.post("/v1/messages/batch", &json!({ "messages": [text] })).await;
    assert_eq!(batch.expect(202)["accepted"], 1);
    other.csv("/v1/contacts/import", "phone\n+12125550100\n").await.expect(202);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());

    // The slow ones are given up; of the files, those beyond the key's share are refused.
    let answers: Vec<u16> =
        join_all(stalled).await.into_iter().map(|one| one.unwrap().status.as_u16()).collect();
    let count = |status| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((count(408), count(503)), (44, 2), "{answers:?}");
}

#[tokio::test]
async fn a_tenant_that_uploads_slowly_still_sends_what_arrives() {
    let world = World::start().await;
    let slow = world.caller("slow", KeyRole::Operator).await;
    let _stalled = stall(&slow, 40, "/v1/messages/batch", "application/json").await;

    let text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
    let batch = slow.post("/v1/messages/batch", &json!({ "messages": [text] })).await;

    assert_eq!(batch.expect(202)["accepted"], 1);
}

#[tokio::test]
async fn files_of_one_tenant_take_turns_and_each_is_imported() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let file = |i: usize| {
        let lines = (0..500).map(|line| format!("+1212888{:04}\n", i * 500 + line));
        format!("phone\n{}", lines.collect::<String>())
    };

    let files: Vec<String> = (0..4).map(file).collect();
    let begun = join_all(files.iter().map(|file| caller.csv("/v1/contacts/import", file))).await;

    for answer in begun {
        answer.expect(202);
    }
    world.becomes(2_000, "select count(*) from millrace.contacts").await;
}
