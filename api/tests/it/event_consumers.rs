//! Event consumers, with the stock client of NATS in Python: what a tenant's credentials read, and
//! everything that they may not.

use std::{path::PathBuf, process::Stdio, time::Duration};

use boot::embedded::Scratch;
use domain::ids::{CampaignId, TenantId};
use jiff::Timestamp;
use pipeline::{Publisher, room};
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{
    Event, EventKind, Stream, Subject,
    event::CampaignData,
    frame::{MemberKey, Outgoing},
    subject::Scope,
};

use crate::harness::{Caller, World};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/event_consumer.py");

/// Says something that happened, and the totals, of a tenant. Rollup reads neither.
async fn say(world: &World, tenant: &str, version: u32) -> Uuid {
    let tenant: TenantId = tenant.parse().unwrap();
    let campaign = CampaignId(Uuid::from_u128(7));
    let data = CampaignData { campaign, audience: 0 };
    let kind = EventKind::CampaignStarted;
    let event = Event::new(kind, &tenant, campaign.0, version.into(), Timestamp::UNIX_EPOCH, &data);
    let totals = wire::totals::Totals {
        as_of: Timestamp::UNIX_EPOCH,
        watermark: 3,
        version: version.into(),
        id: None,
        totals: [("sent".to_owned(), 3)].into(),
    };
    let totals = Outgoing {
        subject: Subject::Analytics(tenant.clone(), Scope::Dashboard),
        key: MemberKey::of(Uuid::nil()),
        trace: None,
        json: wire::json::to_vec(&totals),
    };
    let event = Outgoing::new(Subject::Event(tenant, kind), &event);
    let id = event.key.id;

    let publisher = Publisher::new(&world.broker.connect().await.unwrap(), "test");
    publisher.publish(vec![event, totals], &CancellationToken::new()).await.unwrap();
    id
}

async fn made(caller: &Caller) -> Value {
    let body = json!({ "name": "crm", "from": "all" });
    caller.post("/v1/event-consumers", &body).await.expect(201)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Credentials in a file, as a program of the tenant keeps them.
struct Kept(Scratch);

impl Kept {
    fn of(made: &Value) -> Self {
        let scratch = Scratch::new().unwrap();
        std::fs::write(scratch.path().join("crm.creds"), text(&made["credentials"])).unwrap();
        Self(scratch)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("crm.creds")
    }
}

/// Runs the script with credentials; gives what it printed.
async fn python(world: &World, act: &str, creds: &Kept, names: &[&Value]) -> Value {
    let python = boot::tools::python().expect("run scripts/setup --tests");
    let output = Command::new(python)
        .args([SCRIPT, act, &world.broker.url()])
        .arg(creds.path())
        .args(names.iter().map(|name| text(name)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), output).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{act}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_tenants_credentials_read_its_own_events_and_totals_and_do_nothing_else() {
    let world = World::start().await;
    let acme = world.caller("acme", KeyRole::Admin).await;
    let globex = world.caller("globex", KeyRole::Admin).await;
    let (own, other) = (made(&acme).await, made(&globex).await);
    let id = say(&world, "acme", 1).await;
    say(&world, "globex", 1).await;

    let creds = Kept::of(&own);
    let names = [&own["consumer"], &other["consumer"]];
    let read = python(&world, "read", &creds, &names).await;
    assert_eq!(read["EVENTS"], json!([["events.acme.campaign.started", id.to_string()]]));
    assert_eq!(read["ANALYTICS"], json!([["analytics.acme.dashboard", null]]));
    let again = python(&world, "read", &creds, &names).await;
    assert_eq!(again, json!({ "EVENTS": [], "ANALYTICS": [] }), "what is acknowledged is done");

    say(&world, "acme", 2).await;
    let found = python(&world, "trespass", &creds, &names).await;
    assert_eq!(found["not_refused"], json!([]));
    assert!(found["tried"].as_u64().unwrap() > 50, "{found}");
    assert_eq!(found["connected"], true, "what is refused is no reason to be thrown out");

    // What was asked for under the subjects of others has gone nowhere else.
    let listed = acme.get("/v1/event-consumers").await.expect(200)["data"][0]["streams"].clone();
    assert_eq!(listed[0]["unacked"], 1, "it was delivered: {listed}");
    let operator = world.broker.connect().await.unwrap();
    for (stream, entries) in [(Stream::Events, 3), (Stream::Analytics, 2), (Stream::Submitted, 0)] {
        let found = operator.api.get_stream(stream.name()).await.unwrap();
        assert_eq!(found.cached_info().state.messages, entries, "{}", stream.name());
    }
}

#[tokio::test]
async fn a_removed_event_consumer_gets_nothing_more() {
    let world = World::start().await;
    let acme = world.caller("acme", KeyRole::Admin).await;
    let own = made(&acme).await;
    let creds = Kept::of(&own);
    say(&world, "acme", 1).await;

    let path = format!("/v1/event-consumers/{}", text(&own["id"]));
    world.caller("globex", KeyRole::Owner).await.delete(&path).await.problem(404);
    acme.delete(&path).await.expect(204);
    let read = python(&world, "ask", &creds, &[&own["consumer"]]).await;
    assert_eq!(read, json!({ "EVENTS": "nothing", "ANALYTICS": "nothing" }));

    acme.delete(&path).await.problem(404);
    assert_eq!(acme.get("/v1/event-consumers").await.expect(200)["data"], json!([]));
    let trail = acme.get("/v1/audit?action=event_consumer.deleted").await.expect(200);
    assert_eq!(trail["data"][0]["subject"], format!("event_consumer:{}", text(&own["id"])));
}

#[tokio::test]
async fn credentials_are_shown_once_and_what_is_unread_is_told() {
    let world = World::start().await;
    let acme = world.caller("acme", KeyRole::Admin).await;
    let own = made(&acme).await;
    say(&world, "acme", 1).await;

    let listed = acme.get("/v1/event-consumers").await.expect(200);
    let listed = &listed["data"][0];
    assert_eq!((&listed["id"], &listed["from"]), (&own["id"], &json!("all")));
    assert!(listed["credentials"].is_null());
    for stream in listed["streams"].as_array().unwrap() {
        assert_eq!((&stream["pending"], &stream["ended"]), (&json!(1), &json!(false)), "{stream}");
    }
    let secrets =
        world.number("select count(*) from millrace.audit_log where detail::text like '%SU%'");
    assert_eq!(secrets.await, 0);

    // A subscriber that does not read keeps nobody from making room.
    let operator = world.broker.connect().await.unwrap();
    let fill = room::fill(&operator, Stream::Events).await.unwrap();
    assert_eq!((fill.entries, fill.unread_from), (1, fill.last + 1));

    // One that the broker has forgotten is told as such.
    let name = text(&own["consumer"]);
    operator.api.delete_consumer_from_stream(name, "EVENTS").await.unwrap();
    let listed = acme.get("/v1/event-consumers").await.expect(200);
    assert_eq!(listed["data"][0]["streams"][0]["ended"], true);
}

#[tokio::test]
async fn who_may_not_give_keys_makes_no_event_consumers_and_there_is_a_limit() {
    let world = World::start().await;
    let acme = world.caller("acme", KeyRole::Admin).await;
    let body = json!({ "name": "crm", "from": "new", "reads": ["analytics"] });
    for role in [KeyRole::Operator, KeyRole::Agent, KeyRole::Viewer] {
        let caller = world.caller("acme", role).await;
        caller.post("/v1/event-consumers", &body).await.problem(403);
        caller.get("/v1/event-consumers").await.problem(403);
    }

    let scoped = json!({ "name": "k", "role": "admin", "scopes": ["manage_keys"] });
    let scoped = acme.post("/v1/api-keys", &scoped).await.expect(201);
    let scoped = world.with_token(text(&scoped["key"]));
    scoped.post("/v1/event-consumers", &body).await.problem(403);

    for wrong in [
        json!({ "name": "", "from": "new" }),
        json!({ "name": "a", "from": "yesterday" }),
        json!({ "name": "a", "from": "2999-01-01T00:00:00Z" }),
        json!({ "name": "a", "from": "new", "reads": [] }),
        json!({ "name": "a", "from": "new", "reads": ["events", "events"] }),
        json!({ "name": "a", "from": "new", "reads": ["dead"] }),
        json!({ "name": "a", "from": "new", "expires_at": "2001-01-01T00:00:00Z" }),
        json!({ "name": "a", "from": "new", "expires_at": "2999-01-01T00:00:00Z" }),
    ] {
        assert_eq!(acme.post("/v1/event-consumers", &wrong).await.problem(422).len(), 1, "{wrong}");
    }

    for _ in 0..20 {
        acme.post("/v1/event-consumers", &body).await.expect(201);
    }
    acme.post("/v1/event-consumers", &body).await.problem(409);
    let other = world.caller("globex", KeyRole::Admin).await;
    other.post("/v1/event-consumers", &body).await.expect(201);
}

#[tokio::test]
async fn without_a_key_of_nats_there_are_no_event_consumers() {
    let world = World::start_with(|settings| settings.subscribers = None).await;
    let acme = world.caller("acme", KeyRole::Admin).await;
    let body = json!({ "name": "crm", "from": "new" });
    acme.post("/v1/event-consumers", &body).await.problem(409);
}
