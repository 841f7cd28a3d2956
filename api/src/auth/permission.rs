//! A route's permission, in the signature of its handler: `caller: Allowed<EditContacts>`. A
//! handler is given its caller in no other way, so none is without a permission.

use std::{marker::PhantomData, ops::Deref};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{
    caller::Caller,
    roles::{self, Permission},
};
use crate::http::problem::{Kind, Problem};

/// The caller of a request, who has the permission `P`.
#[derive(Debug, Clone)]
pub(crate) struct Allowed<P>(Caller, PhantomData<fn() -> P>);

/// A permission as a type.
pub(crate) trait Needs {
    /// The permission, as the table of roles has it.
    const PERMISSION: Permission;

    /// Its name in the document.
    const NAME: &'static str = Self::PERMISSION.as_str();
}

macro_rules! permissions {
    ($($name:ident)*) => {$(
        #[doc = concat!("The permission [`Permission::", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name;

        impl Needs for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

permissions! {
    Read SendMessages CancelMessages EditContacts EditCampaigns EditSettings EditNumbers ManageKeys
    ManagePeople
}

impl<P: Needs> Allowed<P> {
    /// The caller that [`authenticate`](super::authenticate) has put into the request.
    ///
    /// # Errors
    /// Their role or their key does not have the permission.
    pub(crate) fn of(parts: &Parts) -> Result<Self, Problem> {
        let caller = Caller::of(parts)?;
        if caller.may(P::PERMISSION) {
            return Ok(Self(caller, PhantomData));
        }

        let act = P::PERMISSION.as_act();
        let detail = if caller.is_kept_from(P::PERMISSION) {
            "keys and people are looked after with the company's live credentials".to_owned()
        } else if roles::allows(caller.role, P::PERMISSION) {
            format!("the key's scopes do not let it {act}")
        } else {
            format!("the role {} may not {act}", caller.role)
        };
        Err(Problem::new(Kind::Forbidden, detail))
    }

    /// The caller, from here on without the permission.
    pub(crate) fn into_caller(self) -> Caller {
        self.0
    }
}

impl<P> Deref for Allowed<P> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<P: Needs, S: Sync> FromRequestParts<S> for Allowed<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(parts)
    }
}
