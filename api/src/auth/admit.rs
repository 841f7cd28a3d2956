//! What every route of `/v1` asks first: whose the credentials are, and whether their role allows
//! the request.

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{caller::Caller, roles};
use crate::{
    app::App,
    connections::{Connection, OfShare},
    http::problem::{Kind, Problem},
};

/// Lets a request through if its caller is known and their role allows it.
pub(crate) async fn authenticate(
    State(app): State<App>,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).cloned();
    let needed = roles::needed(request.method(), path.as_str());

    match admit(&app, given.as_ref(), needed).await {
        Ok(caller) => {
            if let Some(connection) = request.extensions().get::<Connection>() {
                connection.belongs_to(&caller.tenant);
            }
            let share = app.requests.of(caller.tenant.as_str()).try_acquire_owned();
            let Ok(share) = share else { return too_many().into_response() };
            request.extensions_mut().insert(caller);

            // Until the answer is written, however slowly it is read.
            let mut response = next.run(request).await;
            response.extensions_mut().insert(OfShare::new(share));
            response
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(
    app: &App,
    given: Option<&HeaderValue>,
    needed: roles::Act,
) -> Result<Caller, Problem> {
    let Some(bearer) = given.and_then(bearer) else {
        let detail = "send Authorization: Bearer with a token or an API key";
        return Err(Problem::new(Kind::Unauthenticated, detail));
    };

    let caller = app.auth.check(&app.store, bearer).await?;
    if !roles::allows(caller.role, needed) {
        let detail = format!("the role {} may not {}", caller.role, needed.as_str());
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(caller)
}

fn too_many() -> Problem {
    Problem::new(Kind::TooMany, "too many requests of yours are under way").retry_after(1)
}

/// What follows `Bearer` in the header.
fn bearer(given: &HeaderValue) -> Option<&str> {
    let (scheme, token) = given.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
