//! What every process answers on its health address (`MILLRACE_HEALTH_LISTEN`), beside the routes
//! of the ingress. `crates/boot` answers it.

use serde_json::{Value, json};
use utoipa::openapi::{OpenApi, Paths};

/// Two of the metrics, as they are written.
const METRICS: &str = "# TYPE millrace_http_requests_total counter\n\
    millrace_http_requests_total{method=\"GET\",route=\"/v1/me\",status=\"200\"} 12\n";

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
    let check =
        json!({ "type": "string", "description": "What is looked at, such as `database`." });
    let object = |properties: Value| {
        let required: Vec<_> =
            properties.as_object().into_iter().flatten().map(|one| one.0).collect();
        json!({ "type": "object", "required": required, "properties": properties })
    };
    let about = "How the process is.";
    let status = |word: &str| json!({ "type": "string", "enum": [word], "description": about });
    let reason = json!({ "type": "string", "description": "Why it does not pass." });
    let failure = object(json!({ "check": check, "reason": reason }));
    let alive = object(json!({ "status": status("alive") }));
    let ready = object(json!({
        "status": status("ready"),
        "checks": { "type": "array", "items": text, "description": "What was looked at." },
    }));
    let not_ready = object(json!({
        "status": status("not ready"),
        "failed": { "type": "array", "items": failure, "description": "What does not pass." },
    }));

    let answer = |description: &str, schema: &Value, example: Value| {
        let content = json!({ "schema": schema, "example": example });
        json!({ "description": description, "content": { "application/json": content } })
    };
    let get = |id: &str, summary: &str, responses: Value| {
        json!({ "servers": server, "get": {
            "tags": ["health"], "operationId": id, "summary": summary, "responses": responses,
        } })
    };
    let metrics = json!({
        "description": "The metrics, in the text format of Prometheus.",
        "content": { "text/plain": { "schema": text, "example": METRICS } },
    });
    let away = json!({ "check": "database", "reason": "it does not answer" });
    json!({
        "/healthz": get("get_health", "Whether the process is alive", json!({
            "200": answer("It is.", &alive, json!({ "status": "alive" })),
        })),
        "/readyz": get("get_readiness", "Whether the process can work", json!({
            "200": answer("Every check passes.", &ready, json!({
                "status": "ready", "checks": ["broker", "database"],
            })),
            "503": answer("What does not pass; `stopping` while it is draining.", &not_ready, json!({
                "status": "not ready", "failed": [away],
            })),
        })),
        "/metrics": get("get_metrics", "Metrics of the process", json!({ "200": metrics })),
    })
}
