//! Which parameters the query of each route has, as its document says. Any other is refused by its
//! name, before anything is read or done: a filter that nobody applies would give everything. So is
//! one that is there twice, and a value that is not written as the document says.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Parameter, ParameterIn},
};

use super::{
    form::Form,
    problem::{Errors, Problem},
};
use crate::document::operation::operations;

/// The parameters of each route, by its method and path. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct KnownParameters(Arc<HashMap<(Method, String), OfRoute>>);

/// The parameters of one route: their names, and how their values are written.
type OfRoute = Vec<(String, Form)>;

impl KnownParameters {
    /// Those that a document lists.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                let parameters = operation.parameters.iter().flatten();
                let names = parameters.filter_map(in_query).collect();
                known.insert((method, path.clone()), names);
            }
        }
        Self(Arc::new(known))
    }

    /// Those of one route; a HEAD has those of its GET.
    fn of_route(&self, method: &Method, path: &str) -> &[(String, Form)] {
        let method = if method == Method::HEAD { Method::GET } else { method.clone() };
        self.0.get(&(method, path.to_owned())).map_or(&[], Vec::as_slice)
    }
}

/// The name of a parameter that is in the query, and how its values are written.
fn in_query(parameter: &RefOr<Parameter>) -> Option<(String, Form)> {
    match parameter {
        RefOr::T(one) if one.parameter_in == ParameterIn::Query => {
            Some((one.name.clone(), Form::of(&wire::json::to_value(&one.schema))))
        }
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}

/// Lets a request through if every parameter of its query is one that its route has, there once and
/// written as it should be.
pub(crate) async fn refuse_unknown(
    State(known): State<KnownParameters>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    match check(query, known.of_route(request.method(), path.as_str())) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Fine, or every parameter of the query that is not among those known, or cannot be read.
fn check(query: &str, known: &[(String, Form)]) -> Result<(), Problem> {
    // A query that cannot be read is the extractor's to refuse, where the route has one.
    let given: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    let detail = match known {
        [] => "this path takes no parameters".to_owned(),
        known => {
            let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
            format!("there is no such parameter; there are {}", names.join(", "))
        }
    };

    let mut errors = Errors::default();
    for (index, (name, value)) in given.iter().enumerate() {
        let Some((_, form)) = known.iter().find(|(known, _)| known == name) else {
            errors.add(name, "unknown_parameter", detail.clone());
            continue;
        };
        let is_first = given[..index].iter().all(|(before, _)| before != name);
        errors.check(is_first, name, "duplicate_field", "this parameter is given twice");
        if let Some((code, detail)) = form.fault(value) {
            errors.add(name, code, detail);
        }
    }
    errors.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_a_route_does_not_have_is_refused_by_its_name() {
        let known = KnownParameters::of(&crate::routes::described());
        let asked = |query| check(query, known.of_route(&Method::GET, "/v1/suppressions"));
        assert!(asked("").is_ok() && asked("phone=%2B12125550123&limit=1").is_ok());

        let refused = asked("phone=1&number=1").expect_err("not known").to_string();
        assert_eq!(refused, "number: there is no such parameter; there are limit, cursor, phone");
        let twice = asked("limit=1&limit=2").expect_err("twice").to_string();
        assert_eq!(twice, "limit: this parameter is given twice");
    }

    #[test]
    fn a_route_has_the_parameters_of_its_method() {
        let known = KnownParameters::of(&crate::routes::described());
        let of = |method, path| known.of_route(&method, path).len();
        assert_eq!(of(Method::POST, "/v1/contacts"), 0);
        assert_eq!(of(Method::GET, "/v1/new-thing"), 0);
        assert_eq!(of(Method::HEAD, "/v1/audit/verify"), 1);
    }
}
