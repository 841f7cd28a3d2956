//! Lists of messages: in order, filtered, and never more than 10,000 looked at for a page.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World, send},
    settings::{carrier, promo, template},
};

/// Messages of a tenant, one a second from the first of May on, each to a contact that is `to` of
/// its number. `changes` says what is otherwise about the message of number `n`.
async fn messages(world: &World, tenant: &str, count: u32, to: &str, changes: &str) {
    world
        .run(&format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport)
             select '{tenant}', gen_random_uuid(), 22, 'promo', 'sms', gen_random_uuid(), {to},
                 'text ' || n, 1, 7900, '', timestamptz '2026-05-01' + n * interval '1 s',
                 '2026-05-01', '[]'
             from generate_series(1, {count}) n;
             {changes}"
        ))
        .await;
}

/// The texts of every page from this one on, and how many pages there were.
async fn all(caller: &Caller, path: &str) -> (Vec<String>, usize) {
    let (mut texts, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = caller.get(&format!("{path}{next}")).await.expect(200);
        let data = page["data"].as_array().expect("data");
        texts.extend(data.iter().map(|one| one["body"].as_str().expect("a text").to_owned()));
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { return (texts, pages) };
        next = format!("&cursor={cursor}");
    }
}

#[tokio::test]
async fn messages_are_listed_from_the_newest_on_and_nobody_elses() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let stranger = world.caller("globex", KeyRole::Owner).await;
    messages(&world, "acme", 7, "'+1212555010' || n", "").await;
    messages(&world, "globex", 3, "'+12125550100'", "").await;

    let (texts, pages) = all(&caller, "/v1/messages?limit=3").await;
    assert_eq!(texts, ["text 7", "text 6", "text 5", "text 4", "text 3", "text 2", "text 1"]);
    assert_eq!(pages, 3);
    assert_eq!(all(&stranger, "/v1/messages?limit=3").await.0.len(), 3);

    let first = caller.get("/v1/messages?limit=1").await.expect(200)["data"][0].clone();
    let path = format!("/v1/messages/{}", first["id"].as_str().unwrap());
    assert_eq!(caller.get(&path).await.expect(200), first, "as it is shown alone");

    let of = |query: &str| {
        let path = format!("/v1/messages?limit=50&{query}");
        let caller = caller.clone();
        async move { all(&caller, &path).await.0 }
    };
    assert_eq!(of("since=2026-05-01T00:00:06Z").await, ["text 7", "text 6"]);
    assert_eq!(of("until=2026-05-01T00:00:02Z").await, ["text 1"]);
    let both = "since=2026-05-01T00:00:03Z&until=2026-05-01T00:00:05Z";
    assert_eq!(of(both).await, ["text 4", "text 3"]);
    assert_eq!(of("status=sent").await, [""; 0]);
    assert_eq!(of("class=promo&status=sent,delivered").await.len(), 7);
}

#[tokio::test]
async fn a_page_looks_at_ten_thousand_messages_and_says_where_it_stopped() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let oldest = "update millrace.messages set code = '30003' where body = 'text 1'";
    messages(&world, "acme", 10_002, "'+12125550100'", oldest).await;

    let page = caller.get("/v1/messages?code=30003").await.expect(200);
    assert_eq!(page["data"], json!([]), "it is behind the first ten thousand");
    let cursor = page["next_cursor"].as_str().expect("where it stopped");

    let rest = caller.get(&format!("/v1/messages?code=30003&cursor={cursor}")).await.expect(200);
    assert_eq!(rest["data"][0]["body"], "text 1");
    assert_eq!(rest["next_cursor"], Value::Null);
    assert_eq!(all(&caller, "/v1/messages?code=30003&limit=1").await.0, ["text 1"]);
}

#[tokio::test]
async fn messages_to_one_number_are_found_however_many_others_there_are() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let tenant: domain::ids::TenantId = "acme".parse().unwrap();
    let contact = domain::ids::ContactId::of(&tenant, "+12125550101");
    let own = format!(
        "update millrace.messages set contact_id = '{contact}', number = '+12125550101'
         where body in ('text 2', 'text 4')"
    );
    messages(&world, "acme", 10_500, "'+12125550100'", &own).await;

    let path = "/v1/messages?limit=1&to=(212)%20555-0101";
    assert_eq!(all(&caller, path).await.0, ["text 4", "text 2"]);
    let since = format!("{path}&since=2026-05-01T00:00:03Z");
    assert_eq!(all(&caller, &since).await.0, ["text 4"]);
    let errors = caller.get("/v1/messages?to=12&status=gone").await.problem(422);
    let fields: Vec<_> = errors.iter().map(|error| error.0.as_str()).collect();
    assert_eq!(fields, ["to", "status"]);
    let errors = caller.get("/v1/messages?to=12&class=fast").await.problem(422);
    assert_eq!(errors[0].0, "class");
}

#[tokio::test]
async fn a_number_with_more_than_ten_thousand_messages_is_listed_as_well() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let tenant: domain::ids::TenantId = "acme".parse().unwrap();
    let contact = domain::ids::ContactId::of(&tenant, "+12125550101");
    let own = format!("update millrace.messages set contact_id = '{contact}'");
    messages(&world, "acme", 10_500, "'+12125550101'", &own).await;

    let path = "/v1/messages?limit=1000&to=%2B12125550101";
    let (texts, pages) = all(&caller, path).await;
    assert_eq!((texts.len(), texts[0].as_str(), pages), (10_500, "text 10500", 11));
}

#[tokio::test]
async fn messages_of_a_campaign_are_listed_in_the_order_of_its_audience() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    let campaign = promo(&template, &pool);
    let id = caller.post("/v1/campaigns", &campaign).await.expect(201)["id"].clone();
    let id = id.as_str().unwrap();
    let fed = format!(
        "update millrace.messages set campaign_id = '{id}' where body <> 'text 3';
         insert into millrace.campaign_recipients
         select tenant_id, '{id}', row_number() over (order by submitted_at) - 1, contact_id,
             message_id from millrace.messages where campaign_id = '{id}';
         insert into millrace.campaign_recipients
         values ('acme', '{id}', 4, gen_random_uuid(), gen_random_uuid())"
    );
    messages(&world, "acme", 5, "'+1212555010' || n", &fed).await;

    let path = format!("/v1/messages?limit=2&campaign={id}");
    assert_eq!(all(&caller, &path).await.0, ["text 1", "text 2", "text 4", "text 5"]);
    let one = format!("{path}&to=%2B12125550104");
    assert_eq!(all(&caller, &one).await.0, [""; 0], "its contact is another's");

    let stranger = world.caller("globex", KeyRole::Owner).await;
    stranger.get(&path).await.problem(404);
    caller.get("/v1/messages?campaign=nope").await.problem(422);
}

#[tokio::test]
async fn messages_are_found_by_their_sender_and_by_its_carrier() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, _) = carrier(&caller, "main", "+12125550199").await;
    let sender = sender.as_str().unwrap();
    let sent = format!(
        "update millrace.messages set sender_id = '{sender}' where body in ('text 1', 'text 3')"
    );
    messages(&world, "acme", 3, "'+1212555010' || n", &sent).await;

    for query in [
        format!("sender={sender}"),
        "carrier=twilio".to_owned(),
        format!("sender={sender}&carrier=twilio&status=delivered"),
    ] {
        let path = format!("/v1/messages?limit=1&{query}");
        assert_eq!(all(&caller, &path).await.0, ["text 3", "text 1"], "{query}");
    }
    let page = caller.get("/v1/messages?carrier=twilio").await.expect(200);
    assert_eq!(page["data"][0]["carrier"], "twilio");
    assert_eq!(all(&caller, "/v1/messages?limit=1&carrier=bandwidth").await.0, [""; 0]);
    let other = "/v1/messages?limit=1&sender=0198f1d2-0000-7000-8000-0000000000ff";
    assert_eq!(all(&caller, other).await.0, [""; 0]);

    for (query, field) in [("carrier=post", "carrier"), ("class=fast", "class")] {
        let errors = caller.get(&format!("/v1/messages?{query}")).await.problem(422);
        assert_eq!(errors, [(field.to_owned(), "unknown".to_owned())]);
    }
}

/// All messages in a format.
async fn exported(caller: &Caller, path: &str, format: &str) -> String {
    let request = caller.request(Method::GET, path).header("Accept", format);
    send(request).await.expect(200).as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn all_messages_are_exported_in_lines_or_as_a_table_each_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let commas = "update millrace.messages
                  set body = case body when 'text 2500' then E'text, \"2500\"\nSTOP'
                                       else '=HYPERLINK(1)' end
                  where body in ('text 2500', 'text 2499')";
    messages(&world, "acme", 2_500, "'+12125550100'", commas).await;
    messages(&world, "globex", 3, "'+12125550100'", "").await;

    let lines = exported(&caller, "/v1/messages", "application/x-ndjson").await;
    let lines: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let page = caller.get("/v1/messages?limit=1000").await.expect(200);
    assert_eq!(lines.len(), 2_500);
    assert_eq!(lines[..1000], page["data"].as_array().expect("data")[..], "as a page shows them");
    let ids: BTreeSet<&str> =
        lines.iter().map(|line| line["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 2_500, "each once");

    let table = exported(&caller, "/v1/messages", "text/csv").await;
    let mut table = csv::Reader::from_reader(table.as_bytes());
    let header = table.headers().expect("a header").clone();
    assert_eq!(&header[0], "id");
    let rows: Vec<_> = table.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 2_500);
    assert_eq!(&rows[0][header.len() - 1], "text, \"2500\"\nSTOP");
    assert_eq!(&rows[1][header.len() - 1], "'=HYPERLINK(1)", "it is no formula in a spreadsheet");
    assert_eq!((&rows[1][4], &lines[1]["body"]), ("+12125550100", &json!("=HYPERLINK(1)")));
    let same = rows.iter().zip(&lines).all(|(row, line)| line["id"] == row[0]);
    assert!(same, "in the same order");

    // A filter and a cursor hold for it as well; nothing at all has a header.
    let since = "/v1/messages?since=2026-05-01T00:41:00Z";
    assert_eq!(exported(&caller, since, "text/csv, */*").await.lines().count(), 43);
    let cursor = page["next_cursor"].as_str().expect("more");
    let rest = format!("/v1/messages?cursor={cursor}");
    assert_eq!(exported(&caller, &rest, "application/ndjson").await.lines().count(), 1_500);
    let none = exported(&caller, "/v1/messages?status=sent", "text/csv").await;
    assert_eq!(none.lines().count(), 1);
}

#[tokio::test]
async fn an_export_of_a_campaign_that_there_is_not_is_refused() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let path = "/v1/messages?campaign=0198f1d2-0000-7000-8000-0000000000ff";
    let request = caller.request(Method::GET, path).header("Accept", "text/csv");
    send(request).await.problem(404);
}

#[tokio::test]
async fn a_passport_is_in_the_order_of_time_and_a_refused_text_costs_nothing() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let passport = r#"[{"stage":"reconcile","at":"2026-05-01T10:00:02Z","verdict":"failed"},
                       {"stage":"send","at":"2026-05-01T10:00:01Z","verdict":"called"}]"#;
    let refused = format!(
        "update millrace.messages
         set state = 21, code = 'invalid_recipient', passport = '{passport}' where body = 'text 1'"
    );
    messages(&world, "acme", 2, "'+12125550100'", &refused).await;

    let page = caller.get("/v1/messages").await.expect(200);
    let [sent, refused] = page["data"].as_array().expect("data").as_slice() else {
        panic!("two messages, not {page}")
    };
    let path = format!("/v1/messages/{}", refused["id"].as_str().expect("an id"));
    let shown = caller.get(&path).await.expect(200);

    let stamps = shown["passport"].as_array().expect("a passport").iter();
    let stages: Vec<_> = stamps.map(|stamp| &stamp["stage"]).collect();
    assert_eq!(stages, ["send", "reconcile"]);
    let costs = [sent, refused, &shown].map(|one| &one["cost"]["amount"]);
    assert_eq!(costs, ["0.0079", "0.00", "0.00"]);
}
