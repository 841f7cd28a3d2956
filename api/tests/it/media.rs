//! Media as callers see them: given, looked at, read by a link, removed.

use std::time::Duration;

use api::KeptMedia;
use boot::embedded::Scratch;
use domain::ids::MediaId;
use objects::{ObjectPlace, Objects};
use serde_json::{Value, json};
use stage::machine;
use store::{
    core::seal::Sealer,
    media::{key, link::MediaLink},
    settings::api_keys::KeyRole,
};

use wire::{Submitted, message::Content};

use crate::harness::{PUBLIC_URL, World, client, send};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

/// An ingress with an object store in a folder, which goes with the test.
async fn world() -> (World, Objects, Scratch) {
    let folder = Scratch::new().expect("a folder");
    let place = ObjectPlace::Folder(folder.path().join("media"));
    let objects = Objects::open(&place, client()).expect("an object store");
    let kept = KeptMedia { objects: objects.clone(), hosts: vec!["files.test:8000".into()] };
    (World::start_with(|settings| settings.media = Some(kept)).await, objects, folder)
}

/// Stores what was given, as the stage does.
async fn stored(world: &World, objects: &Objects, media_type: &str) -> MediaId {
    let caller = world.caller("acme", KeyRole::Owner).await;
    let body = json!({ "url": "https://example.com/x" });
    let given = caller.post("/v1/media", &body).await.expect(202);
    let id: MediaId = given["id"].as_str().expect("an id").parse().expect("an id");
    objects.put(&key(&"acme".parse().unwrap(), id), PNG.to_vec().into()).await.expect("written");
    world
        .run(&format!(
            "update millrace.media set state = 'stored', due = null, url = '', bytes = {},
                    media_type = '{media_type}', sha256 = '\\x00' where media_id = '{id}'",
            PNG.len()
        ))
        .await;
    id
}

/// A link of the api, below where the test reaches it.
fn reached(world: &World, url: &Value) -> String {
    let url = url.as_str().expect("a link");
    format!("{}{}", world.base, url.strip_prefix(PUBLIC_URL).expect("below the public URL"))
}

#[tokio::test]
async fn what_is_given_is_taken_if_its_address_may_be_called() {
    let (world, _, _folder) = world().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let body = json!({ "url": "https://example.com/menu.jpg" });
    let given = caller.post_once("/v1/media", "k", &body).await.expect(202);
    assert_eq!((&given["state"], &given["direction"]), (&json!("pending"), &json!("out")));
    assert_eq!(given["url"], Value::Null, "there is nothing to read yet");
    let again = caller.post_once("/v1/media", "k", &body).await.expect(202);
    assert_eq!(again, given, "a repeat gives nothing anew");
    assert_eq!(world.number("select count(*) from millrace.media").await, 1);

    let listed = json!({ "url": "http://files.test:8000/x" });
    caller.post("/v1/media", &listed).await.expect(202);
    for url in [
        "http://example.com/x",
        "https://example.com:8443/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://localhost/x",
        "http://files.test:8001/x",
        "https://user:word@example.com/x",
        "file:///etc/passwd",
        "",
    ] {
        let problem = caller.post("/v1/media", &json!({ "url": url })).await.problem(422);
        assert_eq!(problem, [("url".to_owned(), "invalid".to_owned())], "{url}");
    }
    let long = json!({ "url": format!("https://example.com/{}", "x".repeat(2_000)) });
    let problem = caller.post("/v1/media", &long).await.problem(422);
    assert_eq!(problem, [("url".to_owned(), "too_long".to_owned())]);

    let flood = "insert into millrace.media (tenant_id, media_id, direction, url, state, due,
                                            created_at, kept_from)
                 select 'acme', gen_random_uuid(), 'out', 'https://x.invalid/x', 'pending', now(),
                        now(), now() from generate_series(1, 10000)";
    world.run(flood).await;
    caller.post("/v1/media", &body).await.problem(409);
}

#[tokio::test]
async fn a_platform_without_an_object_store_says_so() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let answer = caller.post("/v1/media", &json!({ "url": "https://example.com/x" })).await;
    assert!(answer.body["detail"].as_str().unwrap().contains("MILLRACE_MEDIA_URL"));
    answer.problem(409);
    send(world.http.get(format!("{}/media/nonsense", world.base))).await.problem(404);
}

#[tokio::test]
async fn a_link_gives_the_bytes_to_whoever_has_it_until_they_go() {
    let (world, objects, _folder) = world().await;
    let id = stored(&world, &objects, "image/png").await;
    let caller = world.caller("acme", KeyRole::Agent).await;
    let shown = caller.get(&format!("/v1/media/{id}")).await.expect(200);
    let url = reached(&world, &shown["url"]);
    assert_eq!(shown["bytes"], PNG.len());

    let answer = world.http.get(&url).send().await.expect("an answer");
    let header = |name: &str| answer.headers()[name].to_str().expect("a text").to_owned();
    assert_eq!((answer.status().as_u16(), header("content-type")), (200, "image/png".into()));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        (header("content-disposition"), header("cache-control")),
        ("inline".into(), "no-store".into())
    );
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(answer.bytes().await.expect("bytes"), PNG);

    let listed = caller.get("/v1/media").await.expect(200);
    assert_eq!(listed["data"][0]["url"], Value::Null, "lists give no links");
    caller.delete(&format!("/v1/media/{id}")).await.expect(204);
    send(world.http.get(&url)).await.problem(404);
    caller.get(&format!("/v1/media/{id}")).await.problem(404);
    caller.delete(&format!("/v1/media/{id}")).await.problem(404);
}

#[tokio::test]
async fn what_is_no_picture_is_not_shown_in_place() {
    let (world, objects, _folder) = world().await;
    let id = stored(&world, &objects, "application/pdf").await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let shown = caller.get(&format!("/v1/media/{id}")).await.expect(200);
    let answer = world.http.get(reached(&world, &shown["url"])).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-disposition"], "attachment");
    caller.delete(&format!("/v1/media/{id}")).await.problem(403);
    caller.post("/v1/media", &json!({ "url": "https://example.com/x" })).await.problem(403);
}

#[tokio::test]
async fn a_link_of_another_key_tenant_or_time_gives_nothing() {
    let (world, objects, _folder) = world().await;
    let id = stored(&world, &objects, "image/png").await;
    let ours = Sealer::new(&[[1; 32]]);
    let link = |tenant: &str, good_for: u64| {
        let (tenant, good_for) = (tenant.parse().unwrap(), Duration::from_secs(good_for));
        MediaLink::new(tenant, id, machine::now(), good_for)
    };

    let good = link("acme", 60).token(&ours);
    let at = |token: &str| world.http.get(format!("{}/media/{token}", world.base));
    assert_eq!(send(at(&good)).await.status, 200);
    for (token, why) in [
        (link("acme", 0).token(&ours), "it has ended"),
        (link("globex", 60).token(&ours), "it is another tenant's"),
        (link("acme", 60).token(&Sealer::new(&[[2; 32]])), "it is signed by another key"),
        (good[1..].to_owned(), "it is cut"),
        (format!("{good}A"), "it is longer"),
    ] {
        assert_eq!(send(at(&token)).await.status, 404, "{why}");
    }
    objects.delete(&key(&"acme".parse().unwrap(), id)).await.expect("removed");
    assert_eq!(send(at(&good)).await.status, 404, "its object is gone");
}

#[tokio::test]
async fn a_message_takes_ids_and_addresses_and_says_which_of_them_are_wrong() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Operator).await;
    let id = "0198f1d2-7c00-7a00-8000-0000000000d0";
    let with = |media: Value| {
        json!({
            "to": "+12125550123", "class": "transactional", "media": media,
        })
    };
    let both = json!([id, "https://example.com/menu.jpg"]);
    let first = caller.post_once("/v1/messages", "k", &with(both.clone())).await.expect(202);
    let submitted: Vec<Submitted> = world.published("SUBMITTED", "msg.submitted.urgent").await;
    let media = vec![id.to_owned(), "https://example.com/menu.jpg".to_owned()];
    assert_eq!(submitted[0].content, Content::Media { text: String::new(), media });

    // Under its other name it is the same message.
    let named = json!({
        "to": "+12125550123", "class": "transactional", "media_urls": both.clone(),
    });
    let again = caller.post_once("/v1/messages", "k", &named).await;
    assert_eq!(again.expect(202)["id"], first["id"]);

    for wrong in ["nonsense", "http://example.com/x", "https://10.0.0.1/x", ""] {
        let problem = caller.post("/v1/messages", &with(json!([id, wrong]))).await.problem(422);
        assert_eq!(problem, [("media[1]".to_owned(), "invalid".to_owned())], "{wrong}");
    }
    let problem = caller.post("/v1/messages", &with(json!(vec![id; 11]))).await.problem(422);
    assert_eq!(problem, [("media".to_owned(), "too_many".to_owned())]);
    let problem = caller.post("/v1/messages", &with(json!([]))).await.problem(422);
    assert_eq!(problem, [("body".to_owned(), "required".to_owned())]);
}
