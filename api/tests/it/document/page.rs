//! `/docs`: the page is whole without any other host, and tries operations out with
//! the caller's key.

use serde_json::json;

use crate::harness::World;

/// What a page names in its attributes `src` and `href`.
fn named(page: &str) -> Vec<&str> {
    let attributes = ["src=\"", "href=\""].into_iter().flat_map(|name| page.split(name).skip(1));
    attributes.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn the_page_asks_no_other_host_and_shows_the_document_of_this_one() {
    let world = World::start().await;
    let nobody = world.with_token("");
    let page = nobody.get("/docs").await;
    let policy = page.headers["content-security-policy"].to_str().expect("a policy").to_owned();
    let page = page.expect(200);
    let page = page.as_str().expect("a page");

    // Whatever it loads is here, and a browser lets it load nothing else.
    let files = named(page);
    assert!(files.len() >= 5, "{page}");
    for file in &files {
        assert!(!file.contains("//"), "{file} is elsewhere");
        let file = file.trim_start_matches("./");
        nobody.get(&format!("/docs/{file}")).await.expect(200);
    }
    assert!(policy.starts_with("default-src 'self';"), "{policy}");

    // It shows this document, has no badge of a validator elsewhere, and keeps the key it is given.
    let begin = nobody.get("/docs/swagger-initializer.js").await.expect(200);
    let begin = begin.as_str().expect("a script");
    for says in ["/openapi.json", "\"validatorUrl\": \"none\"", "\"persistAuthorization\": true"] {
        assert!(begin.contains(says), "{says} is not in {begin}");
    }
    assert!(!begin.contains("://"), "{begin}");
}

#[tokio::test]
async fn the_document_takes_a_key_and_calls_whoever_has_served_it() {
    let world = World::start().await;
    let document = world.with_token("").get("/openapi.json").await.expect(200);
    let bearer = &document["components"]["securitySchemes"]["bearer"];
    assert_eq!((&bearer["type"], &bearer["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!(document["servers"], json!([{ "url": "/" }]));
    let about = document["info"]["description"].as_str().expect("a description");
    assert!(about.contains("(/asyncapi.json)"), "{about}");
    world.with_token("").get("/asyncapi.json").await.expect(200);
}
