//! Which parameters the query of each route has: the one table of them. One that is not in it is
//! refused by its name, before anything is read or done: a filter that nobody applies would give
//! everything.

use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::problem::{Errors, Problem};

/// Lets a request through if every parameter of its query is one that its route has.
pub(crate) async fn refuse_unknown(path: MatchedPath, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    match check(query, known(request.method(), path.as_str())) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// The parameters of a route, by its method and path. A route that is not here has none.
fn known(method: &Method, route: &str) -> &'static [&'static str] {
    match (method.as_str(), route) {
        ("GET" | "HEAD", route) => known_when_read(route),
        ("POST", "/v1/contacts/import" | "/v1/contacts/import/preview") => &["mapping"],
        ("DELETE", "/v1/do-not-contact/{phone}") => &["reason", "channel", "scope", "program"],
        (_each, _other) => &[],
    }
}

fn known_when_read(route: &str) -> &'static [&'static str] {
    match route {
        "/v1/api-keys"
        | "/v1/campaigns"
        | "/v1/campaigns/{id}/recipients"
        | "/v1/carrier-accounts"
        | "/v1/contacts/{id}/consent"
        | "/v1/imports/{id}/rows"
        | "/v1/in-doubt"
        | "/v1/policies"
        | "/v1/pools"
        | "/v1/senders"
        | "/v1/templates"
        | "/v1/templates/{id}/versions"
        | "/v1/unmatched-receipts" => &["limit", "cursor"],

        "/v1/analytics/dashboard/series" | "/v1/analytics/campaigns/{id}/series" => {
            &["by", "from", "to"]
        }
        "/v1/audit" => &["limit", "cursor", "action", "subject", "since"],
        "/v1/audit/verify" => &["after"],
        "/v1/contacts" => &["limit", "cursor", "tag", "phone", "q"],
        "/v1/do-not-contact" => &["limit", "cursor", "phone", "channel", "cause", "since"],

        "/v1/messages" => &[
            "limit", "cursor", "to", "campaign", "since", "until", "status", "class", "sender",
            "code",
        ],
        "/v1/suppressions" => &["limit", "cursor", "phone"],
        _other => &[],
    }
}

/// Fine, or every parameter of the query that is not among those known.
fn check(query: &str, known: &[&str]) -> Result<(), Problem> {
    // A query that cannot be read is the extractor's to refuse, where the route has one.
    let given: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let detail = match known {
        [] => "this path takes no parameters".to_owned(),
        known => format!("there is no such parameter; there are {}", known.join(", ")),
    };

    let mut errors = Errors::default();
    for (name, _) in given {
        errors.check(known.contains(&name.as_str()), &name, "unknown_parameter", &detail);
    }
    errors.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_a_route_does_not_have_is_refused_by_its_name() {
        let asked = |query: &str| check(query, known(&Method::GET, "/v1/suppressions"));
        assert!(asked("").is_ok() && asked("phone=%2B12125550123&limit=1").is_ok());

        let refused = asked("phone=1&number=1").expect_err("not known").to_string();
        assert_eq!(refused, "number: there is no such parameter; there are limit, cursor, phone");
    }

    #[test]
    fn a_route_that_nobody_entered_has_no_parameters() {
        assert!(known(&Method::GET, "/v1/new-thing").is_empty());
        assert!(known(&Method::POST, "/v1/contacts").is_empty());
        assert_eq!(known(&Method::HEAD, "/v1/audit/verify"), ["after"]);
    }
}
