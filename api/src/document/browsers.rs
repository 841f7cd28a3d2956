//! How browsers sign requests: each operation that takes a bearer token takes the cookie of a
//! session instead, and where it changes something the token of the session in a header beside it.

use serde_json::{Map, Value, json};

/// The names of the schemes in the document.
const COOKIE: &str = "cookie";
const CSRF: &str = "csrf";

/// Adds the schemes, and to each operation with a bearer token the way by cookie.
pub(super) fn add_cookies(document: &mut Value) {
    document["components"]["securitySchemes"][COOKIE] = json!({
        "type": "apiKey", "in": "cookie", "name": "mr_access",
        "description": "The access token of somebody who has signed in with `\"cookies\": true`. \
            Where the public URL is https the cookie is `__Secure-mr_access`. A header \
            `Authorization` goes before it.",
    });
    document["components"]["securitySchemes"][CSRF] = json!({
        "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
        "description": "Beside the cookie, where something is changed: the `csrf_token` of the \
            sign-in, which the cookie `mr_csrf` (over https `__Secure-mr_csrf`) says too. A page \
            of another origin is refused unless MILLRACE_CORS_ORIGINS names it.",
    });

    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (method, operation) in paths.flat_map(|(_, item)| item.as_object_mut()).flatten() {
        let Some(ways) = operation.get_mut("security").and_then(Value::as_array_mut) else {
            continue;
        };
        let Some(permission) = ways.first().and_then(|way| way.get("bearer")).cloned() else {
            continue;
        };
        let mut way = Map::new();
        way.insert(COOKIE.into(), permission);
        if method != "get" {
            way.insert(CSRF.into(), json!([]));
        }
        ways.push(way.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_bearer_token_takes_a_cookie_and_what_changes_something_its_token_too() {
        let operation = |permission: &str| json!({ "security": [{ "bearer": [permission] }] });
        let mut document = json!({
            "paths": {
                "/things": { "get": operation("read"), "post": operation("edit") },
                "/open": { "post": {} },
            },
            "components": { "securitySchemes": { "bearer": {} } },
        });
        add_cookies(&mut document);
        let things = &document["paths"]["/things"];
        assert_eq!(things["get"]["security"][1], json!({ "cookie": ["read"] }));
        assert_eq!(things["post"]["security"][1], json!({ "cookie": ["edit"], "csrf": [] }));
        assert_eq!(document["paths"]["/open"]["post"], json!({}));
        assert_eq!(document["components"]["securitySchemes"]["cookie"]["in"], "cookie");
    }
}
