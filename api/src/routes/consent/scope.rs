//! What a stop is about, as callers write it: everything of the tenant, or one program.

use crate::{fields, http::Errors};

/// The program of a scope; none for everything of the tenant.
pub(super) fn program(
    scope: Option<&str>,
    program: Option<&str>,
    errors: &mut Errors,
) -> Option<String> {
    match (scope, program) {
        (None | Some("tenant"), None) => None,
        (None | Some("program"), Some(name)) => {
            fields::program(name, errors);
            Some(name.to_owned())
        }

        (Some("program"), None) => {
            errors.add("program", "required", "the program that is left");
            None
        }
        (Some("tenant"), Some(_)) => {
            errors.add("program", "unexpected", "the scope tenant has no program");
            None
        }
        (Some(_), _) => {
            errors.add("scope", "unknown", "tenant or program");
            None
        }
    }
}
