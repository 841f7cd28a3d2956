//! `/v1/numbers`: searched, ordered, taken over, assigned, made senders and given back, at a
//! simulated carrier.

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use testkit::world::TestCarrier;

use crate::harness::{Caller, PUBLIC_URL, World};

const NUMBER: &str = "+12025550110";

/// An ingress with an account at each carrier that sells numbers.
struct Market {
    world: World,
    carrier: TestCarrier,
    caller: Caller,
}

impl Market {
    async fn open() -> Self {
        let carrier = TestCarrier::start().await.unwrap();
        let host = carrier.address().to_string();
        let world = World::start_with(|settings| settings.carrier_hosts = vec![host]).await;
        let caller = world.caller("acme", KeyRole::Admin).await;
        for (account, of, sid, token) in [
            ("main", "twilio", "AC1", "secret"),
            ("band", "bandwidth", "9900000/app-1", "user:word"),
        ] {
            let body = json!({
                "account": account, "carrier": of, "carrier_sid": sid, "auth_token": token,
                "base_url": carrier.url(),
            });
            caller.post("/v1/carrier-accounts", &body).await.expect(201);
        }
        Self { world, carrier, caller }
    }

    async fn order(&self, account: &str, number: &str) -> Value {
        let body = json!({ "account": account, "number": number });
        self.caller.post("/v1/numbers", &body).await.expect(202)
    }

    async fn show(&self, number: &Value) -> Value {
        let path = format!("/v1/numbers/{}", number["id"].as_str().unwrap());
        self.caller.get(&path).await.expect(200)
    }

    /// A number of Twilio's once its order has come to a state.
    async fn comes_to(&self, number: &Value, state: &str) -> Value {
        let comes = async {
            loop {
                let now = self.show(number).await;
                if now["state"] == state {
                    return now;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), comes).await;
        waited.unwrap_or_else(|_| panic!("never {state}"))
    }

    async fn act(&self, method: Method, number: &Value, act: &str, body: &Value) -> Value {
        let path = format!("/v1/numbers/{}{act}", number["id"].as_str().unwrap());
        let request = self.caller.request(method, &path).json(body);
        crate::harness::send(request).await.expect(200)
    }

    /// Buys a number past the platform; the status of the carrier's answer.
    async fn buy(&self, account: &str, number: &str) -> u16 {
        let path = format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
        let buy = self.carrier.http.post(format!("{}{path}", self.carrier.url()));
        let buy = buy.basic_auth(account, Some("secret")).form(&[("PhoneNumber", number)]);
        buy.send().await.unwrap().status().as_u16()
    }

    /// The numbers of the account "main", as the carrier has them.
    async fn at_carrier(&self) -> Vec<Value> {
        let path = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json";
        let get = self.carrier.http.get(format!("{}{path}", self.carrier.url()));
        let list =
            get.basic_auth("AC1", Some("secret")).send().await.unwrap().text().await.unwrap();
        let list: Value = serde_json::from_str(&list).unwrap();
        list["incoming_phone_numbers"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn what_is_on_offer_is_found_at_each_carrier() {
    let market = Market::open().await;
    for account in ["main", "band"] {
        let search = format!("/v1/numbers/available?account={account}&area_code=202&contains=0110");
        let found = market.caller.get(&search).await.expect(200);
        assert_eq!(found["data"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(found["data"][0]["number"], NUMBER);
    }

    // Searching, the carrier's own refusals are told with what to do.
    let refused = market.caller.get("/v1/numbers/available?account=main&area_code=12").await;
    assert!(refused.body["detail"].as_str().unwrap().contains("area code"), "{}", refused.body);
    refused.problem(409);
    let unknown = market.caller.get("/v1/numbers/available?account=other").await;
    assert_eq!(unknown.problem(422)[0].0, "account");
    let foreign = market.caller.get("/v1/numbers/available?account=main&country=FR").await;
    assert_eq!(foreign.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn a_number_is_ordered_assigned_activated_texted_and_given_back() {
    let market = Market::open().await;
    let brand = market.caller.post("/v1/brands", &json!({ "name": "Acme" })).await.expect(201);
    let spare = json!({ "number": "+12125550199", "account": "main", "pace": 1 });
    let spare = market.caller.post("/v1/senders", &spare).await.expect(201);
    let pool = json!({ "name": "all", "senders": [spare["id"]] });
    let pool = market.caller.post("/v1/pools", &pool).await.expect(201);

    // order
    let ordered = market.order("main", NUMBER).await;
    assert_eq!((&ordered["state"], &ordered["active"]), (&json!("ordered"), &json!(false)));
    let owned = market.comes_to(&ordered, "owned").await;
    assert_eq!((&owned["country"], &owned["refusal"]), (&json!("US"), &Value::Null));
    let again = json!({ "account": "main", "number": NUMBER });
    market.caller.post("/v1/numbers", &again).await.problem(409);

    // assign
    let cost = json!({ "amount": "1.15", "currency": "USD" });
    let change = json!({ "brand": brand["id"], "pool": pool["id"], "monthly_cost": cost });
    let changed = market.act(Method::PATCH, &owned, "", &change).await;
    assert_eq!((&changed["monthly_cost"], &changed["brand"]), (&cost, &brand["id"]));
    assert_eq!(changed["warmup"], Value::Null);

    // activate
    let active = market.act(Method::POST, &owned, "/activate", &json!({ "pace": 2 })).await;
    assert_eq!(active["active"], true);
    assert_eq!(active["warmup"], json!({ "day": 1, "limit_today": 50, "used": 0 }));
    let sender = format!("/v1/senders/{}", owned["id"].as_str().unwrap());
    let sender = market.caller.get(&sender).await.expect(200);
    assert_eq!((&sender["number"], &sender["brand"]), (&json!(NUMBER), &brand["id"]));
    let pools = market.caller.get("/v1/pools").await.expect(200);
    assert_eq!(pools["data"][0]["senders"], json!([spare["id"], owned["id"]]));
    let webhook = market.at_carrier().await[0]["sms_url"].as_str().unwrap().to_owned();
    assert!(webhook.starts_with(&format!("{PUBLIC_URL}/webhooks/twilio/")), "{webhook}");
    assert!(webhook.ends_with("/inbound#rc=5&rp=all"), "{webhook}");
    let path = format!("/v1/numbers/{}", owned["id"].as_str().unwrap());
    market.caller.post(&format!("{path}/activate"), &json!({ "pace": 2 })).await.problem(409);

    // what it has carried
    let today = "insert into millrace.counters (tenant_id, kind, key, window_start, used)
                 select 'acme', 'sender_day', sender_id::text, at::timestamptz, 7
                 from millrace.senders, (values ('2026-05-01T04:00:00Z'),
                     ('2026-04-10T04:00:00Z'), ('2026-03-10T05:00:00Z')) as d (at)
                 where number = '+12025550110'";
    market.world.run(today).await;
    let days = "insert into millrace.sender_days
                    (tenant_id, sender_id, day_start, segments, cost_micros)
                select 'acme', sender_id, at::timestamptz, 9, 71100
                from millrace.senders, (values ('2026-05-01T00:00:00Z'),
                    ('2026-04-10T00:00:00Z'), ('2026-03-10T00:00:00Z')) as d (at)
                where number = '+12025550110'";
    market.world.run(days).await;
    let used = market.show(&owned).await;
    let spent = json!({ "amount": "0.1422", "currency": "USD" });
    assert_eq!((&used["segments_30_days"], &used["spent_30_days"]), (&json!(18), &spent));
    assert_eq!((&used["used_30_days"], &used["warmup"]["used"]), (&json!(14), &json!(7)));

    // give back
    market.caller.delete(&path).await.problem(409);
    let without = json!({ "name": "all", "senders": [spare["id"]] });
    let pool = format!("/v1/pools/{}", pool["id"].as_str().unwrap());
    market.caller.patch(&pool, &without).await.expect(200);
    market
        .caller
        .delete(&format!("/v1/senders/{}", owned["id"].as_str().unwrap()))
        .await
        .expect(200);
    market.caller.delete(&path).await.expect(200);
    assert_eq!(market.at_carrier().await.len(), 0);
    market.caller.get(&path).await.problem(404);
    let acts = "select count(*) from millrace.audit_log where action in
                ('number.ordered', 'number.changed', 'number.activated', 'number.released')";
    assert_eq!(market.world.number(acts).await, 4);
}

#[tokio::test]
async fn an_order_of_bandwidth_is_done_and_given_back() {
    let market = Market::open().await;
    let ordered = market.order("band", NUMBER).await;
    let owned = market.comes_to(&ordered, "owned").await;
    let active = market.act(Method::POST, &owned, "/activate", &json!({ "pace": 1 })).await;
    assert_eq!(active["active"], true);
    market
        .caller
        .delete(&format!("/v1/senders/{}", owned["id"].as_str().unwrap()))
        .await
        .expect(200);
    market
        .caller
        .delete(&format!("/v1/numbers/{}", owned["id"].as_str().unwrap()))
        .await
        .expect(200);
    let left = market.caller.get("/v1/numbers").await.expect(200);
    assert_eq!(left["data"], json!([]));
}

#[tokio::test]
async fn an_order_that_is_refused_says_why_and_may_be_made_again() {
    let market = Market::open().await;
    let theirs = market.buy("AC2", "+12025550140").await;
    assert_eq!(theirs, 201);
    let ordered = market.order("main", "+12025550140").await;
    let failed = market.comes_to(&ordered, "failed").await;
    assert_eq!(failed["refusal"]["code"], 21422);
    assert!(failed["refusal"]["next_step"].as_str().unwrap().contains("Search"), "{failed}");
    let body = json!({ "pace": 1 });
    let path = format!("/v1/numbers/{}", failed["id"].as_str().unwrap());
    market.caller.post(&format!("{path}/activate"), &body).await.problem(409);

    market.order("main", "+12025550140").await;
    market.comes_to(&ordered, "failed").await;
    market.caller.delete(&path).await.expect(200);
    market.caller.get(&path).await.problem(404);
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_in_doubt_until_the_list_has_it() {
    let market = Market::open().await;
    market.carrier.faults(json!({ "lost_order": 1.0 })).await.unwrap();
    let ordered = market.order("main", NUMBER).await;
    let owned = market.comes_to(&ordered, "owned").await;
    assert_eq!(owned["number"], NUMBER);
    assert_eq!(market.at_carrier().await.len(), 1, "it was bought once");
}

#[tokio::test]
async fn an_import_takes_over_what_the_account_has_and_settles_what_is_open() {
    let market = Market::open().await;
    for number in ["+12025550120", "+12025550121"] {
        assert_eq!(market.buy("AC1", number).await, 201);
    }
    let rows = "insert into millrace.numbers (tenant_id, number_id, account, number, state,
                    created_at, asked_at)
                select 'acme', gen_random_uuid(), account, number, state, now(), now() - age
                from millrace.carrier_accounts, (values
                    ('+12025550130', 'in_doubt', interval '1 day'),
                    ('+12025550131', 'in_doubt', interval '1 minute'),
                    ('+12025550132', 'owned', interval '1 day')) as n (number, state, age)
                where name = 'main'";
    market.world.run(rows).await;

    let body = json!({ "account": "main" });
    let first = market.caller.post("/v1/numbers/import", &body).await.expect(200);
    let expected = json!({ "listed": 2, "added": 2, "settled": 0, "gone": 2, "left_out": 0 });
    assert_eq!(first, expected);
    let one = json!({ "monthly_cost": { "amount": "2.00", "currency": "USD" } });
    let known = market.caller.get("/v1/numbers").await.expect(200);
    let by_number = |all: &Value, number: &str| {
        let mut numbers = all["data"].as_array().unwrap().iter();
        numbers.find(|one| one["number"] == number).unwrap().clone()
    };
    market.act(Method::PATCH, &by_number(&known, "+12025550120"), "", &one).await;
    let body = json!({
        "account": "main", "monthly_cost": { "amount": "1.15", "currency": "USD" },
    });
    let second = market.caller.post("/v1/numbers/import", &body).await.expect(200);
    let nothing = json!({ "listed": 2, "added": 0, "settled": 0, "gone": 0, "left_out": 0 });
    assert_eq!(second, nothing);

    let all = market.caller.get("/v1/numbers").await.expect(200);
    let cost = |number| by_number(&all, number)["monthly_cost"]["amount"].clone();
    assert_eq!(cost("+12025550120"), json!("2.00"), "what was said of it stands");
    assert_eq!(cost("+12025550121"), json!("1.15"));
    assert_eq!(cost("+12025550132"), Value::Null, "it is not on the list");
    let euros = json!({
        "account": "main", "monthly_cost": { "amount": "1.15", "currency": "EUR" },
    });
    let errors = market.caller.post("/v1/numbers/import", &euros).await.problem(422);
    assert_eq!(errors[0].0, "monthly_cost");
    let mut states: Vec<(&str, &str)> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["number"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    states.sort_unstable();
    assert_eq!(
        states,
        [
            ("+12025550120", "owned"),
            ("+12025550121", "owned"),
            ("+12025550130", "failed"),
            ("+12025550131", "in_doubt"),
            ("+12025550132", "gone"),
        ]
    );
    let account = market.caller.delete("/v1/carrier-accounts/main").await;
    assert!(account.body["detail"].as_str().unwrap().contains("3 numbers"), "{}", account.body);
}

#[tokio::test]
async fn numbers_are_ordered_once_by_those_who_may_and_no_more_than_fit() {
    let market = Market::open().await;
    let body = json!({ "account": "main", "number": NUMBER });
    let first = market.caller.post_once("/v1/numbers", "k-1", &body).await.expect(202);
    let again = market.caller.post_once("/v1/numbers", "k-1", &body).await.expect(202);
    assert_eq!(first, again);
    market.comes_to(&first, "owned").await;
    assert_eq!(market.at_carrier().await.len(), 1);

    let operator = market.world.caller("acme", KeyRole::Operator).await;
    operator.post("/v1/numbers", &body).await.problem(403);
    operator.get("/v1/numbers/available?account=main").await.problem(403);
    operator.get("/v1/numbers").await.expect(200);

    let euros = json!({ "amount": "1.15", "currency": "EUR" });
    let wrong = json!({ "account": "main", "number": "+1202", "monthly_cost": euros });
    let errors = market.caller.post("/v1/numbers", &wrong).await.problem(422);
    let fields: Vec<&str> = errors.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["number", "monthly_cost"]);

    let full = "insert into millrace.numbers (tenant_id, number_id, account, number, state,
                    created_at, asked_at)
                select 'acme', gen_random_uuid(), account, '+1202777' || n, 'owned', now(), now()
                from millrace.carrier_accounts, generate_series(1001, 1999) n
                where name = 'main'";
    market.world.run(full).await;
    let more = json!({ "account": "main", "number": "+12025550111" });
    let refused = market.caller.post("/v1/numbers", &more).await;
    assert!(refused.body["detail"].as_str().unwrap().contains("1000 numbers"), "{}", refused.body);
    refused.problem(409);
}

#[tokio::test]
async fn a_carrier_that_is_away_or_refuses_the_account_is_told_from_one_that_says_no() {
    let market = Market::open().await;
    let away = json!({ "from": "2020-01-01T00:00:00Z", "to": "2030-01-01T00:00:00Z" });
    for (status, expected) in [(503, 503), (401, 409)] {
        let mut outage = away.clone();
        outage["status"] = status.into();
        market.carrier.faults(json!({ "account_outage": outage })).await.unwrap();
        let body = json!({ "account": "main" });
        market.caller.post("/v1/numbers/import", &body).await.problem(expected);
        market.caller.get("/v1/numbers/available?account=main").await.problem(expected);
    }
}

#[tokio::test]
async fn a_messaging_service_is_a_sender_of_the_carrier_that_has_them() {
    const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
    let Market { caller, .. } = &Market::open().await;

    let sender = json!({ "number": SERVICE, "account": "band", "pace": 10 });
    let errors = caller.post("/v1/senders", &sender).await.problem(422);
    assert_eq!(errors, [("number".to_owned(), "invalid_number".to_owned())]);

    let sender = json!({ "number": SERVICE, "account": "main", "pace": 10 });
    let sender = caller.post("/v1/senders", &sender).await.expect(201);
    assert_eq!((&sender["number"], &sender["country"]), (&json!(SERVICE), &json!("US")));

    let message = json!({
        "to": "+12125550123", "class": "transactional", "body": "hi", "from": SERVICE,
    });
    caller.post("/v1/messages", &message).await.expect(202);
}
