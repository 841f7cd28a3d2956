//! The collection of Postman (format 2.1.0), made from the document of the REST API: a folder per
//! tag, a request per operation with the document's examples. Base URL and key are variables.

use serde_json::{Map, Value, json};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The collection of a document.
pub(super) fn collection(openapi: &Value) -> Value {
    let tags = openapi["tags"].as_array().into_iter().flatten();
    let folders: Vec<Value> = tags.map(|tag| folder(openapi, tag)).collect();
    json!({
        "info": {
            "name": openapi["info"]["title"],
            "description": openapi["info"]["description"],
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": { "type": "bearer", "bearer": [
            { "key": "token", "value": "{{api_key}}", "type": "string" },
        ] },
        "variable": [
            { "key": "base_url", "value": "http://127.0.0.1:8080" },
            { "key": "health_url", "value": "http://127.0.0.1:8081" },
            { "key": "api_key", "value": "" },
        ],
        "item": folders,
    })
}

fn folder(openapi: &Value, tag: &Value) -> Value {
    let mut requests = Vec::new();
    for (path, item) in openapi["paths"].as_object().into_iter().flatten() {
        // A path with servers of its own is on the health address.
        let base = if item.get("servers").is_some() { "{{health_url}}" } else { "{{base_url}}" };
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            if operation["tags"][0] == tag["name"] {
                requests.push(request(base, path, method, operation));
            }
        }
    }
    json!({ "name": tag["name"], "description": tag["description"], "item": requests })
}

fn request(base: &str, path: &str, method: &str, operation: &Value) -> Value {
    let place = path.trim_start_matches('/').replace('{', ":").replace('}', "");
    let segments: Vec<&str> = place.split('/').collect();
    let mut request = json!({
        "method": method.to_uppercase(),
        "description": operation["description"],
        "header": parameters(operation, "header"),
        "url": {
            "raw": format!("{base}/{place}"),
            "host": [base],
            "path": segments,
            "variable": parameters(operation, "path"),
            "query": parameters(operation, "query"),
        },
    });

    if operation.get("security").is_none() {
        request["auth"] = json!({ "type": "noauth" });
    }
    let content = operation["requestBody"]["content"].as_object();
    if let Some((media_type, content)) = content.and_then(|content| content.iter().next()) {
        body(&mut request, media_type, &content["example"]);
    }
    json!({ "name": operation["summary"], "request": request })
}

/// The parameters of a place. One that is not required is there, and switched off.
fn parameters(operation: &Value, place: &str) -> Vec<Value> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    let of_place = all.filter(|parameter| parameter["in"] == place);
    let entry = |parameter: &Value| {
        let mut entry = Map::new();
        entry.insert("key".into(), parameter["name"].clone());
        entry.insert("value".into(), text(&parameter["example"]).into());
        entry.insert("description".into(), parameter["description"].clone());
        if parameter["required"] != true {
            entry.insert("disabled".into(), true.into());
        }
        entry.into()
    };
    of_place.map(entry).collect()
}

fn body(request: &mut Value, media_type: &str, example: &Value) {
    let header = json!({ "key": "Content-Type", "value": media_type });
    if let Some(headers) = request["header"].as_array_mut() {
        headers.push(header);
    }
    request["body"] = json!({ "mode": "raw", "raw": text(example) });
}

/// An example as it is sent: a text as it is, anything else as JSON.
fn text(example: &Value) -> String {
    match example {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => format!("{other:#}"),
    }
}
