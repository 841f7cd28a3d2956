//! People and keys that are limited to brands and inboxes see and change what belongs to these.

use std::time::Duration;

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World},
    settings::{carrier, promo, template},
};

fn id(of: &Value) -> String {
    of["id"].as_str().expect("an id").to_owned()
}

/// A part of a company: a brand with a sender, a pool, a campaign and an inbox.
struct Part {
    brand: Value,
    sender: Value,
    pool: Value,
    campaign: Value,
    inbox: Value,
}

impl Part {
    async fn make(by: &Caller, name: &str, number: &str, template: &Value) -> Self {
        let brand = by.post("/v1/brands", &json!({ "name": name })).await.expect(201);
        let (sender, pool) = carrier(by, name, number).await;
        let path = format!("/v1/senders/{}", sender.as_str().expect("an id"));
        by.patch(&path, &json!({ "brand": brand["id"] })).await.expect(200);
        let inbox = json!({ "name": "Support", "brand": brand["id"] });
        let inbox = by.post("/v1/inboxes", &inbox).await.expect(201);
        let campaign = by.post("/v1/campaigns", &promo(template, &pool)).await.expect(201);
        Self { brand, sender, pool, campaign, inbox }
    }

    /// Where each thing of it is shown.
    fn paths(&self) -> [String; 6] {
        let (sender, pool) = (self.sender.as_str(), self.pool.as_str());
        let campaign = id(&self.campaign);
        [
            format!("/v1/brands/{}", id(&self.brand)),
            format!("/v1/senders/{}", sender.expect("an id")),
            format!("/v1/pools/{}", pool.expect("an id")),
            format!("/v1/campaigns/{campaign}"),
            format!("/v1/campaigns/{campaign}/ledger"),
            format!("/v1/inboxes/{}", id(&self.inbox)),
        ]
    }
}

/// A company with two parts, and its admin.
async fn company() -> (World, Caller, Part, Part) {
    let world = World::start_with(|settings| settings.fresh = Duration::ZERO).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let template = template(&admin).await;
    let coffee = Part::make(&admin, "coffee", "+12125550199", &template).await;
    let tea = Part::make(&admin, "tea", "+12125550198", &template).await;
    (world, admin, coffee, tea)
}

async fn key(world: &World, by: &Caller, role: &str, limits: &Value) -> Caller {
    let mut body = json!({ "name": "limited", "role": role });
    for (field, ids) in limits.as_object().expect("limits") {
        body[field] = ids.clone();
    }
    let made = by.post("/v1/api-keys", &body).await.expect(201);
    world.with_token(made["key"].as_str().expect("a key"))
}

async fn ids(caller: &Caller, path: &str) -> Vec<Value> {
    let page = caller.get(path).await.expect(200);
    page["data"].as_array().expect("data").iter().map(|one| one["id"].clone()).collect()
}

#[tokio::test]
async fn who_is_limited_to_a_brand_sees_what_belongs_to_it_in_lists_and_alone() {
    let (world, admin, coffee, tea) = company().await;
    let limits = json!({ "brands": [coffee.brand["id"]] });
    let limited = key(&world, &admin, "operator", &limits).await;

    for path in coffee.paths() {
        limited.get(&path).await.expect(200);
    }
    for path in tea.paths() {
        limited.get(&path).await.problem(404);
        admin.get(&path).await.expect(200);
    }
    for (path, all, seen) in [
        ("/v1/brands", 2, &coffee.brand["id"]),
        ("/v1/senders", 2, &coffee.sender),
        ("/v1/pools", 2, &coffee.pool),
        ("/v1/campaigns", 2, &coffee.campaign["id"]),
        ("/v1/inboxes", 2, &coffee.inbox["id"]),
    ] {
        assert_eq!(ids(&admin, path).await.len(), all, "{path}");
        assert_eq!(ids(&limited, path).await, std::slice::from_ref(seen), "{path}");
    }

    let me = limited.get("/v1/me").await.expect(200);
    assert_eq!(me["sees"]["brands"], json!([coffee.brand["id"]]));
    assert_eq!(me["sees"]["inboxes"], json!([coffee.inbox["id"]]));
    assert_eq!(admin.get("/v1/me").await.expect(200)["sees"], Value::Null);
}

#[tokio::test]
async fn who_is_limited_changes_nothing_else() {
    let (world, admin, coffee, tea) = company().await;
    let limits = json!({ "brands": [coffee.brand["id"]] });
    let limited = key(&world, &admin, "operator", &limits).await;

    // Campaigns: of their own pools, and acts on their own.
    let template = coffee.campaign["template_id"].clone();
    let refused = limited.post("/v1/campaigns", &promo(&template, &tea.pool)).await.problem(422);
    assert_eq!(refused, [("pool_id".to_owned(), "not_found".to_owned())]);
    limited.post("/v1/campaigns", &promo(&template, &coffee.pool)).await.expect(201);
    let theirs = format!("/v1/campaigns/{}", id(&tea.campaign));
    limited.post(&format!("{theirs}/start"), &json!({})).await.problem(404);
    limited.patch(&theirs, &json!({ "name": "mine" })).await.problem(404);

    // Switches: of the campaigns and senders that they see.
    let switch = |scope: &str, target: &Value| {
        json!({
            "scope": scope, "target": target, "mode": "paused", "reason": "x",
        })
    };
    limited.put("/v1/kill-switch", &switch("tenant", &Value::Null)).await.problem(403);
    limited.put("/v1/kill-switch", &switch("sender", &tea.sender)).await.problem(422);
    limited.put("/v1/kill-switch", &switch("sender", &coffee.sender)).await.expect(200);

    // They see these and the company's, and no others.
    admin.put("/v1/kill-switch", &switch("sender", &tea.sender)).await.expect(200);
    admin.put("/v1/kill-switch", &switch("tenant", &Value::Null)).await.expect(200);
    let seen = limited.get("/v1/kill-switch").await.expect(200);
    let scopes: Vec<_> = seen["data"].as_array().unwrap().iter().map(|one| &one["scope"]).collect();
    assert_eq!(scopes, ["sender", "tenant"]);
    assert_eq!(seen["data"][0]["target"], coffee.sender);
    assert_eq!(admin.get("/v1/kill-switch").await.expect(200)["data"].as_array().unwrap().len(), 3);

    // An erasure concerns every brand, and so does the trail.
    limited.get("/v1/audit").await.problem(403);
    limited.get("/v1/audit/verify").await.problem(403);
    let contact = json!({ "phone": "+12125550100" });
    let contact = limited.post("/v1/contacts", &contact).await.expect(201);
    limited.delete(&format!("/v1/contacts/{}", id(&contact))).await.problem(403);
}

#[tokio::test]
async fn who_is_limited_sends_from_their_senders_alone() {
    let (world, admin, coffee, tea) = company().await;
    let limits = json!({ "brands": [coffee.brand["id"]] });
    let limited = key(&world, &admin, "agent", &limits).await;
    let text = |field: &str, from: &Value| {
        let mut text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
        if !field.is_empty() {
            text[field] = from.clone();
        }
        text
    };

    let nothing = limited.post("/v1/messages", &text("", &Value::Null)).await.problem(422);
    assert_eq!(nothing, [("from".to_owned(), "required".to_owned())]);
    // Somebody else's is known to be there, and is not theirs all the same.
    admin.post("/v1/messages", &text("from", &tea.sender)).await.expect(202);
    let others = limited.post("/v1/messages", &text("from", &tea.sender)).await.problem(422);
    assert_eq!(others, [("from".to_owned(), "not_found".to_owned())]);
    let others = limited.post("/v1/messages", &text("pool", &tea.pool)).await.problem(422);
    assert_eq!(others, [("pool".to_owned(), "not_found".to_owned())]);
    limited.post("/v1/messages", &text("from", &coffee.sender)).await.expect(202);
    limited.post("/v1/messages", &text("pool", &coffee.pool)).await.expect(202);

    let batch = json!({ "messages": [text("from", &coffee.sender), text("from", &tea.sender)] });
    let batch = limited.post("/v1/messages/batch", &batch).await.expect(202);
    assert_eq!((&batch["accepted"], &batch["rejected"][0]["index"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn who_is_limited_sees_the_messages_of_their_senders_and_campaigns() {
    let (world, admin, coffee, tea) = company().await;
    let limits = json!({ "brands": [coffee.brand["id"]] });
    let limited = key(&world, &admin, "operator", &limits).await;
    let stored = async |n: u8, column: &str, value: &Value| {
        let id = format!("0b7e1ffb-6a0d-5e0e-9d0b-6f7f3c1d2a{n:02}");
        world
            .run(&format!(
                "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                     contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                     changed_at, passport, {column})
                 values ('acme', '{id}', 1, 'promo', 'sms', '{id}', '+12125550100', 'Hello', 1,
                     7900, '\\x00', now(), now(), '[]', '{}')",
                value.as_str().expect("an id"),
            ))
            .await;
        id
    };
    let ours = [
        stored(1, "sender_id", &coffee.sender).await,
        stored(2, "campaign_id", &coffee.campaign["id"]).await,
    ];
    let theirs = [
        stored(3, "sender_id", &tea.sender).await,
        stored(4, "campaign_id", &tea.campaign["id"]).await,
    ];

    assert_eq!(ids(&admin, "/v1/messages").await.len(), 4);
    assert_eq!(ids(&limited, "/v1/messages").await.len(), 2);
    for id in &ours {
        limited.get(&format!("/v1/messages/{id}")).await.expect(200);
    }
    for id in &theirs {
        limited.get(&format!("/v1/messages/{id}")).await.problem(404);
        limited.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.problem(404);
    }
    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await, 0, "no mark");
    limited.post(&format!("/v1/messages/{}/cancel", ours[0]), &json!({})).await.expect(200);
    assert_eq!(
        admin.get(&format!("/v1/messages/{}", theirs[0])).await.expect(200)["status"],
        "deferred"
    );
}

#[tokio::test]
async fn who_is_limited_sees_in_a_timeline_what_is_of_their_brand() {
    let (world, admin, coffee, tea) = company().await;
    let limits = json!({ "brands": [coffee.brand["id"]] });
    let limited = key(&world, &admin, "agent", &limits).await;
    let contact = json!({ "phone": "+12125550100" });
    let contact = id(&admin.post("/v1/contacts", &contact).await.expect(201));
    for (n, part) in [(1, &coffee), (2, &tea)] {
        let thread = format!("0198f1d2-7c00-7a00-8000-0000000000e{n}");
        let (sender, brand) = (part.sender.as_str().expect("an id"), id(&part.brand));
        world
            .run(&format!(
                "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                     contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                     changed_at, passport, sender_id)
                 values ('acme', '{thread}', 22, 'promo', 'sms', '{contact}', '+12125550100', 'out',
                     1, 7900, '', now(), now(), '[]', '{sender}');
                 insert into millrace.conversations (tenant_id, conversation_id, contact_id,
                     sender_id, brand_id)
                 values ('acme', '{thread}', '{contact}', '{sender}', '{brand}');
                 insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id,
                     contact_id, sender_id, body, meaning, epoch, received_at)
                 values ('acme', '{thread}', '{thread}', '{contact}', '{sender}', 'in', 'text', 1,
                     now());
                 insert into millrace.conversation_entries (tenant_id, entry_id, conversation_id,
                     kind, author, body, at)
                 values ('acme', '{thread}', '{thread}', 'note', 'key:1', 'note', now())"
            ))
            .await;
    }

    let path = format!("/v1/contacts/{contact}/timeline");
    assert_eq!(ids(&admin, &path).await.len(), 6);
    assert_eq!(ids(&limited, &path).await, vec![json!("0198f1d2-7c00-7a00-8000-0000000000e1"); 3]);
}

#[tokio::test]
async fn an_inbox_brings_its_brand_and_no_other_inbox() {
    let (world, admin, coffee, tea) = company().await;
    let other = json!({ "name": "Orders", "brand": coffee.brand["id"] });
    admin.post("/v1/inboxes", &other).await.expect(201);
    let limits = json!({ "inboxes": [coffee.inbox["id"]] });
    let agent = key(&world, &admin, "agent", &limits).await;

    assert_eq!(ids(&agent, "/v1/inboxes").await, [coffee.inbox["id"].clone()]);
    assert_eq!(ids(&agent, "/v1/brands").await, [coffee.brand["id"].clone()]);
    assert_eq!(ids(&agent, "/v1/senders").await, std::slice::from_ref(&coffee.sender));
    agent.get(&format!("/v1/inboxes/{}", id(&tea.inbox))).await.problem(404);
    assert_eq!(ids(&admin, "/v1/inboxes").await.len(), 3);
}

#[tokio::test]
async fn a_person_is_limited_by_their_invitation_and_by_a_change_within_a_second() {
    let (world, admin, coffee, tea) = company().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let body = json!({
        "email": "ana@example.com", "role": "agent", "brands": [coffee.brand["id"]],
    });
    let invited = admin.post("/v1/invitations", &body).await.expect(201);
    assert_eq!(invited["brands"], body["brands"]);
    let accepted =
        json!({ "code": invited["code"], "name": "Ana", "password": "a mill by the river" });
    let nobody = world.with_token("nobody");
    let tokens = nobody.post("/v1/auth/accept-invitation", &accepted).await.expect(201);
    let ana = world.with_token(tokens["access_token"].as_str().expect("a token"));
    assert_eq!(ids(&ana, "/v1/senders").await, std::slice::from_ref(&coffee.sender));

    let user = format!("/v1/users/{}", tokens["person"]["id"].as_str().expect("an id"));
    let shown = admin.get(&user).await.expect(200);
    assert_eq!((&shown["brands"], &shown["inboxes"]), (&body["brands"], &json!([])));
    let moved = json!({ "role": "agent", "brands": [tea.brand["id"]] });
    admin.patch(&user, &moved).await.expect(200);
    assert_eq!(ids(&ana, "/v1/senders").await, std::slice::from_ref(&tea.sender));
    let kept = admin.patch(&user, &json!({ "role": "viewer" })).await.expect(200);
    assert_eq!(kept["brands"], moved["brands"], "what is not said stays");
    admin.patch(&user, &json!({ "role": "viewer", "brands": [] })).await.expect(200);
    assert_eq!(ids(&ana, "/v1/senders").await.len(), 2);
    owner.get(&user).await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_limits_is_said() {
    let (_world, admin, coffee, _tea) = company().await;
    let brand = &coffee.brand["id"];
    let nowhere = "0198f1d2-0000-7000-8000-0000000000ff";
    for (role, limits, wrong) in [
        ("admin", json!({ "brands": [brand] }), ("brands", "unexpected")),
        ("viewer", json!({ "brands": [brand, brand] }), ("brands[1]", "duplicate")),
        ("viewer", json!({ "brands": [brand, nowhere] }), ("brands[1]", "not_found")),
        ("viewer", json!({ "inboxes": [nowhere] }), ("inboxes[0]", "not_found")),
    ] {
        let mut body = json!({ "name": "k", "role": role });
        for (field, ids) in limits.as_object().expect("limits") {
            body[field] = ids.clone();
        }
        let wrong = [(wrong.0.to_owned(), wrong.1.to_owned())];
        assert_eq!(admin.post("/v1/api-keys", &body).await.problem(422), wrong, "{body}");
        body["email"] = "ben@example.com".into();
        body.as_object_mut().expect("fields").remove("name");
        assert_eq!(admin.post("/v1/invitations", &body).await.problem(422), wrong, "{body}");
    }
    let test = json!({ "name": "k", "role": "viewer", "mode": "test", "brands": [brand] });
    let wrong = admin.post("/v1/api-keys", &test).await.problem(422);
    assert_eq!(wrong, [("mode".to_owned(), "unexpected".to_owned())]);
}
