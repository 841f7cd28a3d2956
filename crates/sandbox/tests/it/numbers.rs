//! Numbers: on offer, ordered, changed, given back.

use reqwest::Method;
use serde_json::json;

use crate::support::{ACCOUNT, PHONE, SENDER, TOKEN, World};

const PATH: &str = "IncomingPhoneNumbers.json";

#[tokio::test]
async fn a_number_is_registered_found_changed_and_released() {
    let world = World::new().await;
    let form = [("PhoneNumber", SENDER), ("SmsUrl", "http://127.0.0.1:1/a")];
    let made = world.twilio(Method::POST, PATH, &form).await;
    assert_eq!(made.status, 201);
    let sid = made.sid();
    assert!(sid.starts_with("PN") && sid.len() == 34, "{sid}");
    assert_eq!(made.body["account_sid"], ACCOUNT);
    assert_eq!(made.body["capabilities"]["sms"], true);

    let one = format!("IncomingPhoneNumbers/{sid}.json");
    let form = [("SmsUrl", "http://127.0.0.1:1/b"), ("FriendlyName", "front desk")];
    let changed = world.twilio(Method::POST, &one, &form).await;
    assert_eq!((changed.status, &changed.body["sms_url"]), (200, &json!("http://127.0.0.1:1/b")));
    assert_eq!(world.get(&one).await.body["friendly_name"], "front desk");

    let list = world.get(&format!("{PATH}?PhoneNumber=%2B15005550006")).await.body;
    assert_eq!(list["incoming_phone_numbers"].as_array().unwrap().len(), 1);

    let list = world.get(&format!("{PATH}?PhoneNumber=%2B15005550009")).await.body;
    assert_eq!(list["incoming_phone_numbers"], json!([]));
    assert_eq!(world.twilio(Method::DELETE, &one, &[]).await.status, 204);
    world.get(&one).await.refused(404, 20404);
}

#[tokio::test]
async fn a_number_that_is_taken_wrong_or_magic_is_refused() {
    let world = World::new().await;
    world.register().await;

    for (form, code) in [
        (vec![("PhoneNumber", SENDER)], 21422),
        (vec![("PhoneNumber", "+15005550000")], 21422),
        (vec![("PhoneNumber", "+15005550001")], 21421),
        (vec![("PhoneNumber", "555")], 21421),
        (vec![("SmsUrl", "http://127.0.0.1:1/a")], 21421),
        (vec![("PhoneNumber", "+15005550010"), ("SmsUrl", "nonsense")], 20001),
        (vec![("PhoneNumber", "+15005550010"), ("SmsMethod", "GET")], 20001),
    ] {
        world.twilio(Method::POST, PATH, &form).await.refused(400, code);
    }
}

#[tokio::test]
async fn numbers_are_listed_in_pages() {
    let world = World::new().await;
    for n in 0..3 {
        let phone = format!("+1415555020{n}");
        let form = [("PhoneNumber", phone.as_str())];
        assert_eq!(world.twilio(Method::POST, PATH, &form).await.status, 201);
    }

    let first = world.get(&format!("{PATH}?PageSize=2")).await.body;
    assert_eq!(first["incoming_phone_numbers"].as_array().unwrap().len(), 2);

    let next = first["next_page_uri"].as_str().unwrap();
    let second = world.get(next.splitn(5, '/').nth(4).unwrap()).await.body;

    assert_eq!(second["incoming_phone_numbers"][0]["phone_number"], "+14155550202");
    assert!(second["next_page_uri"].is_null());
}

#[tokio::test]
async fn numbers_on_offer_are_found_bought_and_on_offer_no_more() {
    let world = World::new().await;
    let search = "AvailablePhoneNumbers/US/Local.json?SmsEnabled=true&AreaCode=202&Contains=010*";
    let offered = world.get(search).await;
    assert_eq!(offered.status, 200, "{}", offered.body);
    let numbers = offered.body["available_phone_numbers"].as_array().unwrap().clone();
    assert_eq!(numbers.len(), 10);
    assert_eq!(numbers[0]["phone_number"], "+12025550100");
    assert_eq!(numbers[0]["iso_country"], "US");

    let form = [("PhoneNumber", "+12025550100")];
    assert_eq!(world.twilio(Method::POST, PATH, &form).await.status, 201);
    let left = world.get(search).await.body;
    assert_eq!(left["available_phone_numbers"].as_array().unwrap().len(), 9);

    let by_area = world.twilio(Method::POST, PATH, &[("AreaCode", "202")]).await;
    assert_eq!(by_area.body["phone_number"], "+12025550101");
    let few = world.get("AvailablePhoneNumbers/AU/Mobile.json?PageSize=3").await.body;
    assert_eq!(few["available_phone_numbers"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_search_or_an_order_that_finds_nothing_is_refused_with_its_code() {
    let world = World::new().await;
    for (path, status, code) in [
        ("AvailablePhoneNumbers/US/Local.json?AreaCode=2", 400, 21451),
        ("AvailablePhoneNumbers/US/Mobile.json", 404, 20404),
        ("AvailablePhoneNumbers/FR/Local.json", 404, 20404),
        ("AvailablePhoneNumbers/US.json", 404, 20404),
    ] {
        world.get(path).await.refused(status, code);
    }
    for (area, code) in [("533", 21452), ("1", 21451)] {
        world.twilio(Method::POST, PATH, &[("AreaCode", area)]).await.refused(400, code);
    }
}

#[tokio::test]
async fn a_lost_order_is_carried_out_and_not_answered() {
    let world = World::new().await;
    world.faults(json!({ "lost_order": 1.0 })).await;
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/{PATH}", world.base);
    let form = [("PhoneNumber", "+12025550100")];
    let order = world.http.post(url).basic_auth(ACCOUNT, Some(TOKEN)).form(&form);
    assert!(order.send().await.is_err(), "the connection is closed");

    let list = world.get(PATH).await.body;
    assert_eq!(list["incoming_phone_numbers"][0]["phone_number"], "+12025550100");
    assert_eq!(world.stats().await["faults"]["lost_order"], 1);
}

/// A call of Bandwidth's account API: its status and its XML.
async fn account(world: &World, method: Method, path: &str, body: &str) -> (u16, String) {
    let url = format!("{}/api/accounts/9900000/{path}", world.base);
    let call = world.http.request(method, url).basic_auth("user", Some("word"));
    let answer = call.body(body.to_owned()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn order(digits: &str) -> String {
    format!("<Order><SiteId>1</SiteId><TelephoneNumber>{digits}</TelephoneNumber></Order>")
}

#[tokio::test]
async fn bandwidth_sells_numbers_in_orders_and_takes_them_back() {
    let world = World::new().await;
    let search = "availableNumbers?areaCode=919&quantity=2";
    let (status, found) = account(&world, Method::GET, search, "").await;
    assert_eq!(status, 200, "{found}");
    assert!(found.contains("<ResultCount>2</ResultCount>"), "{found}");
    assert!(found.contains("<TelephoneNumber>9195550100</TelephoneNumber>"), "{found}");

    for (digits, end) in [("9195550100", "COMPLETE"), ("9195550100", "FAILED")] {
        let (status, taken) = account(&world, Method::POST, "orders", &order(digits)).await;
        assert_eq!(status, 201, "{taken}");
        assert!(taken.contains("<OrderStatus>RECEIVED</OrderStatus>"), "{taken}");
        let id = taken.split("<id>").nth(1).unwrap().split('<').next().unwrap();
        let (_, shown) = account(&world, Method::GET, &format!("orders/{id}"), "").await;
        assert!(shown.contains(&format!("<OrderStatus>{end}</OrderStatus>")), "{shown}");
    }

    let (_, own) = account(&world, Method::GET, "inserviceNumbers?page=1&size=500", "").await;
    assert!(own.contains("<TotalCount>1</TotalCount>"), "{own}");
    let (status, _) = account(&world, Method::POST, "disconnects", &order("9195550100")).await;
    assert_eq!(status, 201);
    let (status, _) = account(&world, Method::POST, "disconnects", &order("9195550100")).await;
    assert_eq!(status, 404);
    let (_, own) = account(&world, Method::GET, "inserviceNumbers", "").await;
    assert!(own.contains("<TotalCount>0</TotalCount>"), "{own}");
}

#[tokio::test]
async fn a_number_that_bandwidth_sold_is_its_application_s_to_be_texted() {
    let world = World::new().await;
    let settings = json!({ "account": "9900000", "callback_url": world.receiver.url("app") });
    world.put("applications/app-1", settings).await;
    account(&world, Method::POST, "orders", &order("9195550100")).await;

    let text = json!({ "from": PHONE, "to": "+19195550100", "body": "hello" });
    assert_eq!(world.control(Method::POST, "inbound", text).await.status, 202);
    world.receiver.wait(1).await;
    let taken = [("PhoneNumber", "+19195550100")];
    world.twilio(Method::POST, PATH, &taken).await.refused(400, 21422);
}
