//! The page of a simulated phone.

use reqwest::{Method, redirect::Policy};
use serde_json::json;

use crate::support::{PHONE, SENDER, World};

/// The entries of a phone's list, as HTML.
async fn texts(world: &World, phone: &str) -> String {
    let url = format!("{}/sandbox/phone/{phone}/texts", world.base);
    world.http.get(url).send().await.unwrap().text().await.unwrap()
}

/// Types an answer into the page, as a browser without a script posts it.
async fn answer(world: &World, form: &[(&str, &str)]) -> reqwest::Response {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let http = http.redirect(Policy::none()).build().unwrap();
    let url = format!("{}/sandbox/phone/{PHONE}", world.base);
    http.post(url).form(form).send().await.unwrap()
}

#[tokio::test]
async fn a_phone_shows_its_texts_in_both_directions_with_time_and_state() {
    let world = World::new().await;
    world.put("clock", json!({ "now": "2026-03-08T01:55:00-05:00", "rate": 0 })).await;
    world.faults(json!({})).await;
    world.register().await;
    world.send(PHONE, "hello", "m1").await;
    world.send("+14155550101", "for another phone", "m2").await;
    world.rest().await;
    world.inbound(PHONE, "HELP").await;

    let html = texts(&world, PHONE).await;
    let place = |part: &str| html.find(part).unwrap_or_else(|| panic!("no {part} in {html}"));
    assert!(place("hello") < place("HELP"), "{html}");
    assert!(place("HELP") < place("Reply STOP to unsubscribe"), "{html}");
    place("2026-03-08 06:55:00 UTC");
    place("delivered");
    place("carrier&#39;s own reply");
    assert_eq!(html.matches("class=\"from-phone\"").count(), 1);
    assert_eq!(html.matches("class=\"to-phone\"").count(), 2);
    assert!(!html.contains("another phone"));
}

#[tokio::test]
async fn an_answer_typed_on_the_page_arrives_signed_and_is_shown() {
    let world = World::new().await;
    world.register().await;

    let done = answer(&world, &[("to", SENDER), ("body", "Yes & <b>no</b>")]).await;
    assert_eq!(done.status(), 303);
    assert_eq!(done.headers()["location"], format!("/sandbox/phone/{PHONE}").as_str());

    let hit = &world.receiver.wait(1).await[0];
    assert_eq!((hit.form["Body"].as_str(), hit.form["From"].as_str()), ("Yes & <b>no</b>", PHONE));
    assert_eq!(hit.header("x-twilio-signature").len(), 28);

    let html = texts(&world, PHONE).await;
    assert!(html.contains("Yes &amp; &lt;b&gt;no&lt;/b&gt;"), "{html}");
    assert!(!html.contains("<b>"), "{html}");
}

#[tokio::test]
async fn the_page_needs_nothing_from_elsewhere_and_offers_the_last_sender() {
    let world = World::new().await;
    world.register().await;
    let other = [("To", PHONE), ("From", "+15005550010"), ("Body", "<i>hi</i>")];
    world.twilio(Method::POST, "Messages.json", &other).await;

    let get = |path: &str| world.http.get(format!("{}/sandbox/phone/{path}", world.base)).send();
    let page = get(&PHONE.replace('+', "%2B")).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("'none'"));

    let html = page.text().await.unwrap();
    assert!(html.contains("value=\"+15005550010\" required"), "{html}");
    assert!(html.contains(&format!("<option value=\"{SENDER}\">")), "{html}");
    assert!(!html.contains("<i>") && !html.contains("//"), "{html}");
    for (file, kind) in [("look.css", "text/css"), ("live.js", "text/javascript")] {
        assert!(html.contains(&format!("/sandbox/phone/{file}")));
        let served = get(file).await.unwrap();
        assert_eq!(served.status(), 200);
        assert_eq!(served.headers()["content-type"], kind);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_from_a_phone_is_refused_with_the_reason() {
    let world = World::new().await;
    world.register().await;
    let long = "a".repeat(1_601);
    for (form, reason) in [
        (vec![("to", SENDER)], "empty"),
        (vec![("to", SENDER), ("body", long.as_str())], "1600"),
        (vec![("body", "x")], "`to`"),
        (vec![("to", "+15005550019"), ("body", "x")], "register"),
    ] {
        let refused = answer(&world, &form).await;
        assert_eq!(refused.status(), 422);
        assert!(refused.text().await.unwrap().contains(reason), "{reason}");
    }

    let page = world.control(Method::GET, "phone/Acme", json!({})).await;
    assert_eq!(page.status, 422);
    let page = world.control(Method::DELETE, &format!("phone/{PHONE}"), json!({})).await;
    assert_eq!(page.status, 405);
    assert_eq!(world.rest().await["inbound"]["total"], 0);
}

#[tokio::test]
async fn a_phone_shows_the_newest_two_hundred_texts() {
    let world = World::new().await;
    world.register().await;
    for n in 0..201 {
        world.inbound(PHONE, &format!("text {n}.")).await;
    }

    let html = texts(&world, PHONE).await;
    assert_eq!(html.matches("<li ").count(), 200);
    assert!(!html.contains("text 0.") && html.contains("text 200."));
}
