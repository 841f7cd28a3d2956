//! The timeline of a contact: everything between a company and a person, in one order.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::{Caller, World},
    settings::{carrier, promo, template},
};

/// The text by which the person in [`filled`] opts out, and the line of the ledger that it makes.
const STOP: &str = "0198f1d2-7c00-7a00-8000-0000000000e1";

/// The entries of every page from the first on, and how many pages there were.
async fn all(caller: &Caller, contact: &str, limit: u32) -> (Vec<Value>, usize) {
    let path = format!("/v1/contacts/{contact}/timeline?limit={limit}");
    let (mut entries, mut pages, mut next) = (Vec::new(), 0, String::new());
    loop {
        let page = caller.get(&format!("{path}{next}")).await.expect(200);
        let data = page["data"].as_array().expect("data");
        assert!(data.len() <= limit as usize, "{page}");
        entries.extend(data.iter().cloned());
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { return (entries, pages) };
        next = format!("&cursor={cursor}");
    }
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().expect("a kind")).collect()
}

/// A contact with a thing of every kind; its id.
async fn filled(world: &World, admin: &Caller) -> String {
    let (sender, pool) = carrier(admin, "main", "+12125550199").await;
    let sender = sender.as_str().expect("an id");
    let template = template(admin).await;
    let campaign = admin.post("/v1/campaigns", &promo(&template, &pool)).await.expect(201);
    let campaign = campaign["id"].as_str().expect("an id");
    let person = json!({
        "phone": "+12125550101", "consent": { "source": "shop", "basis": "express_written" },
    });
    let contact = admin.post("/v1/contacts", &person).await.expect(201);
    let contact = contact["id"].as_str().expect("an id").to_owned();

    world
        .run(&format!(
            "update millrace.campaigns set state = 'running', started_at = '2026-05-02T10:00:00Z',
                 audience_size = 1 where campaign_id = '{campaign}';
             insert into millrace.campaign_recipients
             values ('acme', '{campaign}', 0, '{contact}', gen_random_uuid());
             insert into millrace.messages (tenant_id, message_id, state, class, channel,
                 contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                 changed_at, passport, campaign_id, sender_id)
             values ('acme', gen_random_uuid(), 22, 'promo', 'sms', '{contact}', '+12125550101',
                 'Sale. Reply STOP to end', 1, 7900, '', '2026-05-02T10:05:00Z', now(), '[]',
                 '{campaign}', '{sender}');
             insert into millrace.conversations (tenant_id, conversation_id, contact_id, sender_id)
             values ('acme', '{STOP}', '{contact}', '{sender}');
             insert into millrace.inbound_texts (tenant_id, inbound_id, conversation_id, contact_id,
                 sender_id, body, meaning, epoch, received_at)
             values ('acme', '{STOP}', '{STOP}', '{contact}', '{sender}', 'take me off', 'opt_out',
                 1, '2026-05-02T11:00:00Z');
             insert into millrace.consents (tenant_id, consent_id, number, channel, action, method,
                 at, recorded_by)
             values ('acme', '{STOP}', '+12125550101', 'sms', 'revoke', 'phrase',
                 '2026-05-02T11:00:00Z', 'stage:inbound');
             insert into millrace.conversation_entries (tenant_id, entry_id, conversation_id, kind,
                 author, body, at)
             values ('acme', gen_random_uuid(), '{STOP}', 'note', 'key:1', 'asked politely',
                 '2026-05-02T12:00:00Z'),
                    ('acme', gen_random_uuid(), '{STOP}', 'act', 'key:1', '',
                 '2026-05-02T12:00:00Z')"
        ))
        .await;
    contact
}

#[tokio::test]
async fn a_timeline_holds_everything_that_was_between_them_the_newest_first() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    let contact = filled(&world, &admin).await;

    let (entries, _) = all(&viewer, &contact, 50).await;
    assert_eq!(kinds(&entries), ["note", "opt_out", "text", "message", "campaign", "consent"]);
    let [note, opt_out, text, message, campaign, consent] = entries.as_slice() else {
        panic!("six entries")
    };
    assert_eq!(note["note"]["body"], "asked politely");
    assert_eq!((&opt_out["id"], &text["id"]), (&json!(STOP), &json!(STOP)), "one text, two kinds");
    assert_eq!(opt_out["consent"]["action"], "revoke");
    assert_eq!(opt_out["consent"]["method"], "phrase");
    assert_eq!(
        (&text["text"]["body"], &text["text"]["meaning"]),
        (&json!("take me off"), &json!("opt_out"))
    );
    assert_eq!(message["message"]["campaign_id"], campaign["campaign"]["id"]);
    assert_eq!(campaign["campaign"]["state"], "running");
    assert_eq!(
        (&consent["consent"]["action"], &consent["consent"]["source"]),
        (&json!("grant"), &json!("shop"))
    );

    // Of each entry its own field is there, and no other.
    for entry in &entries {
        let fields = ["message", "text", "consent", "note", "campaign"];
        let there = fields.iter().filter(|field| !entry[**field].is_null()).count();
        assert_eq!(there, 1, "{entry}");
    }

    // However it is cut into pages, it is the same, also between a text and its opt-out.
    for (limit, pages) in [(1, 7), (2, 4), (4, 2)] {
        assert_eq!(all(&viewer, &contact, limit).await, (entries.clone(), pages), "{limit}");
    }
}

#[tokio::test]
async fn a_timeline_is_of_one_contact_of_one_company() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let stranger = world.caller("globex", KeyRole::Owner).await;
    let contact = filled(&world, &admin).await;

    let other = admin.post("/v1/contacts", &json!({ "phone": "+12125550102" })).await.expect(201);
    let other = other["id"].as_str().expect("an id");
    assert_eq!(all(&admin, other, 50).await, (Vec::new(), 1));

    let path = format!("/v1/contacts/{contact}/timeline");
    stranger.get(&path).await.problem(404);
    for cursor in ["x", "MjAyNi0wNS0wMQ"] {
        let refused = admin.get(&format!("{path}?cursor={cursor}")).await.problem(422);
        assert_eq!(refused, [("cursor".to_owned(), "invalid".to_owned())], "{cursor}");
    }

    admin.delete(&format!("/v1/contacts/{contact}")).await.expect(200);
    admin.get(&path).await.problem(404);
}

#[tokio::test]
async fn a_contact_with_very_many_messages_has_a_timeline_in_full() {
    let world = World::start().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let contact = admin.post("/v1/contacts", &json!({ "phone": "+12125550101" })).await.expect(201);
    let contact = contact["id"].as_str().expect("an id");
    let others = "gen_random_uuid()";
    for (whose, count, day) in [(format!("'{contact}'"), 10_001, 1), (others.to_owned(), 10_500, 2)]
    {
        world
            .run(&format!(
                "insert into millrace.messages (tenant_id, message_id, state, class, channel,
                     contact_id, number, body, segments, cost_micros, body_hash, submitted_at,
                     changed_at, passport)
                 select 'acme', gen_random_uuid(), 22, 'promo', 'sms', {whose}, '+12125550101',
                     'text', 1, 7900, '', timestamptz '2026-05-0{day}' + n * interval '1 s', now(),
                     '[]'
                 from generate_series(1, {count}) n"
            ))
            .await;
    }
    // A line that is older than every message: it is not told before these are.
    world
        .run(
            "insert into millrace.consents (tenant_id, consent_id, number, channel, action, method,
                 at, recorded_by)
             values ('acme', gen_random_uuid(), '+12125550101', 'sms', 'grant', 'api',
                 '2026-04-01', 'key:1')",
        )
        .await;

    let first = admin.get(&format!("/v1/contacts/{contact}/timeline")).await.expect(200);
    assert_eq!(first["data"], json!([]), "the newest ten thousand messages are others'");
    let (entries, _) = all(&admin, contact, 1000).await;
    assert_eq!(entries.len(), 10_002);
    let kinds = kinds(&entries);
    assert!(kinds[..10_001].iter().all(|kind| *kind == "message"));
    assert_eq!(kinds[10_001], "consent");
}
