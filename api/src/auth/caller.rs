//! The caller of a request, once their credentials are checked.

use axum::http::request::Parts;
use domain::ids::TenantId;
use store::settings::api_keys::KeyRole;

use crate::http::problem::{Kind, Problem};

/// Who asks, once checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The tenant they work for; the only one whose rows they see.
    pub(crate) tenant: TenantId,
    /// `key:<id>` or `user:<sub>`: how audit trail and ledger name them.
    pub(crate) subject: String,
    /// What they may do.
    pub(crate) role: KeyRole,
}

impl Caller {
    /// The caller that [`authenticate`](super::authenticate) has put into the request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        let missing = || Problem::new(Kind::Unauthenticated, "credentials are needed");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }

    /// The name of what they authenticated with, unique on the platform.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.tenant, self.subject)
    }
}
