//! Messages that are refused with the request, as they would fail later or say what nobody meant.

use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::{
    harness::World,
    settings::{carrier, promo, template},
};

#[tokio::test]
async fn a_body_with_a_variable_in_it_is_refused_with_the_fix_everywhere() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let expected = [("body".to_owned(), "variable".to_owned())];
    for body in ["Hi {{first_name}}!", "Hi {{ Nick | friend }}", "Hi {first_name}"] {
        let message = json!({ "to": "+12125550123", "class": "transactional", "body": body });
        let refused = caller.post("/v1/messages", &message).await;
        let detail = refused.body["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("save the text as a template"), "{detail}");
        assert_eq!(refused.problem(422), expected, "{body}");
        assert_eq!(caller.post("/v1/explain", &message).await.problem(422), expected, "{body}");

        let fine = json!({ "to": "+12125550123", "class": "transactional", "body": "{code} {}" });
        let batch = json!({ "messages": [message, fine] });
        let batch = caller.post("/v1/messages/batch", &batch).await.expect(202);
        assert_eq!(batch["rejected"][0]["errors"][0]["code"], "variable");
        assert_eq!(batch["accepted"], 1);
    }
}

/// A list would be read as the fields in order.
#[tokio::test]
async fn a_list_is_no_object_of_any_resource_nor_within_one() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Owner).await;
    let expected = [(String::new(), "invalid_type".to_owned())];
    for kind in ["senders", "templates", "pools", "contacts", "campaigns", "carrier-accounts"] {
        let refused =
            caller.post(&format!("/v1/{kind}"), &json!(["+12125550199", "main", 1])).await;
        assert_eq!(refused.problem(422), expected, "{kind}");
    }

    let variants = json!({ "name": "t", "variants": [["a", 1, { "en": "Hi" }]] });
    assert_eq!(caller.post("/v1/templates", &variants).await.problem(422)[0].1, "invalid_type");
}

#[tokio::test]
async fn a_sender_that_carries_nothing_is_refused_at_once_alone_and_as_a_pool() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let path = format!("/v1/senders/{}", sender.as_str().unwrap());
    for usable in [true, false, true] {
        caller.patch(&path, &json!({ "usable": usable })).await.expect(200);
        for (field, id) in [("from", &sender), ("pool", &pool)] {
            let mut message =
                json!({ "to": "+12125550123", "class": "transactional", "body": "x" });
            message[field] = id.clone();
            let answer = caller.post("/v1/messages", &message).await;
            if usable {
                answer.expect(202);
            } else {
                assert_eq!(answer.problem(422), [(field.to_owned(), "unusable".to_owned())]);
            }
        }
    }
}

#[tokio::test]
async fn a_sender_whose_account_the_settings_no_longer_allow_is_refused_with_the_setting() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    // As if MILLRACE_ALLOW_CARRIER_HOSTS had listed it when the account was made.
    world.run("update millrace.carrier_accounts set base_url = 'http://127.0.0.1:9'").await;

    for (field, id) in [("from", &sender), ("pool", &pool)] {
        let mut message = json!({ "to": "+12125550123", "class": "transactional", "body": "x" });
        message[field] = id.clone();
        let answer = caller.post("/v1/messages", &message).await;
        let detail = answer.body["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert_eq!(answer.problem(422), [(field.to_owned(), "host_not_allowed".to_owned())]);
        assert!(detail.contains("\"main\""), "{detail}");
        assert!(detail.contains("MILLRACE_ALLOW_CARRIER_HOSTS"), "{detail}");
    }

    let campaign = promo(&template(&caller).await, &pool);
    let made = caller.post("/v1/campaigns", &campaign).await.expect(201);
    let start = format!("/v1/campaigns/{}/start", made["id"].as_str().unwrap());
    let answer = caller.post(&start, &json!({})).await;
    let detail = answer.body["detail"].as_str().unwrap().to_owned();
    answer.problem(409);
    assert!(detail.contains("MILLRACE_ALLOW_CARRIER_HOSTS"), "{detail}");
}

#[tokio::test]
async fn a_text_of_what_nobody_sees_is_refused_as_blanks_are() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    for blank in [" ", "\u{200b}\u{2060}", "\u{3164} \u{2800}"] {
        let message = json!({ "to": "+12125550123", "class": "transactional", "body": blank });
        let refused = caller.post("/v1/messages", &message).await.problem(422);
        assert_eq!(refused, [("body".to_owned(), "too_short".to_owned())]);

        let variant = json!({ "key": "a", "weight": 1, "bodies": { "en": blank } });
        let template = json!({ "name": "t", "variants": [variant] });
        caller.post("/v1/templates", &template).await.problem(422);
        let policy = json!({ "help_contact": blank });
        caller.patch("/v1/policies", &policy).await.problem(422);
    }
}

#[tokio::test]
async fn what_was_deleted_is_refused_at_once_and_by_other_processes_soon() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let (sender, pool) = carrier(&caller, "main", "+12125550199").await;
    let message = |names: Value| {
        let mut message = json!({ "to": "+12125550123", "class": "transactional", "body": "x" });
        message.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
        message
    };
    let (from, of) = (message(json!({ "from": sender })), message(json!({ "pool": pool })));
    let delete = async |kind: &str, id: &Value| {
        caller.delete(&format!("/v1/{kind}/{}", id.as_str().unwrap())).await.expect(200)
    };

    caller.post("/v1/messages", &of).await.expect(202);
    delete("pools", &pool).await;
    assert_eq!(caller.post("/v1/messages", &of).await.problem(422)[0].0, "pool");
    caller.post("/v1/messages", &from).await.expect(202);
    delete("senders", &sender).await;
    assert_eq!(caller.post("/v1/messages", &from).await.problem(422)[0].0, "from");

    // As another process deletes it.
    let (_, pool) = carrier(&caller, "other", "+12125550198").await;
    let of = message(json!({ "pool": pool }));
    caller.post("/v1/messages", &of).await.expect(202);
    world.run("delete from millrace.pools").await;
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    assert_eq!(caller.post("/v1/messages", &of).await.problem(422)[0].0, "pool");
}
