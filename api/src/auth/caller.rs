//! The caller of a request, once their credentials are checked.

use std::sync::Arc;

use axum::http::request::Parts;
use domain::ids::TenantId;
use store::settings::api_keys::KeyRole;

use super::roles::{self, Permission};
use crate::http::problem::{Kind, Problem};

/// Who asks, once checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The tenant they work for; the only one whose rows they see.
    pub(crate) tenant: TenantId,
    /// `key:<id>` or `user:<sub>`: how audit trail and ledger name them.
    pub(crate) subject: String,
    /// What they may do at most.
    pub(crate) role: KeyRole,
    /// The permissions that their key has of its role; none: all of them.
    pub(crate) scopes: Option<Arc<[Permission]>>,
}

impl Caller {
    /// The caller that [`authenticate`](super::authenticate) has put into the request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        let missing = || Problem::new(Kind::Unauthenticated, "credentials are needed");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }

    /// Whether their role has the permission, and their key too.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        let in_scope = self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&permission));
        in_scope && roles::allows(self.role, permission)
    }

    /// The name of what they authenticated with, unique on the platform.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.tenant, self.subject)
    }
}
