//! The company itself: what it looks like, its currency, what its plan has, and its end.

use std::time::Duration;

use domain::ids::{TenantId, account_handle};
use serde_json::{Value, json};
use store::settings::{
    api_keys::KeyRole,
    archive,
    tenants::{self, PlanLimits},
};
use wire::{Submitted, WebhookRequest};

use crate::{
    codes::{founder, with, world},
    harness::{Caller, PUBLIC_URL, World, send},
    settings::{carrier, promo, template},
    webhooks::signature,
};

const PASSWORD: &str = "a mill by the river";

/// A platform on which what has changed is known at once.
async fn at_once() -> World {
    World::start_with(|settings| settings.fresh = Duration::ZERO).await
}

/// Says what the plan of a company has, as an operator does.
async fn limit(world: &World, tenant: &str, limits: PlanLimits) {
    let tenant: TenantId = tenant.parse().unwrap();
    let mut tx = world.store.scoped([&tenant]).await.unwrap();
    tenants::save_limits(&mut tx, &tenant, limits).await.unwrap();
    tx.commit().await.unwrap();
}

/// Restores a company, as an operator does.
async fn restore(world: &World, tenant: &str) -> bool {
    let tenant: TenantId = tenant.parse().unwrap();
    let now = *world.now.lock().unwrap();
    let mut tx = world.store.scoped([&tenant, &tenant.twin()]).await.unwrap();
    let done = archive::restore(&mut tx, &tenant, "operator", now).await.unwrap();
    tx.commit().await.unwrap();
    done
}

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().expect("a detail")
}

#[tokio::test]
async fn a_company_has_a_theme_that_is_checked_as_a_brands_look_is() {
    let world = at_once().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let before = admin.get("/v1/tenant").await.expect(200);
    let plain = json!({ "colour": "#6366f1", "logo_url": null, "display_name": before["name"] });
    assert_eq!(before["theme"], plain);

    let theme = json!({
        "colour": "#0F766E", "logo_url": "https://acme.example/logo.png", "display_name": " Acme ",
    });
    let after = admin.patch("/v1/tenant", &json!({ "theme": theme })).await.expect(200);
    let shown = json!({
        "colour": "#0f766e", "logo_url": "https://acme.example/logo.png", "display_name": "Acme",
    });
    assert_eq!(after["theme"], shown);
    let some = json!({ "theme": { "colour": "#b45309" } });
    let after = admin.patch("/v1/tenant", &some).await.expect(200);
    assert_eq!(after["theme"]["display_name"], "Acme", "what is not said stays");

    let wrong = json!({ "colour": "red", "logo_url": "http://acme.example", "display_name": "" });
    let fields = |errors: Vec<(String, String)>| -> Vec<String> {
        errors.into_iter().map(|(field, _)| field).collect()
    };
    let of_company =
        fields(admin.patch("/v1/tenant", &json!({ "theme": wrong })).await.problem(422));
    let brand = json!({
        "name": "B", "colour": "red", "logo_url": "http://acme.example", "display_name": "",
    });
    let of_brand = fields(admin.post("/v1/brands", &brand).await.problem(422));
    assert_eq!(of_brand.len(), 3);
    let prefixed: Vec<String> = of_brand.iter().map(|field| format!("theme.{field}")).collect();
    assert_eq!(of_company, prefixed);
}

#[tokio::test]
async fn the_currency_is_chosen_before_the_first_message_is_priced() {
    let world = at_once().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let euros = json!({ "currency": "EUR" });
    assert_eq!(admin.patch("/v1/tenant", &euros).await.expect(200)["currency"], "EUR");
    let cap = json!({ "scope": "tenant", "daily": { "amount": "10.00", "currency": "EUR" } });
    admin.put("/v1/budgets", &cap).await.expect(200);
    admin.patch("/v1/tenant", &json!({ "currency": "euros" })).await.problem(422);

    let text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
    admin.post("/v1/messages", &text).await.expect(202);
    let sent: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    world.store(&sent[0]).await;
    let refused = admin.patch("/v1/tenant", &json!({ "currency": "USD" })).await.expect(409);
    assert!(detail(&refused).contains("priced in EUR"), "{refused}");
    admin.patch("/v1/tenant", &json!({ "currency": "EUR", "name": "A" })).await.expect(200);
    let other = world.caller("globex", KeyRole::Admin).await;
    other.patch("/v1/tenant", &euros).await.expect(200);
}

#[tokio::test]
async fn a_plan_has_so_many_brands_keys_and_members_and_no_more() {
    let world = at_once().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let none = json!({
        "brands": null, "members": null, "api_keys": null, "messages_per_day": null,
        "contacts": null, "pace": null,
    });
    assert_eq!(owner.get("/v1/tenant").await.expect(200)["limits"], none);
    let invite = async |email: &str| {
        owner.post("/v1/invitations", &json!({ "email": email, "role": "viewer" })).await
    };
    let (ana, ben) = (invite("ana@example.com").await, invite("ben@example.com").await);
    let (ana, ben) = (ana.expect(201), ben.expect(201));
    let some = PlanLimits {
        brands: Some(1),
        members: Some(1),
        keys: Some(2),
        messages_per_day: Some(500),
        contacts: Some(3),
        pace: Some(100),
    };
    limit(&world, "acme", some).await;
    let some = json!({
        "brands": 1, "members": 1, "api_keys": 2, "messages_per_day": 500, "contacts": 3,
        "pace": 100,
    });
    assert_eq!(owner.get("/v1/tenant").await.expect(200)["limits"], some);

    let brand = |name: &str| json!({ "name": name });
    owner.post("/v1/brands", &brand("one")).await.expect(201);
    let refused = owner.post("/v1/brands", &brand("two")).await.expect(409);
    assert!(detail(&refused).contains("1 brands"), "{refused}");

    let key = json!({ "name": "k", "role": "viewer" });
    let second = owner.post("/v1/api-keys", &key).await.expect(201);
    let refused = owner.post("/v1/api-keys", &key).await.expect(409);
    assert!(detail(&refused).contains("2 api_keys"), "{refused}");
    let path = format!("/v1/api-keys/{}", second["id"].as_str().unwrap());
    owner.delete(&path).await.expect(200);
    owner.post("/v1/api-keys", &key).await.expect(201);

    // Two were invited before: the first comes, the second does not, and keeps the invitation.
    let accept =
        |invited: &Value| json!({ "code": invited["code"], "name": "N", "password": PASSWORD });
    let nobody = world.with_token("");
    nobody.post("/v1/auth/accept-invitation", &accept(&ana)).await.expect(201);
    let refused = nobody.post("/v1/auth/accept-invitation", &accept(&ben)).await.expect(409);
    assert!(detail(&refused).contains("1 members"), "{refused}");
    invite("cara@example.com").await.problem(409);
    limit(&world, "acme", PlanLimits::default()).await;
    nobody.post("/v1/auth/accept-invitation", &accept(&ben)).await.expect(201);
}

#[tokio::test]
async fn a_plan_has_so_many_contacts_and_who_wants_no_texts_is_taken_all_the_same() {
    let world = at_once().await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let contact = |last: u32| json!({ "phone": format!("+1212555010{last}") });
    admin.post("/v1/contacts", &contact(0)).await.expect(201);
    limit(&world, "acme", PlanLimits { contacts: Some(2), ..PlanLimits::default() }).await;

    // One by one: who is known is changed, and one more is refused.
    admin.post("/v1/contacts", &contact(1)).await.expect(201);
    let refused = admin.post("/v1/contacts", &contact(2)).await.expect(409);
    assert!(detail(&refused).contains("no room for more contacts"), "{refused}");
    let known = json!({ "phone": "+12125550101", "first_name": "Ana" });
    admin.post("/v1/contacts", &known).await.expect(200);

    // Many at once: as many as there is room for, in their order.
    limit(&world, "acme", PlanLimits { contacts: Some(3), ..PlanLimits::default() }).await;
    let three = json!({ "contacts": [contact(1), contact(2), contact(3)] });
    let answer = admin.post("/v1/contacts/bulk", &three).await.expect(200);
    let outcomes: Vec<_> =
        (0..3).map(|n| answer["results"][n]["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["unchanged", "created", "invalid"], "{answer}");
    assert_eq!(answer["results"][2]["errors"][0]["code"], "too_many");

    // A no is recorded whatever the plan.
    let mut no = contact(4);
    no["do_not_contact"] = json!({ "reason": "letter", "stops": "all" });
    let said = admin.post("/v1/contacts", &no).await.expect(201);
    assert_eq!(said["phone"], "+12125550104");
    assert_eq!(world.number("select count(*) from millrace.contacts").await, 4);
    let other = world.caller("globex", KeyRole::Admin).await;
    other.post("/v1/contacts", &contact(5)).await.expect(201);
}

/// A company with a campaign that runs and a text that is parked; its campaign.
async fn busy(world: &World, owner: &Caller) -> String {
    let (_, pool) = carrier(owner, "main", "+12125550199").await;
    let template = template(owner).await;
    let campaign = owner.post("/v1/campaigns", &promo(&template, &pool)).await.expect(201);
    let path = format!("/v1/campaigns/{}", campaign["id"].as_str().unwrap());
    owner.post(&format!("{path}/start"), &json!({})).await.expect(200);
    world
        .run(
            "insert into millrace.parked (tenant_id, message_id, turn, cause, cause_key, lane,
                 payload, parked_at)
             values ('acme', gen_random_uuid(), 1, 'quiet_hours', 'quiet_hours', 'bulk', '{}',
                     now())",
        )
        .await;
    path
}

#[tokio::test]
async fn an_archived_company_is_refused_and_restored_by_an_operator() {
    let world = at_once().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let viewer = world.caller("acme", KeyRole::Viewer).await;
    let admin = world.caller("acme", KeyRole::Admin).await;
    let campaign = busy(&world, &owner).await;
    let trial = json!({ "name": "t", "role": "owner", "mode": "test" });
    let trial = owner.post("/v1/api-keys", &trial).await.expect(201);
    let trial = world.with_token(trial["key"].as_str().unwrap());

    // By an owner who says which company it is.
    let acme = json!({ "tenant": "acme" });
    admin.post("/v1/tenant/archive", &acme).await.problem(403);
    trial.post("/v1/tenant/archive", &acme).await.problem(403);
    owner.post("/v1/tenant/archive", &json!({ "tenant": "globex" })).await.problem(422);
    let archived = owner.post("/v1/tenant/archive", &acme).await.expect(200);
    assert!(archived["archived_at"].is_string(), "{archived}");
    for caller in [&owner, &viewer, &trial] {
        let refused = caller.get("/v1/me").await.expect(403);
        assert!(detail(&refused).contains("archived"), "{refused}");
    }
    let text = json!({ "to": "+12125550100", "class": "transactional", "body": "Hello" });
    owner.post("/v1/messages", &text).await.problem(403);

    // What is under way stops, what is parked comes back to be ended, and the trail tells of it.
    let ending = "select count(*) from millrace.wakes where what = '*' and ending";
    assert_eq!(world.number(ending).await, 2, "the company's and its twin's");
    let stopped = "select count(*) from millrace.switches where scope = 'tenant'
                   and mode = 'stopped'";
    assert_eq!(world.number(stopped).await, 2);
    let paused = "select count(*) from millrace.campaigns where state = 'paused'";
    assert_eq!(world.number(paused).await, 1);

    assert!(restore(&world, "acme").await);
    assert!(!restore(&world, "acme").await, "once");
    assert_eq!(owner.get("/v1/tenant").await.expect(200)["archived_at"], Value::Null);
    trial.get("/v1/me").await.expect(200);
    assert_eq!(owner.get(&campaign).await.expect(200)["state"], "paused");
    owner.post(&format!("{campaign}/resume"), &json!({})).await.expect(200);
    assert_eq!(owner.get("/v1/kill-switch").await.expect(200)["data"], json!([]));
    for action in ["tenant.archived", "tenant.restored"] {
        let trail = owner.get(&format!("/v1/audit?action={action}")).await.expect(200);
        assert_eq!(trail["data"].as_array().unwrap().len(), 1, "{action}");
    }
}

#[tokio::test]
async fn a_switch_that_was_paused_before_an_archive_is_paused_after_the_restore() {
    let world = at_once().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let pause = json!({ "scope": "tenant", "mode": "paused", "reason": "ours" });
    owner.put("/v1/kill-switch", &pause).await.expect(200);
    owner.post("/v1/tenant/archive", &json!({ "tenant": "acme" })).await.expect(200);
    restore(&world, "acme").await;
    let switches = owner.get("/v1/kill-switch").await.expect(200);
    assert_eq!(
        (&switches["data"][0]["mode"], &switches["data"][0]["reason"]),
        (&json!("paused"), &json!("ours"))
    );
}

#[tokio::test]
async fn nobody_signs_in_to_an_archived_company_or_comes_to_it_and_others_go_on() {
    let world = world().await;
    let tokens = founder(&world, "mia@example.com", "Mia").await;
    let (mia, nobody) = (with(&world, &tokens), world.with_token(""));
    let ana = json!({ "email": "ana@example.com", "role": "viewer" });
    let invited = mia.post("/v1/invitations", &ana).await.expect(201);
    mia.post("/v1/tenant/archive", &json!({ "tenant": tokens["tenant"] })).await.expect(200);

    mia.get("/v1/me").await.problem(403);
    let log_in = json!({ "email": "mia@example.com", "password": PASSWORD });
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let accept = json!({ "code": invited["code"], "name": "Ana", "password": PASSWORD });
    for (path, body) in [
        ("/v1/auth/login", &log_in),
        ("/v1/auth/refresh", &refresh),
        ("/v1/auth/accept-invitation", &accept),
    ] {
        let refused = nobody.post(path, body).await.expect(403);
        assert!(detail(&refused).contains("archived"), "{path} {refused}");
    }

    // Where she works for another company too, she signs in to that one, and sees which is over.
    let globex = world.caller("globex", KeyRole::Owner).await;
    let mia = json!({ "email": "mia@example.com", "role": "viewer" });
    let invited = globex.post("/v1/invitations", &mia).await.expect(201);
    let accept = json!({ "code": invited["code"], "password": PASSWORD });
    nobody.post("/v1/auth/accept-invitation", &accept).await.expect(201);
    let again = nobody.post("/v1/auth/login", &log_in).await.expect(200);
    assert_eq!(again["tenant"], "globex");
    let companies = with(&world, &again).get("/v1/me/tenants").await.expect(200);
    let over =
        companies["data"].as_array().unwrap().iter().filter(|one| one["archived_at"].is_string());
    assert_eq!(over.map(|one| one["id"].clone()).collect::<Vec<_>>(), [tokens["tenant"].clone()]);

    // A refused refresh has used nothing up.
    restore(&world, tokens["tenant"].as_str().unwrap()).await;
    nobody.post("/v1/auth/refresh", &refresh).await.expect(200);
}

#[tokio::test]
async fn what_is_written_to_an_archived_company_is_taken() {
    let world = at_once().await;
    let owner = world.caller("acme", KeyRole::Owner).await;
    let account = json!({
        "account": "main", "carrier": "twilio", "carrier_sid": "AC1", "auth_token": "secret",
    });
    owner.post("/v1/carrier-accounts", &account).await.expect(201);
    world.ready().await;
    owner.post("/v1/tenant/archive", &json!({ "tenant": "acme" })).await.expect(200);

    let (path, body) = ("/webhooks/twilio/main/inbound", "MessageSid=SM2&Body=STOP");
    let signed = signature(&format!("{PUBLIC_URL}{path}"), body);
    let request = world.http.post(format!("{}{path}", world.base));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    let request = request.header("X-Twilio-Signature", signed).body(body);
    send(request).await.expect(200);
    let handle = account_handle(Some(&"acme".parse().unwrap()), "main");
    let subject = format!("carrier.twilio.{handle}.inbound");
    let texts: Vec<WebhookRequest> = world.published("TEXTS", &subject).await;
    assert_eq!(texts.len(), 1);
}
