//! The do-not-contact list: put on, taken off, imported; and what is parked for who is put on it.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::World;

/// Messages to two people, one deferred to tomorrow and one held, and one by another channel.
const PARKED: &str = r#"
    insert into millrace.parked (tenant_id, message_id, turn, due, cause, cause_key, lane, payload,
        parked_at)
    select t, gen_random_uuid(), 1, due, 'c', 'switch:tenant', 'bulk',
        jsonb_build_object('head', jsonb_build_object('to', number, 'channel', channel)), now()
    from (values ('acme', '2026-05-02T00:00:00Z'::timestamptz, '+12125550100', 'sms'),
                 ('acme', null, '+12125550100', 'sms'),
                 ('acme', null, '+12125550100', 'whatsapp'),
                 ('acme', null, '+12125550101', 'sms'),
                 ('other', null, '+12125550100', 'sms')) as v (t, due, number, channel)"#;

const DUE: &str = "select count(*) from millrace.parked where due = '2026-05-01T15:00:00Z'";

#[tokio::test]
async fn what_is_parked_for_a_number_that_is_stopped_is_due_at_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let made = caller.post("/v1/contacts", &json!({ "phone": "+12125550101" })).await.expect(201);
    world.run(PARKED).await;
    let stop = json!({ "phone": "+12125550100", "reason": "asked by letter" });
    caller.post("/v1/do-not-contact", &stop).await.expect(201);
    assert_eq!(world.number(DUE).await, 2, "no other channel, number or tenant");

    let path = format!("/v1/contacts/{}/consent", made["id"].as_str().unwrap());
    caller.post(&path, &json!({ "action": "grant" })).await.expect(201);
    assert_eq!(world.number(DUE).await, 2, "a grant wakes nothing");

    caller.post(&path, &json!({ "action": "revoke" })).await.expect(201);
    assert_eq!(world.number(DUE).await, 3);
}

#[tokio::test]
async fn a_number_is_taken_off_for_a_reason_and_its_own_opt_out_stands() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let stop = json!({ "phone": "+12125550100", "reason": "asked by letter" });
    caller.post("/v1/do-not-contact", &stop).await.expect(201);
    world.run("update millrace.standings set opted_out_at = now()").await;
    let path = "/v1/do-not-contact/+12125550100";
    assert_eq!(caller.delete(path).await.problem(422)[0].0, "reason");

    let freed = caller.delete(&format!("{path}?reason=a+mistake")).await.expect(200);
    assert_eq!(freed["do_not_contact_at"], Value::Null);
    assert!(!freed["opted_out_at"].is_null());

    caller.delete(&format!("{path}?reason=again")).await.problem(404);
    caller.delete("/v1/do-not-contact/nonsense?reason=x").await.problem(404);
    let ledger = "select count(*) from millrace.consents where (action, source, previous)
                  = ('allow', 'a mistake', 'opted_out')";
    assert_eq!(world.number(ledger).await, 1);

    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.delete(&format!("{path}?reason=x")).await.problem(403);
}

#[tokio::test]
async fn the_list_is_filtered_by_number_channel_cause_and_time() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    for (phone, channel) in [("+12125550100", "sms"), ("+12125550100", "whatsapp")] {
        let stop = json!({ "phone": phone, "reason": "asked", "channel": channel });
        caller.post("/v1/do-not-contact", &stop).await.expect(201);
    }

    world
        .run(
            "insert into millrace.standings (tenant_id, number, channel, opted_out_at)
             values ('acme', '+12125550101', 'sms', '2026-01-01T00:00:00Z')",
        )
        .await;

    for (query, expected) in [
        ("", 3),
        ("?phone=(212)+555-0100", 2),
        ("?channel=whatsapp", 1),
        ("?cause=do_not_contact", 2),
        ("?cause=opted_out", 1),
        ("?since=2026-02-01T00:00:00Z", 2),
    ] {
        let list = caller.get(&format!("/v1/do-not-contact{query}")).await.expect(200);
        assert_eq!(list["data"].as_array().unwrap().len(), expected, "{query}");
    }

    caller.get("/v1/do-not-contact?cause=whim").await.problem(422);
    let page = caller.get("/v1/do-not-contact?limit=1").await.expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let rest = caller.get(&format!("/v1/do-not-contact?limit=1&cursor={next}")).await.expect(200);
    assert_eq!(rest["data"][0]["channel"], "whatsapp", "one number may be on two channels");
}

#[tokio::test]
async fn an_import_answers_each_row_and_changes_nothing_the_second_time() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let body = json!({ "rows": [
        { "phone": "+12125550100", "reason": "litigator" },
        { "phone": "(212) 555-0100", "reason": "again" },
        { "phone": "+12125550100", "reason": "news", "scope": "program", "program": "news" },
        { "phone": "12", "reason": "x" },
        { "phone": "+12125550101", "reason": "x", "shoe": 1 },
        { "phone": "+12125550101", "reason": " " },
        { "phone": "+12125550101", "reason": "complaint", "channel": "whatsapp" },
    ] });

    let path = "/v1/do-not-contact/import";
    let answer = caller.post(path, &body).await.expect(200);
    let outcomes = |answer: &Value| {
        let rows = answer["results"].as_array().unwrap().iter();
        rows.map(|row| row["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    assert_eq!(
        outcomes(&answer),
        ["created", "unchanged", "created", "invalid", "invalid", "invalid", "created"]
    );
    assert_eq!(answer["results"][1]["errors"][0]["code"], "duplicate");
    assert_eq!(answer["results"][4]["errors"][0]["field"], "shoe");

    let again = caller.post(path, &body).await.expect(200);
    assert_eq!(
        (&again["created"], &again["unchanged"], &again["invalid"]),
        (&json!(0), &json!(4), &json!(3))
    );

    let ledger = "select count(*) from millrace.consents where (action, method)
                  = ('do_not_contact', 'import')";
    assert_eq!(world.number(ledger).await, 3);

    let recipient = "select count(*) from millrace.standings where number = '+12125550100'
                    and do_not_contact_reason = 'litigator' and stopped_programs = '{news}'";
    assert_eq!(world.number(recipient).await, 1);
}

#[tokio::test]
async fn ten_thousand_lines_of_csv_are_one_import_and_one_more_is_too_many() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = "/v1/do-not-contact/import";
    let line = |n: usize| format!("+1212{:07},asked\r\n", 2_000_000 + n);
    let mut file = "\u{feff}Phone,Reason\r\n".to_owned();
    file.extend((0..10_000).map(line));
    let answer = caller.csv(path, &file).await.expect(200);

    assert_eq!(answer["created"], 10_000);

    let verdict = caller.get("/v1/audit/verify").await.expect(200);
    assert_eq!((&verdict["ok"], &verdict["entries"]), (&json!(true), &json!(10_001)));

    file.push_str(&line(10_000));
    assert_eq!(caller.csv(path, &file).await.problem(422)[0].1, "out_of_range");

    let errors = caller.csv(path, "phone,shoe\n+12125550100,9\n").await.problem(422);
    assert_eq!(errors[0], ("shoe".to_owned(), "unknown_field".to_owned()));
    assert_eq!(caller.csv(path, "phone\n+12125550100\n").await.problem(422)[0].0, "reason");

    let odd = "phone,reason,channel\n+12125550100,x,fax\n+12125550100,x\n";
    assert_eq!(caller.csv(path, odd).await.expect(200)["invalid"], 2);
}

#[tokio::test]
async fn a_list_is_read_as_people_have_it_and_a_quote_swallows_nobody() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = "/v1/do-not-contact/import";
    let words = |answer: &Value| {
        let results = answer["results"].as_array().unwrap().iter();
        results.map(|row| row["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let file = "sep=;\r\nPhone;Reason\r\n\r\n+12128890001;\"asked\r\n+12128890002;x\"\r\n\
                1.2128890003E10;asked\r\n";
    let answer = caller.csv(path, file).await.expect(200);
    assert_eq!(words(&answer), ["invalid", "created"]);
    let detail = answer["results"][0]["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("line 4: "), "{detail}");

    let open = "phone,reason\n+12128890004,asked\n+12128890005,\"asked\n+12128890006,asked\n";
    let answer = caller.csv(path, open).await.expect(200);
    assert_eq!(words(&answer), ["created", "invalid"]);
    let detail = answer["results"][1]["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("line 3: a quote"), "{detail}");

    let abroad = "phone,country,reason\n\n447400 123456,GB,asked\n65 0555 0147,SG,asked\n\
                  447400123456,GB,again\n7400 123456,Narnia,asked\n+12128890007,Narnia,asked\n";
    let answer = caller.csv(path, abroad).await.expect(200);
    assert_eq!(words(&answer), ["created", "invalid", "unchanged", "invalid", "created"]);
    let lines: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|row| row["line"].clone()).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7]);
    assert_eq!(answer["results"][2]["errors"][0]["detail"], "line 3 says the same");
    assert_eq!(answer["results"][3]["errors"][0]["field"], "country");
    let listed = caller.get("/v1/do-not-contact?phone=%2B447400123456").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let one = json!({ "phone": "07400 123457", "country": "United Kingdom", "reason": "asked" });
    let one = caller.post("/v1/do-not-contact", &one).await.expect(201);
    assert_eq!(one["phone"], "+447400123457");

    let twice = caller.csv(path, "phone,phone,reason\n1,2,x\n").await.problem(422);
    assert_eq!(twice[0], ("phone".to_owned(), "ambiguous".to_owned()));
    let workbook = caller.csv(path, "PK\u{3}\u{4}").await.problem(422);
    assert_eq!(workbook[0].1, "not_csv");
}

#[tokio::test]
async fn an_entry_says_what_it_stops_and_one_that_stops_more_takes_its_place() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let stopped = async |body: Value| {
        let listed = caller.post("/v1/do-not-contact", &body).await.expect(201);
        (listed["stops"].clone(), listed["reason"].clone())
    };
    let entry = |reason: &str| json!({ "phone": "+12125550100", "reason": reason });

    assert_eq!(
        stopped(entry("asked by letter")).await,
        (json!("marketing"), json!("asked by letter"))
    );
    assert_eq!(stopped(entry("Legal threat")).await, (json!("all"), json!("Legal threat")));
    assert_eq!(stopped(entry("asked again")).await, (json!("all"), json!("Legal threat")));

    let said = |stops: &str| json!({ "phone": "+12125550101", "reason": "asked", "stops": stops });
    assert_eq!(stopped(said("all")).await.0, "all");
    let wrong = caller.post("/v1/do-not-contact", &said("some")).await.problem(422);
    assert_eq!(wrong, [("stops".to_owned(), "unknown".to_owned())]);

    let path = "/v1/do-not-contact/+12125550101?reason=a+mistake";
    assert_eq!(caller.delete(path).await.expect(200)["stops"], Value::Null);
    assert_eq!(stopped(said("marketing")).await.0, "marketing");

    for (stop, stops) in [
        (json!({}), "marketing"),
        (json!({ "reason": "wrong number" }), "all"),
        (json!({ "reason": "moved", "stops": "all" }), "all"),
    ] {
        let phone = format!("+12125550{}", 200 + stop.to_string().len());
        let person = json!({ "phone": phone, "do_not_contact": stop });
        let made = caller.post("/v1/contacts", &person).await.expect(201);
        assert_eq!(made["do_not_contact_stops"], stops, "{stop}");
    }
    let ledger = "select count(*) from millrace.consents where stops = 'all'";
    assert_eq!(world.number(ledger).await, 4);
}
