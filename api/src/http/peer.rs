//! Where a request comes from, and bodies of those who have not signed in yet.

use std::net::IpAddr;

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    arrival,
    body::{decode, expect_json},
    problem::Problem,
};
use crate::app::App;

/// How long the body of somebody may be who has not signed in.
const LIMIT: usize = 16 * 1024;

/// The address of the network that a request comes from, if it is known: behind proxies of ours
/// whom they were called by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

/// The body of somebody who has not signed in, decoded from JSON, and where it comes from.
pub(crate) struct StrangersBody<T> {
    /// Where it comes from.
    pub(crate) peer: Option<IpAddr>,
    /// What it says.
    pub(crate) body: T,
    /// Their part of what this process does for strangers, until they are answered.
    pub(crate) share: StrangersShare,
}

/// A place among the requests of strangers.
pub(crate) struct StrangersShare {
    _of_peer: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl<T: DeserializeOwned + Send> FromRequest<App> for StrangersBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        expect_json(&parts.headers)?;
        if !app.auth.tokens.can_sign() {
            let detail = "nobody can sign in: the setting MILLRACE_JWT_SECRET is missing";
            return Err(Problem::unavailable(detail, 60));
        }

        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
        let whose = peer.map_or_else(|| "unknown".to_owned(), |peer| peer.to_string());
        let share = StrangersShare {
            _of_peer: app.strangers_of_peer.of(&whose).try_acquire_owned().map_err(|_| busy())?,
            _of_all: app.strangers.clone().try_acquire_owned().map_err(|_| busy())?,
        };
        let bytes = arrival::read(&app.arriving, &format!("peer:{whose}"), body, LIMIT).await?;
        Ok(Self { peer, body: decode(&bytes)?, share })
    }
}

fn busy() -> Problem {
    Problem::too_many("too many people sign in at this moment", 1)
}
