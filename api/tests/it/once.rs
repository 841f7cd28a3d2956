//! `Idempotency-Key`: the same key and body are one message for good, another body is refused as
//! soon as it can be known, and nothing without a key pays for that.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use api::ApiSettings;
use domain::ids::{MessageId, TenantId};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use store::settings::api_keys::KeyRole;
use wire::Submitted;

use crate::harness::{Answer, Caller, World, send};

const BULK: &str = "msg.submitted.bulk";

fn message(body: &str) -> Value {
    json!({ "to": "+12125550100", "class": "promo", "body": body })
}

fn key_reused() -> Vec<(String, String)> {
    vec![("Idempotency-Key".into(), "key_reused".into())]
}

async fn submitted(world: &World) -> Vec<Submitted> {
    world.published("SUBMITTED", BULK).await
}

/// A message of this caller that has a row.
async fn stored(world: &World, caller: &Caller, key: &str, body: &str) -> Value {
    let answer = caller.post_once("/v1/messages", key, &message(body)).await.expect(202);
    let submitted = submitted(world).await;
    let own = submitted.iter().find(|one| answer["id"] == one.head.id.to_string());
    world.store(own.expect("it is on the stream")).await;
    answer
}

#[tokio::test]
async fn another_body_under_a_key_is_refused_and_the_first_answer_stays() {
    let world = World::start().await;
    let acme = world.caller("acme", KeyRole::Operator).await;
    let globex = world.caller("globex", KeyRole::Operator).await;
    let first = stored(&world, &acme, "k-1", "first").await;
    let before = submitted(&world).await.len();
    let refused = acme.post_once("/v1/messages", "k-1", &message("second")).await;
    let detail = refused.body["errors"][0]["detail"].as_str().unwrap().to_owned();

    assert_eq!(refused.problem(422), key_reused());
    assert!(detail.contains("new key"), "it says what to do: {detail}");
    assert_eq!(submitted(&world).await.len(), before, "it is not published");
    assert_eq!(acme.post_once("/v1/messages", "k-1", &message("first")).await.expect(202), first);

    let theirs = globex.post_once("/v1/messages", "k-1", &message("second")).await.expect(202);
    assert_ne!(theirs["id"], first["id"], "another tenant's key is another key");
}

#[tokio::test]
async fn a_repeat_has_the_same_id_after_a_restart_and_beyond_the_dedup_window() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let api = world.broker.connect().await.unwrap().api;
    let mut config = api.get_stream("SUBMITTED").await.unwrap().get_info().await.unwrap().config;
    config.duplicate_window = Duration::from_millis(100);
    api.update_stream(&config).await.unwrap();

    let batch = json!({ "messages": [
        message("a"),
        { "to": "+12125550101", "class": "promo", "body": "b", "idempotency_key": "own" },
    ] });
    let ask = async |caller: &Caller| {
        let one = caller.post_once("/v1/messages", "k-1", &message("first")).await.expect(202);
        let many = caller.post_once("/v1/messages/batch", "k-1", &batch).await.expect(202);
        (one, many)
    };
    let first = ask(&caller).await;
    let tenant: TenantId = "acme".parse().unwrap();
    assert_eq!(first.0["id"], MessageId::from_key(&tenant, "k-1").to_string());
    let ids = [MessageId::from_batch(&tenant, "k-1", 0), MessageId::from_key(&tenant, "own")];
    assert_eq!(first.1["ids"], json!(ids));

    let key = caller.key.clone();
    let (database, broker) = world.stop().await;
    let world = World::start_on(database, broker, |_| {}).await;
    let caller = world.with_token(&key);
    assert_eq!(ask(&caller).await, first);
    // Once the broker has forgotten the frames it stores them again, so that only their rows tell.
    let forgotten = async {
        while submitted(&world).await.len() < 6 {
            assert_eq!(ask(&caller).await, first);
        }
    };
    tokio::time::timeout(Duration::from_secs(20), forgotten).await.expect("stored again");
    let mut same: Vec<(MessageId, String)> =
        submitted(&world).await.into_iter().map(|one| (one.head.id, one.body_hash)).collect();
    same.sort_unstable();
    same.dedup();
    assert_eq!(same.len(), 3, "each copy is one of three messages, body and all");
}

#[tokio::test]
async fn an_item_whose_key_is_taken_is_rejected_alone() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    stored(&world, &caller, "taken", "first").await;
    let item = |key: &str, body: &str| {
        let mut item = message(body);
        item["idempotency_key"] = json!(key);
        item
    };
    let items = [
        item("taken", "second"),
        item("taken", "first"),
        item("new", "one"),
        item("new", "other"),
        json!({ "to": "nobody", "class": "promo", "body": "x" }),
    ];

    let answer = caller.post("/v1/messages/batch", &json!({ "messages": items })).await.expect(202);
    let tenant: TenantId = "acme".parse().unwrap();
    let ids = ["taken", "new"].map(|key| MessageId::from_key(&tenant, key));
    assert_eq!((&answer["accepted"], &answer["ids"]), (&json!(2), &json!(ids)));

    let rejected: Vec<_> = answer["rejected"].as_array().unwrap().iter().collect();
    let indices: Vec<_> = rejected.iter().map(|one| one["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, [0, 3, 4]);

    for one in &rejected[..2] {
        let error = &one["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!("idempotency_key"), &json!("key_reused"))
        );
    }
}

#[tokio::test]
async fn a_batch_under_another_batchs_key_is_refused_as_a_whole() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let batch = |second: &str| json!({ "messages": [message("a"), message(second)] });
    caller.post_once("/v1/messages/batch", "b", &batch("b")).await.expect(202);
    let all = submitted(&world).await;
    for one in &all {
        world.store(one).await;
    }
    let refused = caller.post_once("/v1/messages/batch", "b", &batch("other")).await;
    let detail = refused.body["errors"][0]["detail"].as_str().unwrap().to_owned();

    assert_eq!(refused.problem(422), key_reused());
    assert!(detail.starts_with("messages[1]: "), "{detail}");
    assert_eq!(submitted(&world).await.len(), all.len(), "nothing of it is published");

    caller.post_once("/v1/messages/batch", "b", &batch("b")).await.expect(202);
}

#[tokio::test]
async fn a_batch_that_adds_to_another_under_its_key_is_refused_as_a_whole() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    // Items that have keys of their own are the batch's as well.
    let item = |text: &str| {
        let mut item = message(text);
        if text == "b" {
            item["idempotency_key"] = json!("own");
        }
        item
    };
    let batch = |texts: &[&str]| {
        let messages: Vec<Value> = texts.iter().map(|text| item(text)).collect();
        json!({ "messages": messages })
    };
    caller.post_once("/v1/messages/batch", "b", &batch(&["a", "b"])).await.expect(202);
    let all = submitted(&world).await;
    let key = all[0].batch.as_ref().expect("each item carries its batch");
    assert_eq!(all[1].batch.as_ref(), Some(key));
    world
        .run(&format!(
            "insert into millrace.batch_keys (tenant_id, batch_id, body_hash, at)
             values ('acme', '{}', '\\x{}', now())",
            key.id, key.body_hash
        ))
        .await;

    for other in [&["a", "b", "c"][..], &["a"], &["b", "a"]] {
        let refused = caller.post_once("/v1/messages/batch", "b", &batch(other)).await;
        assert_eq!(refused.problem(422), key_reused());
    }
    assert_eq!(submitted(&world).await.len(), all.len(), "nothing of them is published");
    caller.post_once("/v1/messages/batch", "b", &batch(&["a", "b"])).await.expect(202);
}

/// Counts the statements on tables of tenants: row-level security reads its scope once in each.
async fn count_statements(world: &World) {
    world
        .run(
            "create sequence millrace.statements;
             -- The first value is the one that it has anyway.
             select nextval('millrace.statements');
             grant all on millrace.statements to millrace_api, millrace_owner;
             create or replace function millrace.tenants_in_scope() returns text[]
                 language plpgsql stable as $$
             begin
                 perform nextval('millrace.statements');
                 return string_to_array(current_setting('millrace.tenants', true), ',');
             end $$",
        )
        .await;
}

const STATEMENTS: &str = "select last_value from millrace.statements";

#[tokio::test]
async fn keys_that_arrive_together_are_asked_for_together_and_no_key_asks_for_nothing() {
    let world = World::start().await;
    let callers = [
        world.caller("acme", KeyRole::Operator).await,
        world.caller("globex", KeyRole::Operator).await,
    ];
    for caller in &callers {
        stored(&world, caller, "taken", "first").await;
    }
    count_statements(&world).await;
    let before = world.number(STATEMENTS).await;
    let all = (0..64).map(|n| {
        let caller = callers[n % 2].clone();
        async move {
            let (key, body) =
                if n < 32 { ("taken".to_owned(), "second") } else { (n.to_string(), "x") };
            (n, caller.post_once("/v1/messages", &key, &message(body)).await)
        }
    });
    for (n, answer) in futures::future::join_all(all).await {
        let refused = answer.status == 422;
        assert_eq!(refused, n < 32, "request {n}: {}", answer.body);
    }

    let asked = world.number(STATEMENTS).await - before;
    assert!((1..40).contains(&asked), "{asked} statements for 64 keys");

    // A tenant's settings are read anew each second, so one of several batches may meet that.
    let cost = async |key: Option<&str>| {
        let mut least = i64::MAX;
        for n in 0..5 {
            let post = async || {
                let mut request = callers[0].request(Method::POST, "/v1/messages/batch");
                if let Some(key) = key {
                    request = request.header("Idempotency-Key", format!("{key}-{n}"));
                }
                let items: Vec<Value> = (0..200).map(|n| message(&format!("text {n}"))).collect();
                send(request.json(&json!({ "messages": items }))).await.expect(202);
            };

            // Its scope is read where a row is found: one of them has a row.
            post().await;
            world.store(submitted(&world).await.last().expect("a message")).await;
            let before = world.number(STATEMENTS).await;
            post().await;
            least = least.min(world.number(STATEMENTS).await - before);
        }
        least
    };
    assert_eq!(cost(None).await, 0, "no key, no query");
    assert_eq!(cost(Some("batch")).await, 1, "one query for 200 keys");
}

/// Waits little, and asks about its callers every time.
fn impatient(settings: &mut ApiSettings) {
    (settings.patience, settings.fresh) = (Duration::from_millis(50), Duration::ZERO);
}

/// Whether each answer came within the time that a request waits for the database, and some more.
fn in_time(begun: Instant) {
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

async fn twice(caller: &Caller) -> (Answer, Answer) {
    let begun = Instant::now();
    let one = caller.post_once("/v1/messages", "k-1", &message("second")).await;
    in_time(begun);
    let item = json!({ "messages": [{ "to": "+12125550100", "class": "promo", "body": "second",
                                      "idempotency_key": "k-1" }] });
    let many = caller.post("/v1/messages/batch", &item).await;
    in_time(begun);
    (one, many)
}

#[tokio::test]
async fn a_slow_database_keeps_no_message_out_and_enrich_decides() {
    let world = World::start_with(impatient).await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    stored(&world, &caller, "k-1", "first").await;
    let mut db = world.database.superuser().await.unwrap();
    let mut holding = db.begin().await.unwrap();
    let tables = "millrace.messages, millrace.tenants, millrace.api_keys";
    let lock = format!("lock table {tables} in access exclusive mode");
    holding.execute(sqlx::AssertSqlSafe(lock)).await.unwrap();
    // What is known of the caller is asked for again in the second round.
    for _ in 0..2 {
        let (one, many) = twice(&caller).await;
        one.expect(202);
        assert_eq!(many.expect(202)["accepted"], 1);
    }

    holding.rollback().await.unwrap();
    let known = async {
        while caller.post_once("/v1/messages", "k-1", &message("second")).await.status != 422 {}
    };
    tokio::time::timeout(Duration::from_secs(20), known).await.expect("it is known again");
    let hashes: std::collections::BTreeSet<String> =
        submitted(&world).await.into_iter().map(|one| one.body_hash).collect();

    assert_eq!(hashes.len(), 2, "the second body is enrich's to refuse");
}

#[tokio::test]
async fn without_the_database_messages_are_accepted_and_it_is_used_again_by_itself() {
    let mut world = World::start_with(impatient).await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    stored(&world, &caller, "k-1", "first").await;

    world.database.server().signal(Signal::SIGKILL);
    world.database.server().exited().await;
    for _ in 0..2 {
        let (one, many) = twice(&caller).await;
        one.expect(202);
        assert_eq!(many.expect(202)["accepted"], 1);
    }

    // A session of the database may outlive its first process for a moment, and answer.
    let unknown = world.with_token("mr_test_nobody");
    let away = async { while unknown.post("/v1/messages", &message("x")).await.status != 503 {} };
    tokio::time::timeout(Duration::from_secs(10), away).await.expect("the database is away");
    unknown.post("/v1/messages", &message("x")).await.problem(503);
    world.database.server().restart().await.unwrap();
    let known = async {
        while caller.post_once("/v1/messages", "k-1", &message("second")).await.status != 422 {}
    };
    tokio::time::timeout(Duration::from_secs(30), known).await.expect("it is known again");
}

#[tokio::test]
async fn a_thousand_equal_items_of_one_key_in_a_batch_are_published_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let item = json!({
        "to": "+12125550100", "class": "promo", "body": "Hello", "idempotency_key": "k-1",
    });

    let batch = json!({ "messages": vec![item; 1_000] });
    let answer = caller.post("/v1/messages/batch", &batch).await.expect(202);

    assert_eq!(answer["accepted"], 1_000);
    let ids: BTreeSet<&str> =
        answer["ids"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let published = submitted(&world).await;
    assert_eq!((ids.len(), published.len()), (1, 1));
    assert!(ids.contains(published[0].head.id.to_string().as_str()));
}

#[tokio::test]
async fn other_bodies_that_were_refused_afterwards_are_listed_and_their_ids_say_why() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let sender = world.caller("acme", KeyRole::Operator).await;
    let stranger = world.caller("globex", KeyRole::Owner).await;
    stored(&world, &sender, "k-1", "first").await;
    let tenant: TenantId = "acme".parse().unwrap();
    let (known, lone) =
        (MessageId::from_key(&tenant, "k-1"), MessageId::from_key(&tenant, "of a batch"));
    world
        .run(&format!(
            "insert into millrace.message_conflicts (tenant_id, message_id, body_hash, at) values
                 ('acme', '{known}', '\\x01', '2026-05-01T14:00:00Z'),
                 ('acme', '{known}', '\\x02', '2026-05-01T14:00:00Z'),
                 ('acme', '{lone}', '\\x01', '2026-05-01T15:00:00Z')"
        ))
        .await;

    let first = caller.get("/v1/messages/conflicts?limit=1").await.expect(200);
    let of_batch =
        json!({ "message_id": lone, "at": "2026-05-01T15:00:00Z", "message_exists": false });
    assert_eq!(first["data"], json!([of_batch]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = format!("/v1/messages/conflicts?limit=2&cursor={cursor}");
    let rest = caller.get(&rest).await.expect(200);
    let of_key =
        json!({ "message_id": known, "at": "2026-05-01T14:00:00Z", "message_exists": true });
    assert_eq!(rest, json!({ "data": [of_key], "next_cursor": null }));

    let missing = caller.get(&format!("/v1/messages/{lone}")).await;
    let detail = missing.body["detail"].as_str().unwrap().to_owned();
    missing.problem(404);
    assert!(detail.contains("another batch has") && detail.contains("2026-05-01"), "{detail}");
    let others = stranger.get("/v1/messages/conflicts").await.expect(200);
    assert_eq!(others["data"], json!([]));
    let missing = stranger.get(&format!("/v1/messages/{lone}")).await;
    assert_eq!(missing.body["detail"], "no message with this id");
}
