//! A contact is a set of addresses: they are shown, added and removed, all forms of a number are
//! one, and two contacts become one and come apart again.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;
use wire::Event;

use crate::harness::{Caller, World};

const ID: &str = "US.13491208655302741918";

/// A contact with this number; its path.
async fn contact(caller: &Caller, phone: &str) -> String {
    let made = caller.post("/v1/contacts", &json!({ "phone": phone })).await.expect(201);
    format!("/v1/contacts/{}", made["id"].as_str().unwrap())
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// What a contact is known under.
fn addresses(contact: &Value) -> Vec<&str> {
    let all = contact["addresses"].as_array().unwrap();
    all.iter().map(|one| one["address"].as_str().unwrap()).collect()
}

/// Everything that was said so far was said before what comes next: the clock stands still.
async fn an_hour_ago(world: &World) {
    world.run("update millrace.consents set recorded_at = recorded_at - interval '1 hour'").await;
}

#[tokio::test]
async fn all_forms_of_a_number_are_one_contact_and_one_opt_out() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    for (first, forms) in [
        ("+55 11 98765-4321", ["+55 11 8765-4321", "+551187654321"]),
        ("+52 1 55 1234 5678", ["+52 55 1234 5678", "+5215512345678"]),
        ("+54 11 2345-6789", ["+54 9 11 2345-6789", "+5491123456789"]),
    ] {
        let path = contact(&caller, first).await;
        caller.post(&format!("{path}/consent"), &json!({ "action": "revoke" })).await.expect(201);
        for form in forms {
            let known = caller.post("/v1/contacts", &json!({ "phone": form })).await.expect(200);
            assert_eq!(known["id"], id(&path), "{form}");
            assert_eq!(known["opt_out_cause"], "api", "{form}");
            let query = format!("/v1/contacts?phone={}", form.replace('+', "%2B"));
            let found = caller.get(&query.replace(' ', "%20")).await.expect(200);
            assert_eq!(found["data"][0]["id"], id(&path), "{form}");
        }
    }

    let file = "phone\n+55 11 8765-4321\n+52 1 55 1234 5678\n+55 11 3333-4444\n";
    let preview = caller.csv("/v1/contacts/import/preview", file).await.expect(200);
    assert_eq!((&preview["unchanged"], &preview["created"]), (&json!(2), &json!(1)), "{preview}");
}

#[tokio::test]
async fn an_address_is_added_shown_and_taken_away_and_is_one_contacts() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller, "+12125550101").await;
    let all = format!("{path}/addresses");
    caller.post(&format!("{path}/consent"), &json!({ "action": "revoke" })).await.expect(201);

    for (kind, address) in
        [("username", "Ana.Ruiz"), ("phone", "(212) 555-0102"), ("carrier_id", ID)]
    {
        let body = json!({ "kind": kind, "address": address });
        caller.post(&all, &body).await.expect(200);
        caller.post(&all, &body).await.expect(200);
    }
    let shown = caller.get(&path).await.expect(200);
    assert_eq!(addresses(&shown), ["+12125550101", "+12125550102", ID, "ana.ruiz"]);
    assert_eq!(shown["phone"], "+12125550101");

    // The second number is the same contact, and is stopped as the first is.
    let second = caller.get("/v1/contacts?phone=%2B12125550102").await.expect(200);
    assert_eq!(second["data"][0]["id"], id(&path));
    let stopped = caller.get("/v1/do-not-contact?cause=opted_out").await.expect(200);
    let stopped = stopped["data"].as_array().unwrap().iter();
    let mut numbers: Vec<&str> = stopped.map(|one| one["phone"].as_str().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["+12125550101", "+12125550102"]);
    let people = caller.get("/v1/contacts").await.expect(200);
    assert_eq!(people["data"].as_array().unwrap().len(), 1, "one person is listed once");
    let named = json!({ "phone": "+12125550102", "first_name": "Ana" });
    let named = caller.post("/v1/contacts", &named).await.expect(200);
    assert_eq!((&named["id"], &named["first_name"]), (&json!(id(&path)), &json!("Ana")));

    let stranger = contact(&caller, "+12125550103").await;
    let taken = json!({ "kind": "phone", "address": "+12125550102" });
    caller.post(&format!("{stranger}/addresses"), &taken).await.problem(409);
    for (kind, address, field) in [
        ("bsuid", ID, "kind"),
        ("carrier_id", "anonymous", "address"),
        ("phone", "12", "address"),
        ("username", "a b", "address"),
        ("whatsapp_id", "+12125550104", "address"),
    ] {
        let body = json!({ "kind": kind, "address": address });
        assert_eq!(caller.post(&all, &body).await.problem(422)[0].0, field, "{kind}");
    }

    let of = |kind: &str, address: &str| format!("{all}?kind={kind}&address={address}");
    caller.delete(&of("phone", "%2B12125550101")).await.problem(409);
    caller.delete(&of("phone", "%2B12125550109")).await.problem(404);
    let left = caller.delete(&of("phone", "%2B12125550102")).await.expect(200);
    assert_eq!(addresses(&left), ["+12125550101", ID, "ana.ruiz"]);
    let apart = caller.get("/v1/contacts?phone=%2B12125550102").await.expect(200);
    assert_ne!(apart["data"][0]["id"], id(&path));
    assert!(!apart["data"][0]["opted_out_at"].is_null(), "it keeps what stops it");

    let viewer = world.caller("acme", KeyRole::Viewer).await;
    viewer.post(&all, &taken).await.problem(403);
    viewer.delete(&of("username", "ana.ruiz")).await.problem(403);
}

#[tokio::test]
async fn a_merge_makes_one_person_of_two_and_its_undo_two_of_one() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let (stays, goes) =
        (contact(&caller, "+12125550101").await, contact(&caller, "+12125550102").await);
    let fields = json!({ "first_name": "Ana", "add_tags": ["vip"] });
    caller.patch(&goes, &fields).await.expect(200);
    let grant = json!({ "action": "grant", "basis": "express_written" });
    caller.post(&format!("{stays}/consent"), &grant).await.expect(201);
    caller.post(&format!("{goes}/consent"), &json!({ "action": "revoke" })).await.expect(201);
    an_hour_ago(&world).await;
    let before = [caller.get(&stays).await.expect(200), caller.get(&goes).await.expect(200)];

    let merges = format!("{stays}/merges");
    let merge = caller.post(&merges, &json!({ "merged_id": id(&goes) })).await.expect(201);
    let one = caller.get(&stays).await.expect(200);
    assert_eq!(addresses(&one), ["+12125550101", "+12125550102"]);
    assert_eq!((&one["first_name"], &one["tags"]), (&json!("Ana"), &json!(["vip"])));
    assert_eq!(one["opt_out_cause"], "contact", "who has said no to one has said no to both");
    assert!(!one["consent_at"].is_null());
    assert_eq!(caller.get(&goes).await.expect(200), one, "its id names the one that it is in");

    let ledger = caller.get(&format!("{stays}/consent")).await.expect(200);
    let lines = ledger["data"].as_array().unwrap();
    assert_eq!(lines.len(), 3, "those of both, and what the merge has added: {ledger}");
    caller.post(&merges, &json!({ "merged_id": id(&goes) })).await.problem(409);
    caller.post(&merges, &json!({ "merged_id": id(&stays) })).await.problem(409);
    let nobody = json!({ "merged_id": uuid::Uuid::nil() });
    assert_eq!(caller.post(&merges, &nobody).await.problem(422)[0].0, "merged_id");
    assert_eq!(caller.get(&merges).await.expect(200)["data"], json!([merge]));

    let undo = format!("/v1/contacts/merges/{}/undo", merge["id"].as_str().unwrap());
    let undone = caller.post(&undo, &json!({})).await.expect(200);
    assert!(!undone["undone_at"].is_null());
    let mut after = [caller.get(&stays).await.expect(200), caller.get(&goes).await.expect(200)];
    for (now, then) in after.iter_mut().zip(&before) {
        for field in ["updated_at", "addresses"] {
            now[field] = then[field].clone();
        }
    }
    assert_eq!(after, before);
    caller.post(&undo, &json!({})).await.problem(409);

    world.becomes(0, "select count(*) from millrace.unsaid_events").await;
    for what in ["merged", "unmerged"] {
        let events: Vec<Event> =
            world.published("EVENTS", &format!("events.acme.contact.{what}")).await;
        assert_eq!(events.len(), 1, "{what}");
        let data: Value = serde_json::from_str(events[0].data.get()).unwrap();
        assert_eq!((&data["contact"], &data["merged"]), (&json!(id(&stays)), &json!(id(&goes))));
    }
    let noted = "select count(*) from millrace.audit_log
                 where action in ('contact.merged', 'contact.unmerged')";
    assert_eq!(world.number(noted).await, 2);
}

#[tokio::test]
async fn a_merge_is_refused_where_the_number_would_be_lost_and_its_undo_after_a_month() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let with_number = contact(&caller, "+12125550101").await;
    let without = "insert into millrace.contacts
            (tenant_id, contact_id, number, country, created_at, updated_at)
        values ('acme', '00000000-0000-0000-0000-00000000000a', 'US.134', 'US', now(), now())";
    world.run(without).await;
    let without = "/v1/contacts/00000000-0000-0000-0000-00000000000a";
    let shown = caller.get(without).await.expect(200);
    assert_eq!((&shown["phone"], addresses(&shown)), (&Value::Null, vec!["US.134"]));

    let number = json!({ "kind": "phone", "address": "+12125550102" });
    caller.post(&format!("{without}/addresses"), &number).await.problem(409);
    let other = json!({ "merged_id": id(&with_number) });
    caller.post(&format!("{without}/merges"), &other).await.problem(409);
    let this = json!({ "merged_id": id(without) });
    let merge = caller.post(&format!("{with_number}/merges"), &this).await.expect(201);

    let old = "update millrace.contact_merges set merged_at = merged_at - interval '31 days'";
    world.run(old).await;
    let undo = format!("/v1/contacts/merges/{}/undo", merge["id"].as_str().unwrap());
    caller.post(&undo, &json!({})).await.problem(409);
    let stranger = world.caller("globex", KeyRole::Owner).await;
    stranger.post(&undo, &json!({})).await.problem(404);
}

#[tokio::test]
async fn an_erasure_takes_every_address_of_the_person() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let path = contact(&caller, "+12125550101").await;
    let other = contact(&caller, "+12125550102").await;
    caller.patch(&other, &json!({ "first_name": "Ana" })).await.expect(200);
    let merge = json!({ "merged_id": id(&other) });
    caller.post(&format!("{path}/merges"), &merge).await.expect(201);
    let name = json!({ "kind": "username", "address": "ana.ruiz" });
    caller.post(&format!("{path}/addresses"), &name).await.expect(200);

    caller.delete(&other).await.expect(200);
    for gone in [&path, &other] {
        caller.get(gone).await.problem(404);
    }
    assert_eq!(world.number("select count(*) from millrace.contact_merges").await, 0);
    let left = "select count(*) from millrace.contacts
                where first_name <> '' or erased_at is null or merged_into is not null";
    assert_eq!(world.number(left).await, 0);
    let left = "select count(*) from millrace.contact_addresses where kind <> 'phone'";
    assert_eq!(world.number(left).await, 0);
}
