//! Cancels over HTTP: the outcome or why it is too late, a wait for what was just accepted, and an
//! event that is said in the end.

use std::time::{Duration, Instant};

use domain::{
    ids::{MessageId, TenantId, event_id},
    message::state::MessageState,
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use wire::{Event, Submitted, event::MessageData};

use crate::{
    harness::{Answer, Caller, World},
    settings::{carrier, template},
};

const PENDING: &str = "select count(*) from millrace.unsaid_events";

async fn cancel(caller: &Caller, id: &Value) -> Answer {
    let path = format!("/v1/messages/{}/cancel", id.as_str().unwrap());
    caller.post(&path, &json!({})).await
}

fn message() -> Value {
    json!({ "to": "+12125550100", "class": "promo", "body": "Hello" })
}

/// The id of a message that was accepted, and what lies on the stream.
async fn accepted(world: &World, caller: &Caller, key: &str) -> (Value, Submitted) {
    let answer = caller.post_once("/v1/messages", key, &message()).await.expect(202);
    let id = answer["id"].clone();
    let all: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.bulk").await;
    let own = all.into_iter().find(|one| id == one.head.id.to_string());
    (id, own.expect("it is on the stream"))
}

async fn told(world: &World) -> Vec<Event> {
    world.published("EVENTS", "events.acme.message.cancelled").await
}

#[tokio::test]
async fn a_cancel_right_after_the_202_waits_for_the_row_and_withdraws_it() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let (id, submitted) = accepted(&world, &caller, "k-1").await;
    let cancelling = tokio::spawn({
        let (caller, id) = (caller.clone(), id.clone());
        async move { cancel(&caller, &id).await }
    });
    world.store(&submitted).await;
    let cancelled = json!({ "id": id, "status": "cancelled" });

    assert_eq!(cancelling.await.unwrap().expect(200), cancelled);
    assert_eq!(cancel(&caller, &id).await.expect(200), cancelled, "again is the same");

    let shown = caller.get(&format!("/v1/messages/{}", id.as_str().unwrap())).await.expect(200);
    assert_eq!((&shown["status"], &shown["version"]), (&json!("cancelled"), &json!(2)));

    let stamp = &shown["passport"][0];
    assert_eq!((&stamp["stage"], &stamp["verdict"]), (&json!("api"), &json!("cancel")));

    world.becomes(0, PENDING).await;
    let events = told(&world).await;
    assert!(!events.is_empty());

    let once = event_id(submitted.head.id.0, "message.cancelled", 2);
    for event in events {
        let data: MessageData = serde_json::from_str(event.data.get()).unwrap();
        assert_eq!((event.id, event.version), (once, 2));
        assert_eq!((data.message, data.state), (submitted.head.id, MessageState::Cancelled));
    }

    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await, 0);
}

#[tokio::test]
async fn too_late_says_where_the_message_stands_and_why() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let late = [
        (3, "queued", "the carrier is being called"),
        (4, "in_doubt", "may have the message"),
        (20, "sent", "the carrier has the message"),
        (22, "delivered", "the carrier has the message"),
        (21, "failed", "was tried"),
        (13, "unknown", "is not known"),
        (10, "blocked", "was blocked"),
        (12, "expired", "validity has ended"),
    ];

    for (state, name, why) in late {
        let (id, submitted) = accepted(&world, &caller, name).await;
        world.store(&submitted).await;
        let claim = if state == 3 { ", claim_owner = gen_random_uuid()" } else { "" };
        let (set, of) = (format!("state = {state}{claim}"), submitted.head.id);
        world.run(&format!("update millrace.messages set {set} where message_id = '{of}'")).await;
        let answer = cancel(&caller, &id).await.expect(200);
        assert_eq!((&answer["id"], &answer["status"]), (&id, &json!(name)));
        assert_eq!(answer["too_late"], true, "{answer}");
        assert!(answer["reason"].as_str().unwrap().contains(why), "{answer}");
    }

    assert_eq!(world.number(PENDING).await, 0);
}

#[tokio::test]
async fn what_is_not_there_after_two_seconds_is_404_and_leaves_a_mark() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let id = json!(MessageId::from_key(&"acme".parse::<TenantId>().unwrap(), "later"));
    // Nobody stores it, so that the message which is asked for may be on its way as well.
    accepted(&world, &caller, "earlier").await;
    let begun = Instant::now();
    let path = format!("/v1/messages/{}", id.as_str().unwrap());
    let (shown, cancelled) = tokio::join!(caller.get(&path), cancel(&caller, &id));

    assert!(begun.elapsed() >= Duration::from_secs(2), "they wait for the row");
    assert!(begun.elapsed() < Duration::from_secs(10));

    shown.problem(404);
    cancelled.problem(404);
    let mark = "select count(*) from millrace.cancel_marks where tenant_id = 'acme'";
    assert_eq!(world.number(mark).await, 1);

    let nonsense = caller.post("/v1/messages/nonsense/cancel", &json!({})).await;
    nonsense.problem(404);
}

#[tokio::test]
async fn what_cannot_be_on_its_way_is_404_at_once() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    caller.get("/v1/me").await.expect(200);
    let keyed = MessageId::from_key(&"acme".parse::<TenantId>().unwrap(), "never");
    let begun = Instant::now();
    for id in [keyed.0, uuid::Uuid::nil()] {
        caller.get(&format!("/v1/messages/{id}")).await.problem(404);
    }

    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn only_operators_and_above_cancel_and_only_their_tenants_messages() {
    let world = World::start().await;
    let operator = world.caller("acme", KeyRole::Operator).await;
    let (id, submitted) = accepted(&world, &operator, "k-1").await;
    world.store(&submitted).await;
    for role in [KeyRole::Agent, KeyRole::Viewer] {
        let caller = world.caller("acme", role).await;
        cancel(&caller, &id).await.problem(403);
    }

    let stranger = world.caller("globex", KeyRole::Owner).await;
    cancel(&stranger, &id).await.problem(404);
    let open = "select count(*) from millrace.messages where state = 0 and version = 1";

    assert_eq!(world.number(open).await, 1, "nothing of it was touched");

    cancel(&operator, &id).await.expect(200);
}

#[tokio::test]
async fn a_cancel_needs_no_broker_and_its_event_is_said_when_there_is_one() {
    let mut world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let (id, submitted) = accepted(&world, &caller, "k-1").await;
    world.store(&submitted).await;
    world.broker.server().signal(Signal::SIGKILL);
    world.broker.server().exited().await;

    assert_eq!(cancel(&caller, &id).await.expect(200)["status"], "cancelled");
    assert_eq!(world.number(PENDING).await, 1, "it is owed");

    world.broker.server().restart().await.unwrap();
    world.becomes(0, PENDING).await;
    assert!(!told(&world).await.is_empty());
}

#[tokio::test]
async fn an_event_that_a_crash_left_behind_is_said_by_the_next_process() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let (id, submitted) = accepted(&world, &caller, "k-1").await;
    world.store(&submitted).await;
    // Committed, and dead before anything was published.
    let tenant: TenantId = "acme".parse().unwrap();
    let (database, broker) = world.stop().await;
    let store = database.store(store::Role::Api).await.unwrap();
    let stamp =
        domain::message::passport::Stamp::plain("api", jiff::Timestamp::UNIX_EPOCH, "cancel");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let done = store::messages::cancel::cancel(&store, &tenant, submitted.head.id, now, &stamp)
        .await
        .unwrap();

    assert!(done.is_some());

    let world = World::start_on(database, broker, |_| {}).await;
    world.becomes(0, PENDING).await;
    let events = told(&world).await;
    assert_eq!(events[0].id, event_id(submitted.head.id.0, "message.cancelled", 2), "{id}");
}

#[tokio::test]
async fn a_campaigns_ledger_counts_what_was_cancelled_and_balances() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    let campaign = json!({
        "name": "Spring", "class": "promo", "template_id": template, "pool_id": pool,
        "audience": { "all": true },
    });
    let campaign = caller.post("/v1/campaigns", &campaign).await.expect(201)["id"].clone();
    let campaign = campaign.as_str().unwrap();
    let people: Vec<_> = (0..3).map(|n| json!({ "phone": format!("+1212555010{n}") })).collect();
    caller.post("/v1/contacts/bulk", &json!({ "contacts": people })).await.expect(200);
    world
        .run(&format!(
            "insert into millrace.campaign_recipients
             select 'acme', '{campaign}', row_number() over (order by contact_id) - 1, contact_id,
                    gen_random_uuid() from millrace.contacts;
             update millrace.campaigns set state = 'running', audience_size = 3, cursor = 3;
             insert into millrace.messages (tenant_id, message_id, state, class, channel,
                contact_id, number, campaign_id, body, segments, cost_micros, body_hash,
                submitted_at, changed_at, passport)
             select 'acme', message_id, seq, 'promo', 'sms', contact_id, '+12125550100',
                    '{campaign}', 'x', 1, 7900, '\\x00', now(), now(), '[]'
             from millrace.campaign_recipients where seq < 2"
        ))
        .await;

    let path = format!("/v1/campaigns/{campaign}/ledger");
    let ledger = async || caller.get(&path).await.expect(200);
    let recipients = format!("/v1/campaigns/{campaign}/recipients");
    let recipients = caller.get(&recipients).await.expect(200)["data"].clone();
    for (n, cancelled) in [(0, 1), (1, 2)] {
        let answer = cancel(&caller, &recipients[n]["message_id"]).await.expect(200);
        assert_eq!(answer["status"], "cancelled");
        let ledger = ledger().await;
        assert_eq!(ledger["balanced"], true, "{ledger}");
        assert_eq!(ledger["final"]["cancelled"], cancelled, "{ledger}");
        assert_eq!(ledger["open"]["waiting"], 1, "{ledger}");
    }
}
