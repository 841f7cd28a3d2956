//! The caller of a request, once their credentials are checked.

use std::sync::Arc;

use axum::http::request::Parts;
use jiff::Timestamp;
use store::settings::api_keys::KeyRole;
use uuid::Uuid;

use super::{
    reach::Reach,
    roles::{self, Permission},
};
use crate::http::problem::{Kind, Problem};

/// Who asks, once checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// The tenant they work for, the only one whose rows they see, and how much of it.
    pub(crate) tenant: Reach,
    /// `key:<id>` or `user:<sub>`: how audit trail and ledger name them.
    pub(crate) subject: String,
    /// What they may do at most.
    pub(crate) role: KeyRole,
    /// The permissions that their key has of its role; none: all of them.
    pub(crate) scopes: Option<Arc<[Permission]>>,
    /// Business time at which their key ends, if it does.
    pub(crate) expires_at: Option<Timestamp>,
    /// Who signed in, where it is a person and not a program.
    pub(crate) signed_in: Option<SignedIn>,
}

/// A person who has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SignedIn {
    /// Who they are.
    pub(crate) person: Uuid,
    /// What they have since they signed in.
    pub(crate) session: Uuid,
}

impl Caller {
    /// The caller that [`authenticate`](super::authenticate) has put into the request.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        let missing = || Problem::new(Kind::Unauthenticated, "credentials are needed");
        parts.extensions.get::<Self>().cloned().ok_or_else(missing)
    }

    /// Who signed in.
    ///
    /// # Errors
    /// It is a program, with an API key or a token that was made elsewhere.
    pub(crate) fn person(&self) -> Result<SignedIn, Problem> {
        let detail = "this is for people who have signed in, and not for programs";
        self.signed_in.ok_or_else(|| Problem::new(Kind::Forbidden, detail))
    }

    /// Somebody who has signed in, for a company.
    pub(crate) fn of_session(tenant: Reach, role: KeyRole, signed_in: SignedIn) -> Self {
        let subject = format!("user:{}", signed_in.person);
        let signed_in = Some(signed_in);
        Self { tenant, subject, role, scopes: None, expires_at: None, signed_in }
    }

    /// Refuses to give somebody more than the caller has: a role, or of that some permissions.
    ///
    /// # Errors
    /// They would have a permission that the caller has not, or be an owner by the word of somebody
    /// who is not an owner.
    pub(crate) fn may_give(&self, role: KeyRole, scopes: Option<&[String]>) -> Result<(), Problem> {
        if role == KeyRole::Owner && self.role != KeyRole::Owner {
            return Err(Problem::new(Kind::Forbidden, "only an owner makes an owner"));
        }

        let given = |one: &Permission| {
            let in_scope = scopes.is_none_or(|all| all.iter().any(|name| name == one.as_str()));
            in_scope && roles::allows(role, *one)
        };
        match Permission::ALL.into_iter().filter(given).find(|one| !self.may(*one)) {
            None => Ok(()),
            Some(more) => {
                let more = more.as_str();
                let detail = format!("that gives the permission {more}, which this caller has not");
                Err(Problem::new(Kind::Forbidden, detail))
            }
        }
    }

    /// Whether their role has the permission, and their key too. Keys and people are the company's
    /// and not its twin's.
    pub(crate) fn may(&self, permission: Permission) -> bool {
        let in_scope = self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&permission));
        in_scope && roles::allows(self.role, permission) && !self.is_kept_from(permission)
    }

    /// Whether the permission is none that somebody has in a twin.
    pub(crate) fn is_kept_from(&self, permission: Permission) -> bool {
        let of_company = matches!(permission, Permission::ManageKeys | Permission::ManagePeople);
        of_company && self.tenant.is_twin()
    }

    /// Refuses what concerns all of the tenant to those who see some of it alone.
    ///
    /// # Errors
    /// They are limited; `what` says what was asked.
    pub(crate) fn sees_all(&self, what: &str) -> Result<(), Problem> {
        if !self.tenant.is_limited() {
            return Ok(());
        }
        let detail =
            format!("{what} concerns brands that you do not see: ask who sees all of them");
        Err(Problem::new(Kind::Forbidden, detail))
    }

    /// The name of what they authenticated with, unique on the platform.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.tenant, self.subject)
    }
}
