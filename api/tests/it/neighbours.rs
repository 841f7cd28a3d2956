//! One tenant's slow uploads use up what is its own, and take nothing from another tenant.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::{StreamExt, future::join_all, stream};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use store::settings::api_keys::KeyRole;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
};
use wire::Submitted;

use crate::harness::{Answer, Caller, World, send};

/// A body that begins and never ends. It adds a permit once its beginning is on its way.
fn stalled(begun: &Arc<Semaphore>) -> reqwest::Body {
    let begun = begun.clone();
    let first = stream::iter([Ok::<_, std::io::Error>(b"phone\n".to_vec())]);
    let rest = stream::once(async move {
        begun.add_permits(1);
        std::future::pending().await
    });
    reqwest::Body::wrap_stream(first.chain(rest))
}

fn upload(caller: &Caller, path: &str, kind: &str) -> RequestBuilder {
    caller.request(Method::POST, path).header("Content-Type", kind)
}

/// Begins so many uploads that stall, and goes on once `held` of them have sent their beginning.
async fn stall(
    caller: &Caller,
    (count, held): (usize, u32),
    path: &str,
    kind: &str,
) -> Vec<tokio::task::JoinHandle<Answer>> {
    let begun = Arc::new(Semaphore::new(0));
    let begin = || tokio::spawn(send(upload(caller, path, kind).body(stalled(&begun))));
    let uploads = (0..count).map(|_| begin()).collect();

    let all = begun.acquire_many(held);
    let all = tokio::time::timeout(Duration::from_secs(20), all).await.expect("they begin");
    drop(all.expect("open"));
    uploads
}

#[tokio::test]
async fn stalled_batches_and_imports_of_one_tenant_keep_no_other_waiting() {
    let world = World::start().await;
    let slow = world.caller("slow", KeyRole::Operator).await;
    let other = world.caller("other", KeyRole::Operator).await;
    let begun = Instant::now();
    let mut stalled = stall(&slow, (40, 40), "/v1/messages/batch", "application/json").await;
    stalled.extend(stall(&slow, (6, 4), "/v1/contacts/import", "text/csv").await);

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
    assert_eq!((count(408), count(429)), (44, 2), "{answers:?}");
}

#[tokio::test]
async fn a_tenant_that_uploads_slowly_still_sends_what_arrives() {
    let world = World::start().await;
    let slow = world.caller("slow", KeyRole::Operator).await;
    let _stalled = stall(&slow, (40, 40), "/v1/messages/batch", "application/json").await;

    let text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
    let batch = slow.post("/v1/messages/batch", &json!({ "messages": [text] })).await;

    assert_eq!(batch.expect(202)["accepted"], 1);
}

#[tokio::test]
async fn requests_of_one_tenant_that_wait_for_the_database_leave_connections_to_another() {
    let world = World::start().await;
    let slow = world.caller("slow", KeyRole::Operator).await;
    let other = world.caller("other", KeyRole::Operator).await;
    let contact = json!({ "phone": "+12125550100" });

    // Somebody holds the key under which all of these create something: each waits for its end.
    let mut holder = world.database.superuser().await.unwrap();
    let hold = "begin; insert into millrace.idempotency_keys values
                ('slow', 'k', '', 0, 'null', now())";
    sqlx::raw_sql(hold).execute(&mut holder).await.unwrap();
    let waiting = join_all((0..8).map(|_| slow.post_once("/v1/contacts", "k", &contact)));
    let others = async {
        let locks = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
        world.becomes(3, locks).await;
        for _ in 0..20 {
            let begun = Instant::now();
            other.get("/v1/contacts").await.expect(200);
            assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        }
        sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    };

    let (answers, ()) = tokio::join!(waiting, others);
    for answer in answers {
        answer.expect(201);
    }
}

#[tokio::test]
async fn a_caller_that_reads_no_answers_loses_its_connection_to_another() {
    let unread = Duration::from_secs(1);
    let world =
        World::start_with(|settings| (settings.connections, settings.unread) = (1, unread)).await;
    let address = world.base.trim_start_matches("http://").parse().unwrap();

    // It asks until nothing more is taken from it: its answers fill all that lies between.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let requests = b"GET /nothing HTTP/1.1\r\nHost: millrace\r\n\r\n".repeat(100);
    let second = Duration::from_secs(1);
    while tokio::time::timeout(second, stream.write_all(&requests)).await.is_ok_and(|ok| ok.is_ok())
    {
    }

    let other = world.http.get(format!("{}/v1/contacts", world.base)).send();
    let answer = tokio::time::timeout(Duration::from_secs(20), other).await;
    assert_eq!(answer.expect("a connection is free").unwrap().status().as_u16(), 401);
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

#[tokio::test]
async fn connections_that_one_caller_keeps_are_no_others_loss() {
    let world = World::start_with(|settings| settings.connections = 16).await;
    let other = world.caller("other", KeyRole::Operator).await;
    let address = world.base.trim_start_matches("http://").to_owned();

    // As many as there may be stay open, and more come all the time; none of them asks anything.
    let begun = Semaphore::new(0);
    let keeps = async {
        let mut kept = Vec::new();
        loop {
            kept.push(TcpStream::connect(&address).await.expect("a connection"));
            begun.add_permits(1);
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    let asks = async {
        let more_than_there_may_be = begun.acquire_many(20).await;
        drop(more_than_there_may_be.expect("open"));
        for _ in 0..20 {
            let begun = Instant::now();
            other.get("/v1/contacts").await.expect(200);
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
    };
    tokio::select! {
        () = keeps => {}
        () = asks => {}
    }
}

#[tokio::test]
async fn requests_of_one_tenant_that_wait_leave_connections_to_another() {
    let world = World::start_with(|settings| settings.connections = 16).await;
    let slow = world.caller("slow", KeyRole::Operator).await;
    let other = world.caller("other", KeyRole::Operator).await;

    // A message that may have been accepted just now is waited for.
    let missing = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, b"missing");
    let missing = format!("/v1/messages/{missing}");
    let waiting = join_all((0..24).map(|_| slow.get(&missing)));
    let asks = async {
        for _ in 0..20 {
            let begun = Instant::now();
            other.get("/v1/contacts").await.expect(200);
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        }
    };

    let (answers, ()) = tokio::join!(waiting, asks);
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    // Who is done makes room for one more.
    let (answered, refused) = (count(StatusCode::NOT_FOUND), count(StatusCode::TOO_MANY_REQUESTS));
    assert!(answered >= 4 && refused > 0, "{answered} {refused}");
    assert_eq!(answered + refused, 24);
}

#[tokio::test]
async fn many_single_texts_of_one_tenant_are_each_stored_once_whether_in_turns_or_at_once() {
    let world = World::start().await;
    let caller = world.caller("much", KeyRole::Operator).await;
    let post = |index: usize| {
        let key = format!("key-{}", index % 500);
        let text = json!({ "to": "+12125550100", "class": "transactional", "body": key });
        let caller = &caller;
        async move { caller.post_once("/v1/messages", &key, &text).await.expect(202)["id"].clone() }
    };

    // Far more than go out at once, and a part of them twice.
    let ids: Vec<serde_json::Value> = stream::iter((0..600).map(post)).buffered(64).collect().await;
    assert_eq!(ids[..100], ids[500..], "a repeat is the same message");

    let stored: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let stored: Vec<String> = stored.iter().map(|one| one.head.id.0.to_string()).collect();
    let distinct: BTreeSet<&str> = stored.iter().map(String::as_str).collect();
    let answered: BTreeSet<&str> = ids.iter().filter_map(|id| id.as_str()).collect();
    assert_eq!((distinct.len(), &distinct), (500, &answered));
}
