//! IncomingPhoneNumbers.

use reqwest::Method;
use serde_json::json;

use crate::support::{ACCOUNT, SENDER, World};

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
