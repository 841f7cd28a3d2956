//! The collection of Postman, sent as Postman would send it: variables filled, what is switched off
//! left out.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::examples::{RESTORE, world};
use crate::harness::{Caller, send};

#[tokio::test]
async fn every_request_of_the_collection_succeeds() {
    let (world, caller) = world().await;
    let collection: Value = serde_json::from_str(&api::documents::postman_json()).expect("JSON");
    let folders = collection["item"].as_array().expect("folders").iter();
    // Carriers sign what they send, and the health address is another server's.
    let folders =
        folders.filter(|folder| folder["name"] != "webhooks" && folder["name"] != "health");

    let (mut sent, mut wrong) = (0, Vec::new());
    for item in folders.flat_map(|folder| folder["item"].as_array().expect("requests")) {
        world.run(RESTORE).await;
        let answer = send(request(&caller, &item["request"])).await;
        sent += 1;
        if !answer.status.is_success() {
            wrong.push(format!("{}: {} {}", item["name"], answer.status, answer.body));
        }
    }
    assert!(sent > 70, "{sent} requests");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What Postman makes of a request.
fn request(caller: &Caller, request: &Value) -> RequestBuilder {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let enabled = |list: &Value| -> Vec<(String, String)> {
        let entries = list.as_array().into_iter().flatten();
        // What goes on for long is asked for as briefly as it can be.
        let entries =
            entries.filter(|entry| entry["disabled"] != true || entry["key"] == "seconds");
        entries.map(|entry| (text(&entry["key"]), text(&entry["value"]))).collect()
    };

    let mut path = text(&request["url"]["raw"]).replace("{{base_url}}", "");
    for (name, value) in enabled(&request["url"]["variable"]) {
        path = path.replace(&format!(":{name}"), &value.replace('+', "%2B"));
    }
    let method: Method = text(&request["method"]).parse().expect("a method");
    let mut sent = caller.request(method, &path).query(&enabled(&request["url"]["query"]));
    for (name, value) in enabled(&request["header"]) {
        sent = sent.header(name, value);
    }
    match request["body"]["raw"].as_str() {
        Some(body) => sent.body(body.to_owned()),
        None => sent,
    }
}
