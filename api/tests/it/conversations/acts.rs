//! What people do with a conversation, and who may.

use domain::ids::SenderId;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use uuid::Uuid;

use super::{ANA, BEN, OURS, acme, asked, before, ids, receive, told, world};
use crate::live::Read;

#[tokio::test]
async fn a_conversation_is_taken_over_and_handed_back() {
    let (world, admin, path) = asked().await;
    let epoch = "select epoch::bigint from millrace.conversations";

    let taken = admin.post(&format!("{path}/take-over"), &json!({})).await.expect(200);
    assert_eq!(taken["owner"], "person");
    admin.post(&format!("{path}/take-over"), &json!({})).await.expect(200);
    assert_eq!(world.number(epoch).await, 2, "who has it takes nothing over");

    let back = admin.post(&format!("{path}/hand-back"), &json!({})).await.expect(200);
    assert_eq!((&back["owner"], &back["assignee"]), (&json!("assistant"), &Value::Null));
    assert_eq!(world.number(epoch).await, 3);
    admin.post(&format!("{path}/hand-back"), &json!({})).await.expect(200);

    world.becomes(0, "select count(*) from millrace.unsaid_events").await;
    assert_eq!((told(&world, "taken_over").await, told(&world, "handed_back").await), (1, 1));
    for action in ["conversation.taken_over", "conversation.handed_back"] {
        let trail = admin.get(&format!("/v1/audit?action={action}")).await.expect(200);
        assert_eq!(trail["data"].as_array().map(Vec::len), Some(1), "{action}");
    }
}

#[tokio::test]
async fn a_conversation_is_snoozed_closed_opened_again_and_read() {
    let (world, admin, path) = asked().await;
    let past = json!({ "until": "2026-05-01T14:00:00Z" });
    assert_eq!(
        admin.post(&format!("{path}/snooze"), &past).await.problem(422),
        [("until".to_owned(), "out_of_range".to_owned())]
    );
    let until = json!({ "until": "2026-05-01T16:00:00Z" });
    let snoozed = admin.post(&format!("{path}/snooze"), &until).await.expect(200);
    assert_eq!(snoozed["status"], "snoozed");
    assert!(ids(&admin, "status=open").await.is_empty());

    *world.now.lock().expect("no panic") = "2026-05-01T16:00:00Z".parse().expect("an instant");
    assert_eq!(admin.get(&path).await.expect(200)["status"], "open", "a snooze ends by itself");
    assert_eq!(ids(&admin, "status=open").await.len(), 1);

    let read = admin.post(&format!("{path}/read"), &json!({})).await.expect(200);
    assert_eq!(read["unread"], 0);
    let closed = admin.post(&format!("{path}/close"), &json!({})).await.expect(200);
    assert_eq!(closed["status"], "closed");
    let open = admin.post(&format!("{path}/reopen"), &json!({})).await.expect(200);
    assert_eq!(open["status"], "open");

    world.becomes(0, "select count(*) from millrace.unsaid_events").await;
    for kind in ["snoozed", "read", "closed", "reopened"] {
        assert_eq!(told(&world, kind).await, 1, "{kind}");
    }
}

#[tokio::test]
async fn a_conversation_is_assigned_to_who_may_answer_and_to_inboxes_of_its_brand() {
    let (world, admin, path) = asked().await;
    let stranger = json!({ "assignee": Uuid::nil() });
    assert_eq!(
        admin.post(&format!("{path}/assign"), &stranger).await.problem(422),
        [("assignee".to_owned(), "not_found".to_owned())]
    );
    assert_eq!(
        admin.post(&format!("{path}/assign"), &json!({})).await.problem(422),
        [("assignee".to_owned(), "required".to_owned())]
    );

    let (agent, viewer) = (Uuid::from_u128(1), Uuid::from_u128(2));
    world
        .run(&format!(
            "insert into millrace.persons (person_id, email, email_verified_at, name, password_hash,
                 created_at)
             values ('{agent}', 'a@example.com', now(), 'A', '', now()),
                    ('{viewer}', 'v@example.com', now(), 'V', '', now());
             insert into millrace.members (tenant_id, person_id, role, created_at)
             values ('acme', '{agent}', 'agent', now()), ('acme', '{viewer}', 'viewer', now())"
        ))
        .await;
    let to = json!({ "assignee": viewer });
    admin.post(&format!("{path}/assign"), &to).await.problem(422);
    let to = json!({ "assignee": agent });
    let assigned = admin.post(&format!("{path}/assign"), &to).await.expect(200);
    assert_eq!((&assigned["owner"], &assigned["assignee"]), (&json!("person"), &json!(agent)));
    assert_eq!(ids(&admin, &format!("assignee={agent}")).await.len(), 1);

    let brand = admin.post("/v1/brands", &json!({ "name": "coffee" })).await.expect(201);
    let inbox = json!({ "name": "Support", "brand": brand["id"] });
    let inbox = admin.post("/v1/inboxes", &inbox).await.expect(201);
    let to = json!({ "inbox": inbox["id"] });
    let moved = admin.post(&format!("{path}/assign"), &to).await.expect(200);
    assert_eq!((&moved["inbox_id"], &moved["assignee"]), (&inbox["id"], &json!(agent)));

    let elsewhere = Uuid::from_u128(3);
    world
        .run(&format!(
            "insert into millrace.persons (person_id, email, email_verified_at, name, password_hash,
                 created_at)
             values ('{elsewhere}', 'e@example.com', now(), 'E', '', now());
             insert into millrace.members (tenant_id, person_id, role, created_at, brands, inboxes)
             values ('acme', '{elsewhere}', 'agent', now(), '{{}}', array['{elsewhere}'::uuid])"
        ))
        .await;
    let to = json!({ "assignee": elsewhere });
    assert_eq!(
        admin.post(&format!("{path}/assign"), &to).await.problem(422),
        [("assignee".to_owned(), "invalid".to_owned())],
        "they do not see that inbox"
    );

    let nobody = json!({ "assignee": null });
    let freed = admin.post(&format!("{path}/assign"), &nobody).await.expect(200);
    assert_eq!((&freed["owner"], &freed["inbox_id"]), (&json!("nobody"), &inbox["id"]));
}

#[tokio::test]
async fn a_canned_answer_is_filled_in_with_the_contact_and_the_reply() {
    let (world, admin, path) = asked().await;
    admin
        .post("/v1/contacts", &json!({ "phone": ANA.number, "first_name": "Ana" }))
        .await
        .expect(200);
    let new = json!({ "name": "Shipped", "body": "Hi {first_name|there}, order {order} is out." });
    let canned = admin.post("/v1/canned-answers", &new).await.expect(201);
    assert_eq!(canned["required"], json!(["order"]));
    admin.post("/v1/canned-answers", &json!({ "name": "shipped", "body": "x" })).await.problem(409);
    let broken = json!({ "name": "Broken", "body": "Hi {first_name" });
    assert_eq!(
        admin.post("/v1/canned-answers", &broken).await.problem(422),
        [("body".to_owned(), "invalid_template".to_owned())]
    );

    let reply = json!({ "canned_answer": canned["id"] });
    assert_eq!(
        admin.post(&format!("{path}/preview"), &reply).await.problem(422),
        [("canned_answer".to_owned(), "missing_variable".to_owned())]
    );
    let reply = json!({ "canned_answer": canned["id"], "variables": { "order": "1042" } });
    let preview = admin.post(&format!("{path}/preview"), &reply).await.expect(200);
    assert_eq!(preview["body"], "Hi Ana, order 1042 is out.");
    let sent = admin.post(&format!("{path}/reply"), &reply).await.expect(202);
    assert_eq!(sent["body"], "Hi Ana, order 1042 is out.");

    let agent = world.caller("acme", KeyRole::Agent).await;
    let one = format!("/v1/canned-answers/{}", canned["id"].as_str().expect("an id"));
    agent.get(&one).await.expect(200);
    agent.delete(&one).await.problem(403);
    let renamed = admin.patch(&one, &json!({ "name": "On its way" })).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["body"]), (&json!("On its way"), &new["body"]));
    assert_eq!(admin.delete(&one).await.status.as_u16(), 204);
    agent.get(&one).await.problem(404);
    assert_eq!(admin.get("/v1/canned-answers").await.expect(200)["data"], json!([]));
}

#[tokio::test]
async fn who_is_limited_sees_the_conversations_of_their_inboxes() {
    let (world, admin) = world().await;
    let brand = admin.post("/v1/brands", &json!({ "name": "coffee" })).await.expect(201);
    let sender = format!("/v1/senders/{}", SenderId::of(&acme(), OURS));
    admin.patch(&sender, &json!({ "brand": brand["id"] })).await.expect(200);
    let inbox = |name: &str| json!({ "name": name, "brand": brand["id"] });
    let orders = admin.post("/v1/inboxes", &inbox("Orders")).await.expect(201);
    let at = before(&world, 5);
    receive(&world, vec![ANA.text("Hello", at), BEN.text("Hello", at)]).await;
    let support = admin.post("/v1/inboxes", &inbox("Support")).await.expect(201);
    let bens = format!("/v1/conversations/{}", BEN.conversation());
    let to = json!({ "inbox": support["id"] });
    admin.post(&format!("{bens}/assign"), &to).await.expect(200);

    let limited = async |limits: Value| {
        let mut body = json!({ "name": "limited", "role": "agent" });
        body.as_object_mut()
            .expect("an object")
            .extend(limits.as_object().expect("limits").clone());
        let made = admin.post("/v1/api-keys", &body).await.expect(201);
        world.with_token(made["key"].as_str().expect("a key"))
    };
    let of_orders = limited(json!({ "inboxes": [orders["id"]] })).await;
    assert_eq!(ids(&of_orders, "").await, [json!(ANA.conversation())]);
    of_orders.get(&bens).await.problem(404);
    of_orders.get(&format!("{bens}/messages")).await.problem(404);
    of_orders.post(&format!("{bens}/take-over"), &json!({})).await.problem(404);
    of_orders.post(&format!("{bens}/reply"), &json!({ "body": "Hi" })).await.problem(404);

    // What they give away they see no more, so they do not.
    let anas = format!("/v1/conversations/{}", ANA.conversation());
    of_orders.post(&format!("{anas}/assign"), &to).await.problem(422);
    of_orders.post(&format!("{anas}/reply"), &json!({ "body": "Hi" })).await.expect(202);

    let of_brand = limited(json!({ "brands": [brand["id"]] })).await;
    assert_eq!(ids(&of_brand, "").await.len(), 2);
    let other = admin.post("/v1/brands", &json!({ "name": "tea" })).await.expect(201);
    let of_other = limited(json!({ "brands": [other["id"]] })).await;
    assert!(ids(&of_other, "").await.is_empty());
    of_other.get(&bens).await.problem(404);
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let (world, _, path) = asked().await;
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.get(&path).await.expect(200);
    viewer.get(&format!("{path}/messages")).await.expect(200);
    for act in ["take-over", "hand-back", "close", "reopen", "read"] {
        viewer.post(&format!("{path}/{act}"), &json!({})).await.problem(403);
    }
    viewer.post(&format!("{path}/reply"), &json!({ "body": "Hi" })).await.problem(403);
    viewer.post(&format!("{path}/notes"), &json!({ "body": "Hi" })).await.problem(403);
}

#[tokio::test]
async fn what_is_done_with_a_conversation_is_said_live_to_who_sees_it() {
    let (world, admin, path) = asked().await;
    let topic = format!("conversation:{}", ANA.conversation());
    let mut read = Read::of(&admin, &topic, None).await;
    let (_, _, snapshot) = read.expect("snapshot").await;
    assert_eq!((&snapshot["topic"], &snapshot["totals"]), (&json!(topic), &Value::Null));

    admin.post(&format!("{path}/take-over"), &json!({})).await.expect(200);
    let (_, _, taken) = read.expect("event").await;
    assert_eq!(taken["topic"], json!(topic));
    assert_eq!(taken["event"]["type"], "conversation.taken_over");
    assert_eq!(taken["event"]["data"]["owner"], "person");

    let globex = world.caller("globex", KeyRole::Admin).await;
    globex.get(&format!("/v1/live?topics={topic}")).await.problem(404);
    let nothing = format!("/v1/live?topics=inbox:{}", Uuid::nil());
    admin.get(&nothing).await.problem(404);
}

#[tokio::test]
async fn what_people_close_begins_an_epoch_once_and_what_the_assistant_has_does_not() {
    let (world, admin, path) = asked().await;
    let epoch = "select epoch::bigint from millrace.conversations";
    let act = |name: &str| format!("{path}/{name}");

    admin.post(&act("close"), &json!({})).await.expect(200);
    assert_eq!(world.number(epoch).await, 1);
    admin.post(&act("take-over"), &json!({})).await.expect(200);
    admin.post(&act("reopen"), &json!({})).await.expect(200);
    for _ in 0..2 {
        admin.post(&act("close"), &json!({})).await.expect(200);
        assert_eq!(world.number(epoch).await, 3);
    }
}
