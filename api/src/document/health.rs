//! What every process answers on its health address (`MILLRACE_HEALTH_LISTEN`), beside the routes
//! of the ingress. `crates/boot` answers it.

use serde_json::{Value, json};
use utoipa::openapi::{OpenApi, Paths};

/// Adds the paths of the health address.
pub(super) fn add(document: &mut OpenApi) {
    let paths: Paths = serde_json::from_value(paths()).expect("paths of OpenAPI");
    document.paths.paths.extend(paths.paths);
}

fn paths() -> Value {
    let server = json!([{
        "url": "http://127.0.0.1:{port}",
        "description": "The health address of one process; `up` writes it into endpoints.json.",
        "variables": { "port": { "default": "8081", "description": "MILLRACE_HEALTH_LISTEN" } },
    }]);
    let text = json!({ "type": "string" });
    let object = |properties: Value| {
        let required: Vec<_> =
            properties.as_object().into_iter().flatten().map(|one| one.0).collect();
        json!({ "type": "object", "required": required, "properties": properties })
    };
    let failure = object(json!({ "check": text, "reason": text }));
    let alive = object(json!({ "status": { "type": "string", "enum": ["alive"] } }));
    let ready = object(json!({
        "status": { "type": "string", "enum": ["ready"] },
        "checks": { "type": "array", "items": text },
    }));
    let not_ready = object(json!({
        "status": { "type": "string", "enum": ["not ready"] },
        "failed": { "type": "array", "items": failure },
    }));

    let answer = |description: &str, schema: &Value| {
        json!({
            "description": description, "content": { "application/json": { "schema": schema } },
        })
    };
    let get = |id: &str, summary: &str, responses: Value| {
        json!({ "servers": server, "get": {
            "tags": ["health"], "operationId": id, "summary": summary, "responses": responses,
        } })
    };
    let metrics = json!({
        "description": "The metrics, in the text format of Prometheus.",
        "content": { "text/plain": { "schema": text } },
    });
    json!({
        "/healthz": get("get_health", "Whether the process is alive", json!({
            "200": answer("It is.", &alive),
        })),
        "/readyz": get("get_readiness", "Whether the process can work", json!({
            "200": answer("Every check passes.", &ready),
            "503": answer("What does not pass, or that the process is draining.", &not_ready),
        })),
        "/metrics": get("get_metrics", "Metrics of the process", json!({ "200": metrics })),
    })
}
