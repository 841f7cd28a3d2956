//! The console comes from the binary, and its page loads nothing from anywhere else.

use reqwest::{Method, header};

use crate::harness::{World, send};

#[tokio::test]
async fn every_address_of_the_console_is_its_page_or_a_file_of_it() {
    let world = World::start().await;
    let browser = world.with_token("");
    for path in ["/console/", "/console/campaigns/1?state=running"] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
        assert!(page.body.as_str().is_some_and(|text| text.contains("Millrace")), "{path}");
    }
    browser.get("/console/assets/none-1a2b.js").await.problem(404);
}

#[tokio::test]
async fn browsers_are_led_to_the_console_and_programs_are_not() {
    let world = World::start().await;
    let program = world.with_token("");
    program.get("/").await.problem(404);

    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let browser = browser.build().unwrap();
    let asked = browser.request(Method::GET, format!("{}/", world.base));
    let led = send(asked.header(header::ACCEPT, "text/html,*/*;q=0.8")).await;
    assert_eq!(
        (led.status.as_u16(), &led.headers["location"]),
        (307, &"/console/".parse().unwrap())
    );
}
