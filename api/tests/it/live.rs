//! What moves is said to whoever may see it, while it moves.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use uuid::Uuid;

use crate::{
    harness::{Caller, World},
    settings::{carrier, promo, template},
};

/// The events of one answer, as they come.
pub(crate) struct Read {
    answer: Response,
    text: String,
}

/// One of them: its id, its name, its data.
pub(crate) type One = (String, String, Value);

impl Read {
    pub(crate) async fn of(caller: &Caller, topics: &str, last: Option<&str>) -> Self {
        let path = format!("/v1/live?topics={topics}");
        loop {
            let request = caller.request(Method::GET, &path);
            let request = last.iter().fold(request, |all, id| all.header("Last-Event-ID", *id));
            let answer = request.send().await.expect("an answer");
            if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(answer.status(), 200);
                assert_eq!(answer.headers()["content-type"], "text/event-stream");
                return Self { answer, text: String::new() };
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The next event; none where the answer has ended.
    async fn next(&mut self) -> Option<One> {
        loop {
            if let Some((one, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = one.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(of, _)| *of == name).map(|(_, value)| value.to_owned())
                };
                let read = field("data").map(|data| {
                    let data = serde_json::from_str(&data).expect("JSON");
                    (field("id").expect("an id"), field("event").expect("a name"), data)
                });
                self.text = rest.to_owned();
                if read.is_some() {
                    return read;
                }
            } else {
                let more = tokio::time::timeout(Duration::from_secs(20), self.answer.chunk());
                let more = more.await.expect("more in time").ok().flatten()?;
                self.text.push_str(std::str::from_utf8(&more).expect("UTF-8"));
            }
        }
    }

    pub(crate) async fn expect(&mut self, name: &str) -> One {
        let one = self.next().await.expect("one more");
        assert_eq!(one.1, name, "{}", one.2);
        one
    }
}

#[expect(clippy::disallowed_methods, reason = "it stands in for a stage")]
async fn publish(world: &World, tenant: &str, campaign: Option<Uuid>, watermark: i64) {
    let broker = world.broker.connect().await.unwrap();
    let scope = campaign.map_or("dashboard".to_owned(), |id| format!("campaign.{id}"));
    let mut totals = json!({
        "as_of": "2026-05-01T15:00:00Z", "watermark": watermark, "version": watermark,
        "totals": { "sent": watermark },
    });
    if let Some(id) = campaign {
        totals["id"] = json!(id);
    }
    let subject = format!("analytics.{tenant}.{scope}");
    let published = broker.jetstream.publish(subject, totals.to_string().into()).await.unwrap();
    published.await.unwrap();
}

async fn campaign(caller: &Caller) -> Uuid {
    let (_, pool) = carrier(caller, "main", "+12125550199").await;
    let template = template(caller).await;
    let body = json!({
        "name": "Spring", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "tags": ["vip"] },
    });
    let made = caller.post("/v1/campaigns", &body).await.expect(201);
    made["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_what_moves() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let id = campaign(&admin).await;
    let mut read = Read::of(&caller, &format!("dashboard,campaign:{id}"), None).await;

    let (_, _, first) = read.expect("snapshot").await;
    let (_, _, second) = read.expect("snapshot").await;
    let mut topics = [first, second].map(|one| one["topic"].as_str().unwrap().to_owned());
    topics.sort();
    assert_eq!(topics, [format!("campaign:{id}"), "dashboard".to_owned()]);

    publish(&world, "acme", Some(id), 7).await;
    let (_, _, totals) = read.expect("totals").await;
    assert_eq!(totals["topic"], format!("campaign:{id}"));
    assert_eq!(totals["totals"]["totals"]["sent"], 7);

    // Totals that count less than what was said are old, and say nothing.
    publish(&world, "acme", Some(id), 6).await;
    admin.post(&format!("/v1/campaigns/{id}/start"), &json!({})).await.expect(200);
    for _ in 0..2 {
        let (_, _, started) = read.expect("event").await;
        assert_eq!(started["event"]["type"], "campaign.started");
        assert_eq!(started["event"]["data"]["campaign"], json!(id));
    }
}

#[tokio::test]
async fn nobody_hears_of_another_tenant() {
    let world = World::start().await;
    let acme = world.caller("acme", KeyRole::Admin).await;
    let globex = world.caller("globex", KeyRole::Owner).await;
    let id = campaign(&acme).await;
    let mut read = Read::of(&globex, "dashboard", None).await;
    read.expect("snapshot").await;

    globex.get(&format!("/v1/live?topics=campaign:{id}")).await.problem(404);
    publish(&world, "acme", None, 5).await;
    publish(&world, "globex", None, 3).await;
    let (_, _, totals) = read.expect("totals").await;
    assert_eq!(totals["totals"]["totals"]["sent"], 3, "acme's are not said");
    world.with_token("").get("/v1/live?topics=dashboard").await.problem(401);
}

/// A brand of its own with a campaign.
async fn branded(admin: &Caller, name: &str, number: &str, template: &Value) -> (Value, Uuid) {
    let brand = admin.post("/v1/brands", &json!({ "name": name })).await.expect(201);
    let (sender, pool) = carrier(admin, name, number).await;
    let sender = format!("/v1/senders/{}", sender.as_str().unwrap());
    admin.patch(&sender, &json!({ "brand": brand["id"] })).await.expect(200);
    let made = admin.post("/v1/campaigns", &promo(template, &pool)).await.expect(201);
    (brand["id"].clone(), made["id"].as_str().unwrap().parse().unwrap())
}

#[tokio::test]
async fn who_is_limited_to_a_brand_hears_of_its_campaigns_alone() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let template = template(&admin).await;
    let (coffee, theirs) = branded(&admin, "coffee", "+12125550199", &template).await;
    let (_, other) = branded(&admin, "tea", "+12125550198", &template).await;
    let key = json!({ "name": "limited", "role": "agent", "brands": [coffee] });
    let key = admin.post("/v1/api-keys", &key).await.expect(201);
    let limited = world.with_token(key["key"].as_str().unwrap());

    let mut all = Read::of(&admin, &format!("campaign:{other}"), None).await;
    let (id, ..) = all.expect("snapshot").await;
    let path = format!("/v1/live?topics=campaign:{other}");
    limited.get(&path).await.problem(404);
    let again = limited.request(Method::GET, &path).header("Last-Event-ID", id);
    assert_eq!(again.send().await.unwrap().status(), 404, "nor as somebody who was away");

    let mut read = Read::of(&limited, "dashboard", None).await;
    read.expect("snapshot").await;
    for id in [other, theirs] {
        admin.post(&format!("/v1/campaigns/{id}/start"), &json!({})).await.expect(200);
        let mut all = Read::of(&admin, &format!("campaign:{id}"), None).await;
        all.expect("snapshot").await;
    }
    let (_, _, heard) = read.expect("event").await;
    assert_eq!(heard["event"]["data"]["campaign"], json!(theirs), "of {other} nothing is said");
}

#[tokio::test]
async fn a_test_key_hears_of_its_twin_alone() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let key = json!({ "name": "trial", "role": "viewer", "mode": "test" });
    let key = admin.post("/v1/api-keys", &key).await.expect(201);
    let trial = world.with_token(key["key"].as_str().unwrap());
    let twin = trial.get("/v1/me").await.expect(200)["tenant"]["id"].clone();
    let id = campaign(&admin).await;

    trial.get(&format!("/v1/live?topics=campaign:{id}")).await.problem(404);
    let mut read = Read::of(&trial, "dashboard", None).await;
    read.expect("snapshot").await;
    publish(&world, "acme", None, 5).await;
    publish(&world, twin.as_str().unwrap(), None, 3).await;
    let (_, _, totals) = read.expect("totals").await;
    assert_eq!(totals["totals"]["totals"]["sent"], 3, "its company's are not said");
}

#[tokio::test]
async fn a_reader_goes_on_where_it_stopped_and_anew_where_it_cannot() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let mut read = Read::of(&caller, "dashboard", None).await;
    let (id, ..) = read.expect("snapshot").await;
    publish(&world, "acme", None, 1).await;
    publish(&world, "acme", None, 2).await;
    read.expect("totals").await;
    read.expect("totals").await;

    let mut again = Read::of(&caller, "dashboard", Some(&id)).await;
    for sent in 1..=2 {
        let (_, _, totals) = again.expect("totals").await;
        assert_eq!(totals["totals"]["totals"]["sent"], sent);
    }
    Read::of(&caller, "dashboard", Some("elsewhere-1")).await.expect("snapshot").await;
}

#[tokio::test]
async fn an_answer_ends_after_its_time_and_when_the_ingress_stops() {
    let world = World::start_with(|settings| settings.connections = 32).await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(Read::of(&caller, "dashboard", None).await);
    }
    caller.get("/v1/live?topics=dashboard").await.problem(429);
    held.pop();

    for (query, field) in [
        ("topics=", "topics"),
        ("topics=inbox", "topics"),
        ("topics=campaign:1", "topics"),
        ("topics=dashboard&seconds=0", "seconds"),
        ("topics=dashboard&seconds=301", "seconds"),
    ] {
        let wrong = caller.get(&format!("/v1/live?{query}")).await.problem(422);
        assert_eq!(wrong[0].0, field, "{query}");
    }

    let begun = std::time::Instant::now();
    world.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for mut read in held {
        while read.next().await.is_some() {}
    }
}
