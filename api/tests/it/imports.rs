//! Files: the preview says what the import does, the counts sum up, a repeat changes nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::{Caller, World, send, streamed};

const FILE: &str = "\u{feff}Phone,First Name,Language,State,Tags,Consent,\
Consent Source,Consent At,Do Not Contact\r\n\
(212) 555-0100,Ana,es,NY,vip;new,yes,web,2026-01-02,\r\n\
+12125550101,\"Bo, Jr\",en,,,no,,,\r\n\
+12125550101,Bo,en,,,,,,\r\n\
12,Nobody,,,,,,,\r\n\
+12125550102,Cy,,,,,,,yes\r\n\
+12125550103,Di,klingon,,,,,,\r\n\
+12125550104,Ed,,,,perhaps,,,\r\n\
+61412345678,Flo,en,NSW,,TRUE,fair,,\r\n";

fn counts(of: &Value) -> [i64; 6] {
    ["total", "created", "updated", "unchanged", "duplicate", "invalid"]
        .map(|name| of[name].as_i64().expect(name))
}

async fn import(caller: &Caller, file: &str) -> Value {
    let accepted = caller.csv("/v1/contacts/import", file).await.expect(202);
    finished(caller, accepted["id"].as_str().unwrap()).await
}

async fn finished(caller: &Caller, id: &str) -> Value {
    let done = async {
        loop {
            let import = caller.get(&format!("/v1/imports/{id}")).await.expect(200);
            if import["state"] != "running" {
                return import;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("finished")
}

#[tokio::test]
async fn the_preview_says_what_the_import_does_and_a_repeat_is_a_no_op() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    caller
        .post("/v1/contacts", &json!({ "phone": "+12125550102", "first_name": "Old" }))
        .await
        .expect(201);
    let preview = caller.csv("/v1/contacts/import/preview", FILE).await.expect(200);
    assert_eq!(counts(&preview), [8, 3, 1, 0, 1, 3]);
    assert_eq!(preview["columns"][1], json!({ "column": "First Name", "field": "first_name" }));
    assert_eq!(preview["rows"][2]["reason"], "line 3 has the same number");
    assert_eq!(preview["rows"][3]["line"], 5);
    assert_eq!(caller.get("/v1/contacts").await.expect(200)["data"].as_array().unwrap().len(), 1);

    let done = import(&caller, FILE).await;
    assert_eq!(done["state"], "completed");
    assert_eq!(counts(&done), counts(&preview), "preview and import agree");
    let rows = format!("/v1/imports/{}/rows", done["id"].as_str().unwrap());
    let rows = caller.get(&rows).await.expect(200);
    let reasons: Vec<_> = preview["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["reason"].is_string())
        .cloned()
        .collect();
    assert_eq!(rows["data"], json!(reasons));

    let again = import(&caller, FILE).await;
    assert_eq!(counts(&again), [8, 0, 0, 4, 1, 3]);
    let mut db = world.database.superuser().await.unwrap();
    let ledger: i64 = sqlx::query_scalar("select count(*) from millrace.consents")
        .fetch_one(&mut db)
        .await
        .unwrap();
    assert_eq!(ledger, 3, "two grants and one stop, once");
    let people = caller.get("/v1/contacts").await.expect(200);
    let ana = people["data"].as_array().unwrap().iter().find(|c| c["first_name"] == "Ana").unwrap();
    assert_eq!(ana["tags"], json!(["new", "vip"]));
    assert_eq!(ana["consent_at"], "2026-01-02T00:00:00Z");
    let stopped = caller.get("/v1/do-not-contact").await.expect(200);
    assert_eq!(stopped["data"][0]["phone"], "+12125550102");
}

#[tokio::test]
async fn a_mapping_names_columns_and_a_file_without_phones_is_refused_at_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let file = "Who;Where\nAna;+12125550100\n";
    caller.csv("/v1/contacts/import", file).await.problem(422);
    let mapping = "%7B%22phone%22%3A%22Where%22%2C%22first_name%22%3A%22Who%22%7D";
    let path = format!("/v1/contacts/import/preview?mapping={mapping}");
    let preview = caller.csv(&path, file).await.expect(200);

    assert_eq!(preview["created"], 1);

    caller.csv("/v1/contacts/import?mapping=%7B%22x%22%3A%22Who%22%7D", file).await.problem(422);
    caller.csv("/v1/contacts/import?mapping=nonsense", file).await.problem(422);
    caller.post("/v1/contacts/import", &json!({})).await.problem(415);
}

#[tokio::test]
async fn an_import_under_a_key_runs_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let post = |file: &'static str| {
        let request = caller.request(Method::POST, "/v1/contacts/import");
        let request = request.header("Content-Type", "text/csv").header("Idempotency-Key", "f");
        send(request.body(file))
    };
    let first = post(FILE).await.expect(202);

    assert_eq!(post(FILE).await.expect(202), first);

    post("phone\n+12125550100\n").await.problem(422);
}

#[tokio::test]
async fn a_large_file_streams_in_and_progress_is_seen() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let mut parts = vec![b"phone,first_name,consent\n".to_vec()];
    for start in (0..20_000).step_by(1_000) {
        let lines = (start..start + 1_000).map(|n| format!("+1212{:07},N{n},yes\n", 2_000_000 + n));
        parts.push(lines.collect::<String>().into_bytes());
    }

    let request = caller.request(Method::POST, "/v1/contacts/import");
    let request = request.header("Content-Type", "text/csv").body(streamed(parts));
    let accepted = send(request).await.expect(202);
    let done = finished(&caller, accepted["id"].as_str().unwrap()).await;

    assert_eq!(counts(&done), [20_000, 20_000, 0, 0, 0, 0], "{done}");

    let mut db = world.database.superuser().await.unwrap();
    let recipient: i64 = sqlx::query_scalar(
        "select count(*) from millrace.standings s
         join millrace.contacts c using (tenant_id, number)
         where s.marketing_consent_at is not null",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();

    assert_eq!(recipient, 20_000);
}

#[tokio::test]
async fn a_quote_that_is_never_closed_ends_the_import_with_a_reason() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let file =
        format!("phone,first_name\n+12125550100,Ana\n+12125550101,\"{}", "x".repeat(900_000));
    let done = import(&caller, &file).await;

    assert_eq!(done["state"], "failed");
    assert_eq!(done["created"], 1, "what came before is in");
    assert!(done["error"].as_str().unwrap().contains("quote"), "{done}");
}

#[tokio::test]
async fn an_import_whose_process_is_gone_says_so() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let id = uuid::Uuid::from_u128(7);
    let mut db = world.database.superuser().await.unwrap();
    let insert = format!(
        "insert into millrace.imports (tenant_id, import_id, state, created_at, progressed_at)
         values ('acme', '{id}', 'running', now(), now() - interval '2 minutes')"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut db).await.unwrap();
    let import = caller.get(&format!("/v1/imports/{id}")).await.expect(200);

    assert_eq!(import["state"], "failed");
}
