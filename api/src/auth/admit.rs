//! What every route of `/v1` asks first: whose the credentials are.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{caller::Caller, pages::check_page};
use crate::{
    app::App,
    connections::{Connection, OfShare},
    http::{
        cookies::Cookie,
        network::network,
        peer::Peer,
        problem::{Kind, Problem},
    },
};

/// Lets a request through if its caller is known. Whether their role allows it, the handler's
/// [`Allowed`](super::Allowed) says.
pub(crate) async fn authenticate(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let (method, headers) = (request.method().clone(), request.headers().clone());
    match known(&app, &method, &headers).await {
        Ok(caller) => {
            let left = match app.calls.take(&caller.key(), 1) {
                Ok(left) => left,
                Err((problem, left)) => return left.with(problem),
            };
            if let Some(connection) = request.extensions().get::<Connection>() {
                connection.belongs_to(&caller.tenant);
            }
            let share = app.requests.of(caller.tenant.as_str()).try_acquire_owned();
            let Ok(share) = share else { return too_many().into_response() };
            request.extensions_mut().insert(caller);

            // Until the answer is written, however slowly it is read.
            let mut response = next.run(request).await;
            response.extensions_mut().insert(OfShare::new(share));
            left.with(response)
        }
        Err(problem) => refused(&app, &request, problem).into_response(),
    }
}

/// Whose the credentials of a request are, whose company is in use.
///
/// # Errors
/// There are none or they do not hold, or a page of somebody else has sent them; or the company
/// has been archived.
pub(crate) async fn known(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let caller = admit(app, method, headers).await?;
    // Where the database does not say, what can be done without it goes on.
    match app.tenants.get(&app.store, &caller.tenant).await {
        Ok(tenant) if tenant.archived_at.is_some() => Err(archived()),
        Ok(_) | Err(_) => Ok(caller),
    }
}

/// What is said to whoever works for a company that is archived.
pub(crate) fn archived() -> Problem {
    let detail = "the company is archived: whoever runs the platform restores it";
    Problem::new(Kind::Forbidden, detail)
}

async fn admit(app: &App, method: &Method, headers: &HeaderMap) -> Result<Caller, Problem> {
    let given = headers.get(header::AUTHORIZATION);
    let kept = Cookie::Access.read(&app.settings.public_url, headers);
    match (given, kept) {
        (None, Some(token)) => {
            // A cookie is a session's: what else there is nobody has put into one.
            let caller = app.auth.check(&app.store, &token, app.now()).await?;
            check_page(app, method, headers, caller.person()?.session)?;
            Ok(caller)
        }
        (given, _) => {
            let detail = "send Authorization: Bearer with a token or an API key";
            let nothing = || Problem::new(Kind::Unauthenticated, detail);
            let bearer = given.and_then(bearer).ok_or_else(nothing)?;
            app.auth.check(&app.store, bearer, app.now()).await
        }
    }
}

/// What is answered to credentials that are not valid: who tries many from one address waits.
fn refused(app: &App, request: &Request, problem: Problem) -> Problem {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
    let (true, Some(peer)) = (problem.kind() == Kind::Unauthenticated, peer) else {
        return problem;
    };
    app.refused_of.take(&network(peer), 1).err().map_or(problem, |(too_many, _)| too_many)
}

fn too_many() -> Problem {
    Problem::too_many("too many requests of yours are under way", 1)
}

/// What follows `Bearer` in the header.
fn bearer(given: &HeaderValue) -> Option<&str> {
    let (scheme, token) = given.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
