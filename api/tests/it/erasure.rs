//! People are changed, found and erased; an erasure keeps the opt-out.

use domain::ids::{CampaignId, ContactId, MessageId, TenantId};
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::World,
    settings::{carrier, promo, template},
};

#[tokio::test]
async fn a_change_sets_what_it_names_and_takes_tags_off_again() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let first = json!({
        "phone": "+12125550123", "first_name": "Ana", "last_name": "Ruiz", "tags": ["vip", "new"],
        "attributes": { "plan": "gold", "shoe": "42" }, "postal_code": "10001",
    });
    let made = caller.post("/v1/contacts", &first).await.expect(201);
    let path = format!("/v1/contacts/{}", made["id"].as_str().unwrap());

    let change = json!({
        "last_name": null, "remove_tags": ["new"], "attributes": { "plan": null, "hat": "7" },
        "time_zone": "America/Chicago",
    });
    let changed = caller.patch(&path, &change).await.expect(200);
    assert_eq!((&changed["first_name"], &changed["last_name"]), (&json!("Ana"), &json!("")));
    assert_eq!(changed["tags"], json!(["vip"]));
    assert_eq!(changed["attributes"], json!({ "hat": "7", "shoe": "42" }));
    assert_eq!(changed["time_zone"], "America/Chicago");
    assert_eq!(changed["postal_code"], "10001");
    assert_eq!(caller.get(&path).await.expect(200), changed);

    let wrong = json!({ "time_zone": "Mars", "phone": "+12125550124" });
    assert_eq!(caller.patch(&path, &wrong).await.problem(422)[0].0, "phone");
    let wrong = json!({ "time_zone": "Mars", "language": "klingon" });
    assert_eq!(caller.patch(&path, &wrong).await.problem(422).len(), 2);

    let stranger = world.caller("globex", KeyRole::Owner).await;
    stranger.patch(&path, &json!({ "first_name": "x" })).await.problem(404);
    stranger.delete(&path).await.problem(404);
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.patch(&path, &change).await.problem(403);
    viewer.delete(&path).await.problem(403);
}

#[tokio::test]
async fn a_person_is_found_by_number_and_by_what_is_in_name_or_number() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    for (phone, name, tag) in
        [("+12125550123", "Ana", "a"), ("+12125550124", "Bo", "b"), ("+13055550125", "Hanan", "a")]
    {
        let body =
            json!({ "phone": phone, "first_name": name, "last_name": "Ruiz", "tags": [tag] });
        caller.post("/v1/contacts", &body).await.expect(201);
    }

    let found = |query: &str| {
        let path = format!("/v1/contacts?{query}");
        let caller = caller.clone();
        async move {
            let page = caller.get(&path).await.expect(200);
            let data = page["data"].as_array().expect("data").clone();
            let names = data.iter().map(|one| one["first_name"].as_str().unwrap().to_owned());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        }
    };
    assert_eq!(found("phone=(212)%20555-0124").await, ["Bo"]);
    assert_eq!(found("phone=%2B12125550199").await, [""; 0]);
    assert_eq!(found("phone=%2B12125550124&tag=a").await, [""; 0]);
    assert_eq!(found("q=AN").await, ["Ana", "Hanan"]);
    assert_eq!(found("q=bo%20ruiz").await, ["Bo"]);
    assert_eq!(found("q=305-555").await, ["Hanan"]);
    assert_eq!(found("q=ruiz&tag=a").await, ["Ana", "Hanan"]);
    assert_eq!(found("q=ru%25z").await, [""; 0], "no wildcard");
    caller.get("/v1/contacts?phone=12").await.problem(422);
    caller.get("/v1/contacts?q=a").await.problem(422);
}

#[tokio::test]
async fn a_page_with_a_filter_looks_at_ten_thousand_people_and_says_where_it_stopped() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let people = "insert into millrace.contacts (tenant_id, contact_id, number, country, tags,
            created_at, updated_at)
        select 'acme', lpad(to_hex(n), 32, '0')::uuid, '+1212' || n, 'US',
            case when n = 10002 then '{last}' else '{}' end::text[], now(), now()
        from generate_series(1, 10003) n";
    world.run(people).await;

    let page = caller.get("/v1/contacts?tag=last").await.expect(200);
    assert_eq!(page["data"], json!([]));
    let cursor = page["next_cursor"].as_str().expect("where it stopped");
    let rest = caller.get(&format!("/v1/contacts?tag=last&cursor={cursor}")).await.expect(200);
    assert_eq!(rest["data"][0]["phone"], "+121210002");
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test]
async fn an_erased_person_is_gone_and_their_opt_out_stays() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let body = json!({ "phone": "+12125550123", "first_name": "Ana", "tags": ["vip"] });
    let made = caller.post("/v1/contacts", &body).await.expect(201);
    let path = format!("/v1/contacts/{}", made["id"].as_str().unwrap());
    let stop = json!({ "action": "revoke", "source": "letter" });
    caller.post(&format!("{path}/consent"), &stop).await.expect(201);

    let erased = caller.delete(&path).await.expect(200);
    assert_eq!(erased["id"], made["id"]);
    caller.get(&path).await.problem(404);
    caller.delete(&path).await.problem(404);
    caller.get(&format!("{path}/consent")).await.problem(404);
    for list in ["/v1/contacts", "/v1/contacts?tag=vip", "/v1/contacts?phone=%2B12125550123"] {
        assert_eq!(caller.get(list).await.expect(200)["data"], json!([]), "{list}");
    }

    let stopped = caller.get("/v1/do-not-contact?cause=opted_out").await.expect(200);
    assert_eq!(stopped["data"][0]["phone"], "+12125550123");
    let names = "select count(*) from millrace.contacts
        where first_name <> '' or tags <> '{}' or attributes <> '{}'";
    assert_eq!(world.number(names).await, 0);

    // Made again, they are new, and still have said stop.
    let again = caller.post("/v1/contacts", &json!({ "phone": "+12125550123" })).await.expect(201);
    assert_eq!((&again["id"], &again["first_name"]), (&made["id"], &json!("")));
    assert_ne!(again["opted_out_at"], Value::Null);
    caller.get(&path).await.expect(200);
}

#[tokio::test]
async fn an_erasure_takes_texts_and_withdraws_what_is_on_its_way() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (_, pool) = carrier(&caller, "main", "+12125550199").await;
    let template = template(&caller).await;
    let made = caller.post("/v1/contacts", &json!({ "phone": "+12125550123" })).await.expect(201);
    let contact = made["id"].as_str().unwrap();
    let draft = promo(&template, &pool);
    let campaign = caller.post("/v1/campaigns", &draft).await.expect(201)["id"].clone();
    let (tenant, campaign): (TenantId, CampaignId) =
        ("acme".parse().unwrap(), campaign.as_str().unwrap().parse().unwrap());
    let sender = domain::ids::SenderId::of(&tenant, "+12125550199");
    let person = ContactId(contact.parse().unwrap());
    let thread = domain::ids::ConversationId::of(person, sender);
    let fed = MessageId::from_campaign(campaign, person, 0);

    // Delivered, deferred, in doubt; what they wrote; and a campaign that has not come to them yet.
    world
        .run(&format!(
            "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport, metadata)
             select 'acme', gen_random_uuid(), s, 'promo', 'sms', '{contact}', '+12125550123',
                 'Hi Ana', 1, 7900, '', now(), now(), '[]', '{{\"order\": \"7\"}}'
             from unnest(array[22, 1, 4]) s;
             insert into millrace.conversations (tenant_id, conversation_id, contact_id, sender_id,
                 labels) values ('acme', '{thread}', '{contact}', '{sender}', '{{Ana}}');
             insert into millrace.conversation_entries (tenant_id, entry_id, conversation_id, kind,
                 author, body, at)
             values ('acme', gen_random_uuid(), '{thread}', 'note', 'key:1', 'Ana calls', now());
             insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id,
                 sender_id, body, meaning, epoch, received_at)
             values ('acme', gen_random_uuid(), '{thread}', '{contact}', '{sender}', 'I am Ana',
                 'text', 1, now());
             insert into millrace.campaign_recipients
             values ('acme', '{campaign}', 0, '{contact}', '{fed}');
             update millrace.campaigns set state = 'running', audience_size = 1"
        ))
        .await;

    let erased = caller.delete(&format!("/v1/contacts/{contact}")).await.expect(200);
    assert_eq!(erased["messages_cancelled"], 2);
    assert_eq!(erased["texts_removed"], 4);
    let noted = "select (select count(*) from millrace.conversation_entries where body <> '')
                      + (select count(*) from millrace.conversations where labels <> '{}')";
    assert_eq!(world.number(noted).await, 0);

    let left = "select count(*) from millrace.messages
        where body <> '' or metadata is not null or text_expired_at is null";
    assert_eq!(world.number(left).await, 1, "the one in doubt may have to be sent again");
    assert_eq!(
        world.number("select count(*) from millrace.inbound_texts where body <> ''").await,
        0
    );
    assert_eq!(world.number("select count(*) from millrace.cancel_marks").await, 1);

    let trail = caller.get("/v1/audit?action=contact.erased").await.expect(200);
    assert_eq!(trail["data"][0]["subject"], format!("contact:{contact}"));
    let cancelled = caller.get("/v1/messages?status=cancelled").await.expect(200);
    assert_eq!(cancelled["data"].as_array().unwrap().len(), 1);
    assert_eq!(cancelled["data"][0]["passport"][0]["reason"], "the contact was erased");
}
