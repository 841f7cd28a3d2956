//! Files: the preview says what the import does, the counts sum up, a repeat changes nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::{Answer, Caller, World, send, streamed};

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
    assert_eq!(ana["consent_at"], "2026-01-02T05:00:00Z", "the day begins in New York");
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

/// The preview of a file of these bytes.
async fn previewed(caller: &Caller, query: &str, bytes: impl Into<Vec<u8>>) -> Answer {
    let path = format!("/v1/contacts/import/preview{query}");
    let request = caller.request(Method::POST, &path).header("Content-Type", "text/csv");
    send(request.body(bytes.into())).await
}

/// The outcome of each line, by its number.
fn outcomes(preview: &Value) -> Vec<(i64, String)> {
    let rows = preview["rows"].as_array().expect("rows").iter();
    rows.map(|row| (row["line"].as_i64().unwrap(), row["outcome"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn a_quote_swallows_nobody_and_lines_are_those_of_an_editor() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let open = "phone,first_name\n+12128890001,\"Ann\n+12128890002,Bob\n";
    let done = import(&caller, open).await;
    assert_eq!((&done["state"], &done["created"]), (&json!("failed"), &json!(0)));
    assert!(done["error"].as_str().unwrap().starts_with("line 2: a quote"), "{done}");

    let people = caller.get("/v1/contacts").await.expect(200);
    assert_eq!(people["data"], json!([]), "nobody has another person's number for a name");

    for end in ["\n", "\r\n", "\r"] {
        let file = [
            "phone,first_name",
            "",
            "+12128890001,\"Ann",
            "+12128890002,Bob",
            "+12128890003,Cy\"",
            "12,Nobody",
            "+12128890004,\"Di",
            "of the shop\"",
        ];
        let preview = previewed(&caller, "", file.join(end)).await.expect(200);
        let expected = [(3, "invalid"), (6, "invalid"), (7, "created")];
        assert_eq!(outcomes(&preview), expected.map(|(line, word)| (line, word.to_owned())));
        let reason = preview["rows"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("first_name") && reason.contains("quote"), "{reason}");
    }
}

#[tokio::test]
async fn files_are_read_as_people_have_them_or_refused_with_the_reason() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let utf16 = |text: &str| {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16().collect::<Vec<_>>());
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };

    for (bytes, encoding, delimiter) in [
        (b"phone,first_name\n+12128890001,Jos\xe9\n".to_vec(), "Windows-1252", ","),
        (utf16("phone\tfirst_name\r\n+12128890001\tJos\u{e9}\r\n"), "UTF-16", "\t"),
        ("sep=;\nphone;first_name\n+12128890001;Jos\u{e9}\n".into(), "UTF-8", ";"),
        ("phone|first_name\n+12128890001|Jos\u{e9}\n".into(), "UTF-8", "|"),
        (
            "phone;\"Notes, likes, dislikes\";first_name\n+12128890001;x;Jos\u{e9}\n".into(),
            "UTF-8",
            ";",
        ),
    ] {
        let preview = previewed(&caller, "", bytes.clone()).await.expect(200);
        assert_eq!(
            (&preview["encoding"], &preview["delimiter"]),
            (&json!(encoding), &json!(delimiter))
        );
        assert_eq!(preview["created"], 1, "{preview}");
    }
    import(&caller, "phone\tfirst_name\n+12128890001\tJos\u{e9}\n").await;
    let people = caller.get("/v1/contacts").await.expect(200);
    assert_eq!(people["data"][0]["first_name"], "Jos\u{e9}");

    for (bytes, what) in [
        (b"PK\x03\x04\x14\0\x06\0".to_vec(), "xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1".to_vec(), "xls"),
        (b"\0\x01\x02".to_vec(), "binary"),
        (b"\xff\xfe\0\0p\0\0\0".to_vec(), "UTF-32"),
        (b"<!DOCTYPE html>\n<p>phone</p>".to_vec(), "HTML"),
    ] {
        let refused = previewed(&caller, "", bytes).await;
        let said = refused.body["detail"].as_str().unwrap().to_owned();
        assert!(said.contains(what) && said.contains("save it as CSV"), "{said}");
        assert_eq!(refused.problem(422)[0], ("file".to_owned(), "not_csv".to_owned()));
    }
}

#[tokio::test]
async fn numbers_are_read_as_spreadsheets_leave_them_or_refused() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let file = "phone,country\n1.2125550147E10,\n+6421123456.0,NZ\n1.21256E+10,US\n\
                447400123456,GB\n65 0555 0147,SG\n212 555 0148,Narnia\n";
    let preview = previewed(&caller, "", file).await.expect(200);

    let words: Vec<_> = outcomes(&preview).into_iter().map(|(_, word)| word).collect();
    assert_eq!(words, ["created", "created", "invalid", "created", "invalid", "invalid"]);
    let reason = preview["rows"][2]["reason"].as_str().unwrap();
    assert!(reason.contains("the spreadsheet has rounded this number"), "{reason}");

    import(&caller, file).await;
    let people = caller.get("/v1/contacts").await.expect(200);
    let mut numbers: Vec<_> = people["data"].as_array().unwrap().iter().collect();
    numbers.sort_by_key(|person| person["phone"].to_string());
    let numbers: Vec<_> = numbers.into_iter().map(|person| &person["phone"]).collect();
    assert_eq!(numbers, ["+12125550147", "+447400123456", "+6421123456"]);
}

#[tokio::test]
async fn two_columns_for_the_phone_are_refused_and_other_columns_are_named() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let two = "Phone,Mobile,Shoe Size\n+12128890001,+12128890002,43\n";
    let refused = previewed(&caller, "", two).await;
    assert!(refused.body["detail"].as_str().unwrap().contains("Phone and Mobile"));
    assert_eq!(refused.problem(422)[0], ("phone".to_owned(), "ambiguous".to_owned()));

    let says = "?mapping=%7B%22phone%22%3A%22Mobile%22%7D";
    let preview = previewed(&caller, says, two).await.expect(200);
    assert_eq!(preview["left_out"], json!(["Phone", "Shoe Size"]));

    let own = "?mapping=%7B%22phone%22%3A%22Mobile%22%2C%22attributes%22%3A%22*%22%7D";
    let preview = previewed(&caller, own, two).await.expect(200);
    assert_eq!(preview["left_out"], json!(["Phone"]));
    assert_eq!(
        preview["columns"][2],
        json!({ "column": "Shoe Size", "field": "attributes.shoe_size" })
    );
    let path = format!("/v1/contacts/import{own}");
    let accepted = caller.csv(&path, two).await.expect(202);
    finished(&caller, accepted["id"].as_str().unwrap()).await;
    let people = caller.get("/v1/contacts").await.expect(200);
    assert_eq!(people["data"][0]["phone"], "+12128890002");
    assert_eq!(people["data"][0]["attributes"], json!({ "shoe_size": "43" }));
}

#[tokio::test]
async fn nobody_consents_in_the_future_by_whatever_way() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let person = |at: &str| json!({ "phone": "+12125550100", "consent": { "at": at } });
    let refused = [("consent.at".to_owned(), "out_of_range".to_owned())];
    for at in ["2026-05-01T15:00:01Z", "2027-01-01", "2026-05-01 11:01"] {
        assert_eq!(caller.post("/v1/contacts", &person(at)).await.problem(422), refused, "{at}");
        let bulk = json!({ "contacts": [person(at)] });
        let answer = caller.post("/v1/contacts/bulk", &bulk).await.expect(200);
        assert_eq!(answer["results"][0]["errors"][0]["field"], "consent.at");

        let file = format!("phone,consent,consent_at\n+12125550100,yes,{at}\n");
        let preview = previewed(&caller, "", file).await.expect(200);
        assert_eq!(preview["rows"][0]["reason"], "consent.at: not in the future");
    }

    let made = caller.post("/v1/contacts", &person("2026-05-01 10:59")).await.expect(201);
    assert_eq!(made["consent_at"], "2026-05-01T14:59:00Z", "by the tenant's clock, New York's");
    let ledger = format!("/v1/contacts/{}/consent", made["id"].as_str().unwrap());
    let grant = json!({ "action": "grant", "at": "2026-05-01T15:00:01Z" });
    assert_eq!(caller.post(&ledger, &grant).await.problem(422)[0].0, "at");
}

#[tokio::test]
async fn a_time_of_consent_is_read_in_one_way_wherever_it_is_written() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    for (at, read) in [
        ("2026-03-04 10:00", "2026-03-04T15:00:00Z"),
        ("2026-03-05", "2026-03-05T05:00:00Z"),
        ("2026-04-06T10:00:00+02:00", "2026-04-06T08:00:00Z"),
    ] {
        let consent = json!({ "phone": "+12125550100", "consent": { "at": at } });
        let person = caller.post("/v1/contacts", &consent).await.body;
        assert_eq!(person["consent_at"], read, "{person}");

        let ledger = format!("/v1/contacts/{}/consent", person["id"].as_str().unwrap());
        let grant = json!({ "action": "grant", "at": at });
        caller.post(&ledger, &grant).await.expect(201);
        let lines = caller.get(&ledger).await.expect(200);
        assert_eq!(lines["data"][0]["at"], read, "{lines}");
        assert_eq!(lines["data"][1]["at"], read, "{lines}");
    }

    let person = caller.post("/v1/contacts", &json!({ "phone": "+12125550101" })).await.body;
    let ledger = format!("/v1/contacts/{}/consent", person["id"].as_str().unwrap());
    let wrong = caller.post(&ledger, &json!({ "action": "grant", "at": "soon" })).await;
    assert_eq!(wrong.problem(422), [("at".to_owned(), "invalid_time".to_owned())]);
}
