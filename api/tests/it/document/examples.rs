//! Every example is sent as it stands against a platform that holds what the examples name.

use std::time::Duration;

use api::KeptMedia;
use carriers::ToolCaller;
use hmac::{Hmac, KeyInit, Mac};
use objects::{Bucket, ObjectPlace, Objects};
use reqwest::{Method, RequestBuilder, Response, Url, header::HeaderMap};
use serde_json::{Value, json};
use sha2::Sha256;
use store::settings::api_keys::KeyRole;
use testkit::world::TestCarrier;

use super::{
    answers::{Answers, LONGEST},
    document, operations,
    schemas::faults,
};
use crate::{
    harness::{Caller, JWT_KEY, PUBLIC_URL, World, client},
    webhooks::signature,
};

/// A platform that holds what the examples name, and a copy of it beside.
pub(super) async fn world() -> (World, Caller) {
    let carrier = TestCarrier::start().await.expect("a carrier");
    let host = carrier.address().to_string();
    let reaches = |settings: &mut api::ApiSettings| {
        (settings.sign_in.mail, settings.sign_in.texts) = (true, true);
        settings.media = Some(unread_media());
        settings.carrier_hosts.push(host);
        settings.tools = Some(unheard_tools());
    };
    let mut world = World::start_with(reaches).await;
    let caller = world.caller("acme", KeyRole::Admin).await;
    let caller = signed_in(&world, &caller).await;

    let person = json!({
        "phone": "+12125550123", "first_name": "Ana", "tags": ["vip"],
        "consent": { "source": "web form", "basis": "express_written" },
    });
    caller.post("/v1/contacts", &person).await.expect(201);
    same_people(&world, &caller).await;

    crate::settings::carrier(&caller, "main", "+12125550199").await;
    world.run("delete from millrace.pools").await;
    let spare = json!({ "number": "+12125550197", "account": "main", "pace": 10 });
    caller.post("/v1/senders", &spare).await.expect(201);
    let spare = json!({
        "account": "spare", "carrier": "twilio", "carrier_sid": "AC2", "auth_token": "secret",
    });
    caller.post("/v1/carrier-accounts", &spare).await.expect(201);
    let mixed = json!({
        "account": "mixed", "carrier": "bandwidth", "carrier_sid": "9900000/app-1",
        "auth_token": "api-user:api-word",
    });
    caller.post("/v1/carrier-accounts", &mixed).await.expect(201);

    let verified = json!({
        "account": "verified", "carrier": "whatsapp", "carrier_sid": "102290129340398",
        "auth_token": "token:app-secret:a-word",
    });
    caller.post("/v1/carrier-accounts", &verified).await.expect(201);

    world.run(include_str!("seed.sql")).await;
    numbers(&world, &carrier).await;
    world.carrier = Some(carrier);
    world.ready().await;
    world.run(KEEP).await;
    (world, caller)
}

/// A contact who is the same person as the first, and one whom that one has taken in.
async fn same_people(world: &World, caller: &Caller) {
    for phone in ["+12125550131", "+12125550132"] {
        caller.post("/v1/contacts", &json!({ "phone": phone })).await.expect(201);
    }
    let contact = "/v1/contacts/871b7699-0263-5b74-bdc2-4ba8f9db8e05";
    let name = json!({ "kind": "username", "address": "ana.ruiz" });
    caller.post(&format!("{contact}/addresses"), &name).await.expect(200);
    let merged = json!({ "merged_id": "39dc22a5-9a2e-5c8d-8fad-bd162c0bdaca" });
    caller.post(&format!("{contact}/merges"), &merged).await.expect(201);
    let name = "update millrace.contact_merges
                set merge_id = '0198f1d2-7c00-7a00-8000-0000000000e0'";
    world.run(name).await;
}

/// What may call the tools that examples name, and is asked for none that fits.
fn unheard_tools() -> ToolCaller {
    let (listed, public) = (carriers::http::client(), carriers::public::client());
    let hosts = vec!["orders.example.com".to_owned()];
    ToolCaller::new(listed.expect("a client"), public.expect("a client"), hosts)
}

/// A bucket that nobody calls: what examples name is looked up in rows.
fn unread_media() -> KeptMedia {
    let bucket = Bucket {
        name: "media".into(),
        prefix: String::new(),
        endpoint: Some("http://127.0.0.1:9".into()),
        region: "us-east-1".into(),
        key_id: "id".into(),
        secret: "secret".into(),
    };
    let objects = Objects::open(&ObjectPlace::Bucket(bucket), client()).expect("a client");
    KeptMedia { objects, hosts: Vec::new() }
}

/// Has a carrier that answers take the place of the accounts' own, with the numbers that the
/// examples name.
async fn numbers(world: &World, carrier: &TestCarrier) {
    let url = carrier.url();
    world.run(&format!("update millrace.carrier_accounts set base_url = '{url}'")).await;
    let business = json!({
        "access_token": "token", "app_secret": "app-secret", "callback_url": url,
        "numbers": ["106540352242922"],
    });
    let put = carrier.http.put(format!("{url}/sandbox/businesses/102290129340398"));
    put.json(&business).send().await.expect("an answer").error_for_status().expect("set up");
    for number in ["+12025550150", "+12025550151"] {
        let path = "/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json";
        let buy = carrier.http.post(format!("{url}{path}")).basic_auth("AC1", Some("secret"));
        let bought = buy.form(&[("PhoneNumber", number)]).send().await.expect("an answer");
        let bought: Value = bought.json().await.expect("JSON");
        let name = bought["sid"].as_str().expect("a name");
        let named =
            format!("update millrace.numbers set carrier_id = '{name}' where number = '{number}'");
        world.run(&named).await;
    }
}

/// Somebody who has signed in, beside the people that the examples name.
async fn signed_in(world: &World, key: &Caller) -> Caller {
    let nobody = world.with_token("nobody");
    let body = json!({ "email": "first@example.com", "role": "admin" });
    let code = key.post("/v1/invitations", &body).await.expect(201)["code"].clone();
    let accepted = json!({ "code": code, "name": "First", "password": "a mill by the river" });
    nobody.post("/v1/auth/accept-invitation", &accepted).await.expect(201);
    world.run(include_str!("people.sql")).await;
    for purpose in ["sign_in", "reset", "prove"] {
        let kept = wire::hex(&kept_code(purpose));
        world
            .run(&format!(
                "insert into millrace.codes (address, purpose, hash, person_id, ends_at)
                 values ('ana@example.com', '{purpose}', '\\x{kept}',
                         '0198f1d2-7c00-7a00-8000-000000000090', now() + interval '1 hour')"
            ))
            .await;
    }

    let log_in = json!({ "email": "ana@example.com", "password": "a mill by the river" });
    let tokens = nobody.post("/v1/auth/login", &log_in).await.expect(200);
    world.with_token(tokens["access_token"].as_str().expect("a token"))
}

/// What is kept of the code of the examples.
fn kept_code(purpose: &str) -> Vec<u8> {
    let hash = |key: &[u8], said: &[u8]| {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key");
        mac.update(said);
        mac.finalize().into_bytes().to_vec()
    };
    let key = hash(&JWT_KEY, b"millrace: codes and pages");
    hash(&key, format!("code\0{purpose}\0ana@example.com\0417305\0").as_bytes())
}

const KEEP: &str = "create schema kept;
    do $$ declare t record; begin
        for t in select tablename from pg_tables where schemaname = 'millrace' loop
            execute format('create table kept.%1$I as table millrace.%1$I', t.tablename);
        end loop;
    end $$";

/// Puts everything back as it was.
pub(super) const RESTORE: &str = "set session_replication_role = replica;
    do $$ declare t record; columns text; begin
        for t in select tablename from pg_tables where schemaname = 'millrace' loop
            execute format('delete from millrace.%I', t.tablename);
            select string_agg(quote_ident(column_name), ', ') into columns
            from information_schema.columns
            where table_schema = 'millrace' and table_name = t.tablename
              and is_generated = 'NEVER';
            execute format('insert into millrace.%1$I (%2$s) overriding system value
                            select %2$s from kept.%1$I', t.tablename, columns);
        end loop;
    end $$";

#[tokio::test]
async fn every_example_is_answered_as_documented() {
    let (world, caller) = world().await;
    let document = document();
    let (mut wrong, mut answers) = (Vec::new(), Answers::default());

    for (method, path, operation) in operations(&document) {
        for content in contents(&operation) {
            world.run(RESTORE).await;
            let request = request(&world, &caller, (&method, &path), &operation, content);
            let answer = request.send().await.expect("an answer");
            for what in unlike(&document, &operation, answer, &mut answers).await {
                wrong.push(format!("{method} {path}: {what}"));
            }
        }

        // What the example says of itself fits its own schema.
        let content = &operation["requestBody"]["content"]["application/json"];
        if let Some(example) = content.get("example") {
            for one in faults(&document, &content["schema"], example) {
                wrong.push(format!("{method} {path}: the example: {one}"));
            }
        }
    }
    answers.keep();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is not as documented in an answer to an example. An answer of JSON is noted, and the
/// document must show one like it.
async fn unlike(
    document: &Value,
    operation: &Value,
    answer: Response,
    answers: &mut Answers,
) -> Vec<String> {
    let status = answer.status().as_u16();
    let media_type = answer.headers().get("content-type").cloned();
    let media_type = media_type.and_then(|value| value.to_str().ok().map(str::to_owned));
    let media_type = media_type.unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let headers = answer.headers().clone();
    let body = answer.text().await.expect("a body");

    let documented = &operation["responses"][status.to_string()];
    if !(200..300).contains(&status) || documented.is_null() {
        return vec![format!("{status}: an example must succeed as documented: {body}")];
    }
    let other = headers_unlike(document, &documented["headers"], &headers);
    if !other.is_empty() {
        return other;
    }
    let content = &documented["content"][media_type];
    if media_type == "application/json" {
        let value: Value = serde_json::from_str(&body).expect("JSON");
        let mut found = faults(document, &content["schema"], &value);
        if body.len() < LONGEST {
            found.extend(faults(document, &content["schema"], &content["example"]));
            answers.note(operation, status, value);
        }
        let found = found.into_iter().map(|one| format!("{status}: {one} in {body}")).collect();
        return found;
    }
    let is_told = body.is_empty() || !content.is_null();
    if is_told { Vec::new() } else { vec![format!("{status}: {media_type} is not documented")] }
}

/// What is not as documented in the headers of an answer: one that is always there is not, one has
/// another form, or what an answer says of where a thing is or of a quota is not documented.
fn headers_unlike(document: &Value, documented: &Value, given: &HeaderMap) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, said) in documented.as_object().into_iter().flatten() {
        let said = match said["$ref"].as_str() {
            Some(reference) => {
                document.pointer(reference.trim_start_matches('#')).expect("a header")
            }
            None => said,
        };
        let Some(value) = given.get(name).and_then(|value| value.to_str().ok()) else {
            if said["required"] == true {
                wrong.push(format!("the header {name} is missing"));
            }
            continue;
        };
        let is_number = said["schema"]["type"] == "integer";
        let value =
            if is_number { serde_json::from_str(value).expect("JSON") } else { value.into() };
        wrong.extend(faults(document, &said["schema"], &value));
    }

    let is_told = |name: &str| {
        let mut told = documented.as_object().into_iter().flatten();
        told.any(|(one, _)| one.eq_ignore_ascii_case(name))
    };
    let worth_telling = ["location", "x-request-id", "ratelimit-limit", "idempotent-replayed"];
    let silent =
        worth_telling.into_iter().filter(|name| given.contains_key(*name) && !is_told(name));
    wrong.extend(silent.map(|name| format!("the header {name} is not documented")));
    wrong
}

#[tokio::test]
async fn every_format_that_an_answer_can_have_is_as_documented() {
    let (world, caller) = world().await;
    let (document, mut seen) = (document(), 0);
    for (method, path, operation) in operations(&document) {
        let formats = operation["responses"]["200"]["content"].as_object();
        let others = formats.into_iter().flatten().filter(|(kind, _)| *kind != "application/json");
        for (kind, content) in others.filter(|_| operation["security"].is_array()) {
            world.run(RESTORE).await;
            let answer = loop {
                let body = contents(&operation).swap_remove(0);
                let request = request(&world, &caller, (&method, &path), &operation, body);
                let answer = request.header("Accept", kind).send().await.expect("an answer");
                // What moves is followed a moment after the start.
                if answer.status() != 503 {
                    break answer;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            let given = answer.headers()["content-type"].to_str().expect("a type").to_owned();
            assert!(given.starts_with(kind.as_str()), "{method} {path}: {given}, not {kind}");
            let body = answer.text().await.expect("a body");
            assert!(!body.is_empty(), "{method} {path}: {kind}");

            // Of what has lines of JSON, or events with such data, each is a value of its own.
            let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
            let lines: Vec<&str> = match kind.as_str() {
                "application/x-ndjson" => body.lines().collect(),
                "text/event-stream" => data.collect(),
                _ => Vec::new(),
            };
            for line in lines {
                let line = serde_json::from_str(line).expect("JSON");
                let wrong = faults(&document, &content["schema"], &line);
                assert!(wrong.is_empty(), "{method} {path} {kind}: {}", wrong.join("\n"));
            }
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} formats");
}

/// A body of an example, with its media type. None: an operation without one.
pub(super) type Content<'a> = Option<(&'a String, &'a Value)>;

/// The bodies that an operation takes, one for each media type.
pub(super) fn contents(operation: &Value) -> Vec<Content<'_>> {
    match operation["requestBody"]["content"].as_object() {
        Some(contents) => contents.iter().map(Some).collect(),
        None => vec![None],
    }
}

/// The request of an operation's examples, with one of its bodies.
pub(super) fn request(
    world: &World,
    caller: &Caller,
    operation_of: (&Method, &str),
    operation: &Value,
    content: Content<'_>,
) -> RequestBuilder {
    let body = content.map(|(media_type, content)| {
        let example = &content["example"];
        (&**media_type, example.as_str().map_or_else(|| example.to_string(), str::to_owned))
    });
    build(world, caller, operation_of, operation, body)
}

/// The request of an operation's examples, with another body of JSON.
pub(super) fn request_with(
    world: &World,
    caller: &Caller,
    operation_of: (&Method, &str),
    operation: &Value,
    body: &str,
) -> RequestBuilder {
    let body = Some(("application/json", body.to_owned()));
    build(world, caller, operation_of, operation, body)
}

fn build(
    world: &World,
    caller: &Caller,
    (method, path): (&Method, &str),
    operation: &Value,
    body: Option<(&str, String)>,
) -> RequestBuilder {
    let (mut path, mut query, mut headers) = (path.to_owned(), Vec::new(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().expect("a name");
        let Some(example) = parameter.get("example") else {
            let is_signature = name == "X-Twilio-Signature";
            let is_needed = parameter["required"] == true && !is_signature;
            assert!(!is_needed, "{method} {path}: {name} has no example");
            continue;
        };
        let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), &encoded(&text)),
            Some("query") => query.push((name.to_owned(), text)),
            _header => headers.push((name.to_owned(), text)),
        }
    }

    let mut request = if operation["operationId"] == "receive_mixed_webhook" {
        let request = world.http.post(format!("{}{path}", world.base));
        request.basic_auth("api-user", Some("api-word"))
    } else if operation["operationId"] == "verify_webhook" {
        world.http.get(format!("{}{path}", world.base)).query(&query)
    } else if operation["tags"][0] == "webhooks" {
        let form = body.as_ref().map_or("", |(_, body)| body);
        signed(world, &path, &query, form)
    } else {
        caller.request(method.clone(), &path).query(&query)
    };
    for (name, value) in headers {
        request = request.header(name, value);
    }
    match body {
        Some((media_type, body)) => request.header("content-type", media_type).body(body),
        None => request,
    }
}

/// The request of a carrier, which signs where it calls and what it says.
fn signed(world: &World, path: &str, query: &[(String, String)], form: &str) -> RequestBuilder {
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let path = format!("{path}?{}", query.join("&"));
    let form = Url::parse(&format!("http://form/?{form}")).expect("a form");
    let decoded: Vec<_> =
        form.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    let signature = signature(&format!("{PUBLIC_URL}{path}"), &decoded.join("&"));

    let request = world.http.post(format!("{}{path}", world.base));
    request.header("X-Twilio-Signature", signature)
}

/// A segment of a path.
fn encoded(text: &str) -> String {
    text.replace('+', "%2B")
}
