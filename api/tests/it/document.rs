//! The documents are true: what is committed is what the code makes, every example is answered as
//! documented, and every operation asks for the permission that it names.

pub(crate) mod answered;
mod answers;
mod channels;
mod collection;
mod examples;
mod health;
mod limits;
mod page;
mod required;
mod schemas;
mod shown;
mod units;
mod walls;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use crate::harness::World;

/// The operations of a document: method, path, and the operation.
fn operations(document: &Value) -> Vec<(Method, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let mut found = Vec::new();
    for (path, item) in paths {
        // The health address is another server's.
        if item.get("servers").is_some() {
            continue;
        }
        for method in ["get", "post", "put", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                let method = method.to_uppercase().parse().expect("a method");
                found.push((method, path.clone(), operation.clone()));
            }
        }
    }
    found
}

fn document() -> Value {
    serde_json::from_str(&api::documents::openapi_json()).expect("JSON")
}

#[test]
fn what_is_committed_is_what_the_code_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, made) in [
        ("openapi.json", api::documents::openapi_json()),
        ("asyncapi.json", api::documents::asyncapi_json()),
        ("postman.json", api::documents::postman_json()),
    ] {
        let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        let stale = "is stale: run scripts/document";
        assert!(committed == made, "api/{name} {stale}");
    }
}

#[test]
fn every_operation_has_a_name_a_sentence_and_an_example_of_its_body() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document()) {
        let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
        assert!(names.insert(name.clone()), "{method} {path}: {name} is there twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!((8..=160).contains(&summary.len()), "{method} {path}: {summary}");

        for (media_type, content) in
            operation["requestBody"]["content"].as_object().into_iter().flatten()
        {
            let is_shown = content.get("example").is_some();
            assert!(is_shown, "{method} {path}: {media_type} has no example");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let is_told = parameter["description"].as_str().is_some_and(|told| told.len() > 5);
            assert!(is_told, "{method} {path}: {parameter} is not described");
        }
        let statuses: Vec<_> =
            operation["responses"].as_object().expect("responses").keys().collect();
        assert!(statuses.iter().any(|status| status.starts_with('2')), "{method} {path}");
    }
}

/// Files with routes that are pages for people, or the bytes behind a link, and no part of the API.
const PAGES: [&str; 3] = ["console.rs", "media.rs", "page.rs"];

/// The files in a folder and those below it.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn no_route_is_added_beside_the_document_but_for_pages() {
    let mut sources = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    let (mut undocumented, mut documented) = (Vec::new(), 0);
    for file in sources.iter().filter(|file| file.extension().is_some_and(|of| of == "rs")) {
        let text = std::fs::read_to_string(file).expect("a source");
        documented += text.matches(".routes(routes!(").count();
        let is_page = PAGES.iter().any(|page| file.ends_with(page));
        if text.contains(".route(") && !is_page {
            undocumented.push(file.display().to_string());
        }
    }
    assert!(documented > 50, "{documented} routers");
    assert!(undocumented.is_empty(), "use routes!() of utoipa_axum: {undocumented:?}");
}

#[test]
fn every_schema_is_named_once_and_every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        let target = document.pointer(reference.trim_start_matches('#'));
        assert!(target.is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn every_field_says_what_it_is() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    // What is described where it is used, as on the health address.
    let mut inline = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let answers = operation["responses"].as_object().into_iter().flatten();
            let contents = answers.filter_map(|(_, answer)| answer["content"].as_object());
            let schemas = contents.flatten().map(|(_, content)| &content["schema"]);
            inline.extend(schemas.map(|schema| (format!("{method} {path}"), schema)));
        }
    }

    let named = schemas.iter().map(|(name, schema)| (name.clone(), schema));
    let mut silent = Vec::new();
    for (name, schema) in named.chain(inline) {
        fields(schema, &mut |field, said| {
            let parts = ["oneOf", "anyOf", "allOf"].iter().flat_map(|of| said[of].as_array());
            let mut all = parts.flatten().chain([said]);
            let is_said =
                all.any(|part| part["description"].is_string() || part["$ref"].is_string());
            if !is_said {
                silent.push(format!("{name}.{field}"));
            }
        });
    }
    assert!(silent.is_empty(), "fields without a sentence: {}", silent.join(", "));
}

/// Every field of a schema and of those inside it, with what is said of it.
fn fields(schema: &Value, found: &mut impl FnMut(&str, &Value)) {
    for (name, said) in schema["properties"].as_object().into_iter().flatten() {
        found(name, said);
        fields(said, found);
    }
    let parts = ["oneOf", "anyOf", "allOf"].iter().flat_map(|of| schema[of].as_array());
    parts.flatten().chain(schema.get("items")).for_each(|part| fields(part, found));
}

/// Whether a path is for everybody: who signs in has no credentials yet, carriers sign, and the
/// documents are no secret.
fn is_everybodys(path: &str) -> bool {
    let strangers = [
        "/v1/auth/accept-invitation",
        "/v1/auth/invitation-code",
        "/v1/auth/login",
        "/v1/auth/magic-link",
        "/v1/auth/magic-link/verify",
        "/v1/auth/otp",
        "/v1/auth/otp/verify",
        "/v1/auth/password-reset",
        "/v1/auth/password-reset/verify",
        "/v1/auth/refresh",
        "/v1/auth/signup",
    ];
    strangers.contains(&path) || path.starts_with("/webhooks/") || !path.starts_with("/v1/")
}

#[tokio::test]
async fn every_route_asks_for_the_permission_that_its_document_names() {
    // Nobody asks for every route.
    let world = World::start_with(|settings| settings.refused = (1_000, 10_000)).await;
    let roles = [
        (
            KeyRole::Owner,
            "read send_messages cancel_messages edit_contacts edit_campaigns \
                          edit_settings edit_numbers manage_keys manage_people",
        ),
        (
            KeyRole::Admin,
            "read send_messages cancel_messages edit_contacts edit_campaigns \
                          edit_settings edit_numbers manage_keys manage_people",
        ),
        (KeyRole::Operator, "read send_messages cancel_messages edit_contacts edit_campaigns"),
        (KeyRole::Agent, "read send_messages edit_contacts"),
        (KeyRole::Viewer, "read"),
    ];
    let nobody = world.with_token("nobody");

    for (role, permissions) in roles {
        let caller = world.caller("acme", role).await;
        let permissions: Vec<_> = permissions.split_whitespace().collect();
        for (method, path, operation) in operations(&document()) {
            let Some(security) = operation["security"].get(0) else {
                assert!(is_everybodys(&path), "{method} {path} needs no permission");
                continue;
            };
            let needed = security["bearer"][0].as_str().expect("a permission");
            // Ids that nothing has: what is allowed changes nothing.
            let concrete = path
                .replace("{phone}", "12125550199")
                .replace("{account}", "none")
                .replace("{id}", "0198f1d2-0000-7000-8000-0000000000ff");
            let ask = |caller: &crate::harness::Caller| {
                let request = caller.request(method.clone(), &concrete);
                crate::harness::send(request.json(&json!({ "nothing": "here" })))
            };

            let answer = ask(&caller).await;
            let status = answer.status.as_u16();
            // Keys are of programs: some operations are for people alone.
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            let is_refused = status == 403 && !detail.contains("people who have signed in");
            let is_allowed = permissions.contains(&needed);
            assert_eq!(!is_refused, is_allowed, "{role:?} {method} {path}: {status}");
            assert_eq!(ask(&nobody).await.status.as_u16(), 401, "{method} {path}");
        }
    }
}
