//! Campaigns: each act once, whoever asks how often; the ledger adds up.

use domain::ids::event_id;
use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use uuid::Uuid;
use wire::Event;

use crate::{
    harness::{Caller, World, send},
    settings::{carrier, template},
};

async fn campaign(caller: &Caller, account: &str) -> String {
    let (_, pool) = carrier(caller, account, "+12125550199").await;
    let template = template(caller).await;
    let body = json!({
        "name": "Spring", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "tags": ["vip"] },
    });
    let made = caller.post("/v1/campaigns", &body).await.expect(201);
    assert_eq!(made["state"], "draft");
    made["id"].as_str().unwrap().to_owned()
}

async fn events(world: &World, what: &str) -> Vec<Event> {
    world.published("EVENTS", &format!("events.acme.campaign.{what}")).await
}

#[tokio::test]
async fn a_campaign_starts_once_however_often_it_is_asked_to() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&caller, "main").await;
    let path = format!("/v1/campaigns/{id}/start");
    let nothing = json!({});
    let answers = futures::future::join_all((0..20).map(|_| caller.post(&path, &nothing))).await;
    for answer in answers {
        let started = answer.expect(200);
        assert_eq!((&started["state"], &started["version"]), (&json!("starting"), &json!(2)));
        assert_eq!(started["template_version"], 1);
    }

    let started = events(&world, "started").await;

    assert!(!started.is_empty());

    let once = event_id(id.parse().unwrap(), "campaign.started", 2);
    assert!(started.iter().all(|event| event.id == once && event.version == 2));
}

#[tokio::test]
async fn pause_resume_and_stop_move_the_switch_and_tell_of_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&caller, "main").await;
    let act = async |act: &str| caller.post(&format!("/v1/campaigns/{id}/{act}"), &json!({})).await;
    act("pause").await.problem(409);
    act("start").await.expect(200);
    assert_eq!(act("pause").await.expect(200)["state"], "paused");

    let switches = caller.get("/v1/kill-switch").await.expect(200);
    assert_eq!(switches["data"][0]["target"], id.as_str());
    assert_eq!(act("resume").await.expect(200)["state"], "starting");
    assert_eq!(caller.get("/v1/kill-switch").await.expect(200)["data"], json!([]));
    assert_eq!(act("stop").await.expect(200)["state"], "stopped");

    act("resume").await.problem(409);
    act("start").await.problem(409);
    act("nonsense").await.problem(404);
    for (what, version) in [("paused", 3), ("resumed", 4), ("stopped", 5)] {
        let told = events(&world, what).await;
        assert_eq!(told.iter().map(|event| event.version).collect::<Vec<_>>(), [version], "{what}");
    }

    let mut db = world.database.superuser().await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "select count(*) from millrace.campaign_transitions where not published",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();

    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_event_that_a_crash_left_behind_is_published_later() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&caller, "main").await;
    let mut db = world.database.superuser().await.unwrap();
    let insert = format!(
        "insert into millrace.campaign_transitions
            (tenant_id, campaign_id, version, act, audience, at)
         values ('acme', '{id}', 9, 'stop', 0, '2026-05-01T15:00:00Z')"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut db).await.unwrap();

    let published = async {
        while events(&world, "stopped").await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), published).await.expect("published");
}

#[tokio::test]
async fn a_message_without_a_receipt_until_the_horizon_is_final_wherever_it_is_shown() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&caller, "main").await;
    let mut db = world.database.superuser().await.unwrap();
    let stamp = r#"{"stage": "reconcile", "at": "2026-05-04T14:00:00Z", "verdict": "sent",
                    "code": "no_receipt", "reason": "no receipt came within 72 hours"}"#;
    let message = Uuid::from_u128(1);
    let sql = format!(
        "insert into millrace.campaign_recipients
         values ('acme', '{id}', 0, '{message}', '{message}');
         update millrace.campaigns set state = 'completed', audience_size = 1, cursor = 1;
         insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id,
            number, campaign_id, body, segments, cost_micros, body_hash, submitted_at, changed_at,
            passport, code, carrier_sid)
         values ('acme', '{message}', 20, 'promo', 'sms', '{message}', '+12125550100', '{id}', 'x',
            1, 7900, '', now(), now(), '[{stamp}]', 'no_receipt', 'SM1')"
    );

    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    let ledger = caller.get(&format!("/v1/campaigns/{id}/ledger")).await.expect(200);

    assert_eq!((&ledger["final"]["sent"], &ledger["open"]["sent"]), (&json!(1), &json!(0)));
    assert_eq!(ledger["balanced"], true, "{ledger}");

    let shown = caller.get(&format!("/v1/messages/{message}")).await.expect(200);
    assert_eq!((&shown["status"], &shown["code"]), (&json!("sent"), &json!("no_receipt")));
    assert_eq!((&shown["variant"], &ledger["variants"]), (&Value::Null, &json!([])));

    let sentence = "The carrier took the message; whether it was delivered is not known: \
                    no receipt came within 72 hours.";
    assert_eq!((&shown["sentence"], &shown["error"]), (&json!(sentence), &json!(null)));
}

#[tokio::test]
async fn the_ledger_adds_up_and_the_recipients_are_those_it_counts() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&caller, "main").await;
    let people: Vec<_> = (0..5).map(|n| json!({ "phone": format!("+1212555010{n}") })).collect();
    caller.post("/v1/contacts/bulk", &json!({ "contacts": people })).await.expect(200);
    let mut db = world.database.superuser().await.unwrap();
    let sql = format!(
        "insert into millrace.campaign_recipients
         select 'acme', '{id}', row_number() over (order by contact_id) - 1, contact_id,
                gen_random_uuid() from millrace.contacts;
         update millrace.campaigns set state = 'running', audience_size = 5, cursor = 4;
         insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id,
            number, campaign_id, body, segments, cost_micros, body_hash, submitted_at, changed_at,
            passport, gate, code, carrier_sid, variant)
         select 'acme', message_id, (array[10, 22, 20])[seq + 1], 'promo', 'sms', contact_id, '+1',
                '{id}', 'x', 2, 15800, '\\x00', now(), now(), '[]',
                case when seq = 0 then 'dnc' end, case when seq = 0 then 'opted_out' end,
                case when seq > 0 then 'SM' || seq end, (array['a', 'b', 'a'])[seq + 1]
         from millrace.campaign_recipients where seq < 3"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut db).await.unwrap();
    let ledger = caller.get(&format!("/v1/campaigns/{id}/ledger")).await.expect(200);
    assert_eq!(ledger["balanced"], true, "{ledger}");
    assert_eq!((&ledger["audience"], &ledger["open"]["waiting"]), (&json!(5), &json!(2)));
    assert_eq!((&ledger["open"]["sent"], &ledger["final"]["delivered"]), (&json!(1), &json!(1)));
    assert_eq!(ledger["blocked_by"], json!({ "dnc": 1 }));
    assert_eq!((&ledger["segments"], &ledger["cost"]["amount"]), (&json!(4), &json!("0.0316")));
    let variants = ledger["variants"].as_array().unwrap();
    let [a, b] = variants.as_slice() else { panic!("two variants: {ledger}") };
    assert_eq!((&a["variant"], &a["messages"]), (&json!("a"), &json!(2)));
    assert_eq!((&a["open"]["sent"], &a["blocked_by"]), (&json!(1), &json!({ "dnc": 1 })));
    assert_eq!((&b["variant"], &b["messages"]), (&json!("b"), &json!(1)));
    assert_eq!((&b["final"]["delivered"], &b["cost"]["amount"]), (&json!(1), &json!("0.0158")));

    let path = format!("/v1/campaigns/{id}/recipients");
    let page = caller.get(&format!("{path}?limit=2")).await.expect(200);
    assert_eq!(page["data"][0]["state"], "blocked");
    assert_eq!(page["data"][0]["code"], "opted_out");
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = caller.get(&format!("{path}?cursor={cursor}")).await.expect(200);
    assert_eq!(rest["data"].as_array().unwrap().len(), 3);
    assert_eq!(rest["data"][2]["state"], "waiting");
    let waiting = caller.get(&format!("{path}?state=waiting&limit=2")).await.expect(200);
    assert_eq!(waiting["data"], json!([]), "none of the first two");
    assert!(waiting["next_cursor"].is_string(), "and there are more");
    caller.get(&format!("{path}?state=asleep")).await.problem(422);
    let blocked = caller.request(Method::GET, &format!("{path}?state=blocked"));
    let blocked = send(blocked.header("Accept", "text/csv")).await.expect(200);
    let lines: Vec<_> = blocked.as_str().unwrap().lines().skip(1).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains(",blocked,")), "{lines:?}");
    let first = page["data"][0]["message_id"].as_str().unwrap();
    let shown = caller.get(&format!("/v1/messages/{first}")).await.expect(200);
    assert_eq!(shown["variant"], "a");
    let csv =
        send(caller.request(Method::GET, &path).header("Accept", "text/csv")).await.expect(200);
    let csv = csv.as_str().unwrap();
    assert!(csv.starts_with("seq,contact_id,number,message_id,state,gate,code"), "{csv}");
    assert_eq!(csv.lines().count(), 6);
    let lines = caller.request(Method::GET, &path).header("Accept", "application/x-ndjson");
    let lines = send(lines).await.expect(200);
    assert_eq!(lines.as_str().unwrap().lines().count(), 5);

    sqlx::raw_sql("update millrace.campaigns set state = 'stopped'")
        .execute(&mut db)
        .await
        .unwrap();
    let ledger = caller.get(&format!("/v1/campaigns/{id}/ledger")).await.expect(200);
    assert_eq!(ledger["balanced"], true, "{ledger}");
    assert_eq!((&ledger["open"]["waiting"], &ledger["final"]["cancelled"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn totals_are_shown_with_what_they_are_of() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let empty = caller.get("/v1/analytics/dashboard").await.expect(200);
    assert_eq!((&empty["version"], &empty["totals"]), (&json!(0), &json!({})));

    let mut db = world.database.superuser().await.unwrap();
    let sql =
        "insert into millrace.total_heads (tenant_id, scope, scope_id, as_of, watermark, version)
         values ('acme', 'dashboard', '00000000-0000-0000-0000-000000000000', now(), 7, 3);
         insert into millrace.totals values
         ('acme', 'dashboard', '00000000-0000-0000-0000-000000000000', 'sent', 5)";
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();
    let totals: Value = caller.get("/v1/analytics/dashboard").await.expect(200);

    assert_eq!((&totals["version"], &totals["watermark"]), (&json!(3), &json!(7)));
    assert_eq!(totals["totals"], json!({ "sent": 5 }));
}

#[tokio::test]
async fn totals_are_what_the_rows_say_also_where_rollup_has_not_counted_them_yet() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let campaign = "0198f1d2-7c00-7a00-8000-00000000c001";
    world
        .run(&format!(
            "insert into millrace.campaigns (tenant_id, campaign_id, name, class, template_id,
                 pool_id, audience, state, audience_size, cursor, created_at)
             values ('acme', '{campaign}', 'c', 'promo', gen_random_uuid(), gen_random_uuid(),
                 '{{}}', 'running', 3, 3, now());
             insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, campaign_id, number, body, segments, cost_micros, body_hash,
                 submitted_at, changed_at, passport)
             select 'acme', gen_random_uuid(), 0, 'promo', 'sms', gen_random_uuid(), '{campaign}',
                 '+12125550100', 'Hi', 1, 7900, '', '2026-05-01T14:00:00Z',
                 '2026-05-01T14:00:00Z', '[]'
             from generate_series(1, 3);
             update millrace.messages
             set state = 22, carrier_sid = 'SM1', changed_at = '2026-05-01T14:30:00Z'
             where message_id in (select message_id from millrace.messages limit 2)"
        ))
        .await;

    let counts = json!({ "accepted": 1, "delivered": 2, "segments": 2, "cost_micros": 15_800 });
    let mut of_campaign = counts.clone();
    of_campaign["audience"] = json!(3);
    for (path, counts) in
        [("dashboard".to_owned(), counts), (format!("campaigns/{campaign}"), of_campaign)]
    {
        let shown = caller.get(&format!("/v1/analytics/{path}")).await.expect(200);
        assert_eq!(shown["totals"], counts, "{path}");
        assert_eq!((&shown["watermark"], &shown["version"]), (&json!(5), &json!(0)));
        assert_eq!(shown["as_of"], "2026-05-01T14:30:00Z");
    }
    let ledger = caller.get(&format!("/v1/campaigns/{campaign}/ledger")).await.expect(200);
    assert_eq!(
        (&ledger["final"]["delivered"], &ledger["open"]["accepted"]),
        (&json!(2), &json!(1))
    );
}

#[tokio::test]
async fn a_series_tells_what_came_when_and_says_what_it_cannot_tell() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let mut db = world.database.superuser().await.unwrap();
    let sql = "insert into millrace.timed_totals
               select 'acme', 'dashboard', '00000000-0000-0000-0000-000000000000', 'minute',
                      '2026-03-02T10:00:00Z'::timestamptz + n * interval '30 minutes',
                      '{\"sent\": 2}'
               from generate_series(0, 3) n";
    sqlx::raw_sql(sql).execute(&mut db).await.unwrap();

    let path = "/v1/analytics/dashboard/series?to=2026-03-02T12:00:00Z";
    let hours: Value = caller.get(path).await.expect(200);
    assert_eq!((&hours["by"], &hours["from"]), (&json!("hour"), &json!("2026-03-01T12:00:00Z")));
    let point = |at: &str, sent: i64| json!({ "starts_at": at, "counts": { "sent": sent } });
    let expected = [point("2026-03-02T10:00:00Z", 4), point("2026-03-02T11:00:00Z", 4)];
    assert_eq!(hours["points"], json!(expected));

    let path = "/v1/analytics/dashboard/series?by=minute&from=2026-03-02T11:30:00Z\
                &to=2026-03-02T12:00:00Z";
    let minutes: Value = caller.get(path).await.expect(200);
    assert_eq!(minutes["points"], json!([point("2026-03-02T11:30:00Z", 2)]));

    for (query, field) in [
        ("by=week", "by"),
        ("from=2026-03-02T12:00:00Z&to=2026-03-02T12:00:00Z", "from"),
        ("by=minute&from=2026-03-01T11:59:00Z&to=2026-03-02T12:00:00Z", "from"),
        ("from=yesterday", "from"),
    ] {
        let problem = caller.get(&format!("/v1/analytics/dashboard/series?{query}")).await;
        assert_eq!(problem.expect(422)["errors"][0]["field"], field, "{query}");
    }
    let campaign = "/v1/analytics/campaigns/0198f1d2-7c00-7a00-8000-00000000c001/series";
    caller.get(campaign).await.expect(404);
}

#[tokio::test]
async fn a_draft_says_how_many_of_its_audience_have_had_a_promotion_or_wait_for_one() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    for (number, tags) in [(1, json!(["vip"])), (2, json!(["vip"])), (3, json!([]))] {
        let person = json!({ "phone": format!("+1212555010{number}"), "tags": tags });
        caller.post("/v1/contacts", &person).await.expect(201);
    }
    world
        .run(
            "insert into millrace.standings (tenant_id, number, channel, last_promo_at) values
                ('acme', '+12125550101', 'sms', '2026-04-30'),
                ('acme', '+12125550102', 'sms', '2026-01-20'),
                ('acme', '+12125550103', 'sms', '2026-04-30')",
        )
        .await;

    // a promotion to those with the tag
    let id = campaign(&caller, "main").await;
    let path = format!("/v1/campaigns/{id}");
    let shown = caller.get(&path).await.expect(200);
    let expected = json!({ "days": 90, "stopped": 1, "waiting": 0, "of": 2, "complete": true });
    assert_eq!(shown["suppression"], expected);

    // waiting: one for a campaign that has not come to them, one for what quiet hours have parked
    let person = json!({ "phone": "+12125550104", "tags": ["vip"] });
    caller.post("/v1/contacts", &person).await.expect(201);
    world
        .run(
            "insert into millrace.campaigns (tenant_id, campaign_id, name, class, template_id,
                                             pool_id, audience, state, created_at)
             select tenant_id, '0198f1d2-7c00-7a00-8000-00000000c009', 'spring', class,
                    template_id, pool_id, audience, 'running', created_at
             from millrace.campaigns;
             insert into millrace.campaign_recipients
                 (tenant_id, campaign_id, seq, contact_id, message_id)
             select 'acme', '0198f1d2-7c00-7a00-8000-00000000c009',
                    row_number() over (order by contact_id) - 1, contact_id, gen_random_uuid()
             from millrace.contacts where number in ('+12125550101', '+12125550102');
             insert into millrace.parked
                 (tenant_id, message_id, turn, due, cause, lane, payload, parked_at)
             values ('acme', gen_random_uuid(), 1, '2026-05-02', 'quiet_hours', 'bulk',
                     '{\"head\": {\"to\": \"+12125550104\", \"class\": \"promo\",
                                \"channel\": \"sms\"}}', '2026-05-01')",
        )
        .await;
    let shown = caller.get(&path).await.expect(200);
    let expected = json!({ "days": 90, "stopped": 1, "waiting": 2, "of": 3, "complete": true });
    assert_eq!(shown["suppression"], expected);

    // changed: to everybody, and of a class that has no such window
    let change = json!({ "audience": { "all": true } });
    let changed = caller.patch(&path, &change).await.expect(200);
    assert_eq!(changed["suppression"]["stopped"], 2);
    let changed = caller.patch(&path, &json!({ "class": "journey" })).await.expect(200);
    assert!(changed.get("suppression").is_none(), "{changed}");

    // started: the ledger says what came of it
    let started = caller.post(&format!("{path}/start"), &json!({})).await.expect(200);
    assert!(started.get("suppression").is_none(), "{started}");
}

#[tokio::test]
async fn a_campaign_says_whom_it_is_for() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    let make = |audience: Value| {
        let mut body = json!({
            "name": "Spring", "class": "promo", "template_id": template, "pool_id": pool,
        });
        body.as_object_mut().unwrap().extend(audience.as_object().unwrap().clone());
        let caller = caller.clone();
        async move { caller.post("/v1/campaigns", &body).await }
    };

    for nobody in [json!({}), json!({ "audience": {} }), json!({ "audience": { "tags": [] } })] {
        let fields = make(nobody.clone()).await.problem(422);
        assert_eq!(fields, [("audience".to_owned(), "required".to_owned())], "{nobody}");
    }
    make(json!({ "audience": { "all": true } })).await.expect(201);
}
