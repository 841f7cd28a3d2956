//! Which settings of the assistant a request is about.

use domain::{
    assistant::AssistantScope,
    ids::{BrandId, InboxId},
};
use store::{
    Scoped,
    settings::{brands, inboxes},
};
use uuid::Uuid;

use crate::{
    auth::Caller,
    http::{Errors, Problem},
};

/// The settings that a scope and a target name, or everything that is wrong with them beside
/// `errors`. The brand or the inbox must be there, and be one that the caller sees.
pub(super) async fn named(
    tx: &mut Scoped,
    caller: &Caller,
    (scope, target): (&str, Option<Uuid>),
    mut errors: Errors,
) -> Result<(AssistantScope, Uuid), Problem> {
    const SCOPES: &str = "company, brand or inbox";
    let scope = AssistantScope::from_name(scope);
    match (scope, target) {
        (Some(AssistantScope::Company), None) => {}
        (Some(AssistantScope::Company), Some(_)) => {
            errors.add("target", "unexpected", "the company needs no target");
        }
        (Some(AssistantScope::Brand | AssistantScope::Inbox), None) => {
            errors.add("target", "required", "the id of the brand or the inbox");
        }
        (Some(AssistantScope::Brand), Some(id)) => {
            let found = brands::get(tx, &caller.tenant, BrandId(id), false).await?;
            errors.check(found.is_some(), "target", "not_found", "no brand with this id");
        }
        (Some(AssistantScope::Inbox), Some(id)) => {
            let found = inboxes::get(tx, &caller.tenant, InboxId(id), false).await?;
            errors.check(found.is_some(), "target", "not_found", "no inbox with this id");
        }
        (None, _) => errors.add("scope", "unknown", SCOPES),
    }
    errors.done()?;

    let scope = scope.ok_or_else(|| Problem::field("scope", "unknown", SCOPES))?;
    Ok((scope, target.unwrap_or_default()))
}

/// A scope as the audit trail names it.
pub(super) fn subject(scope: AssistantScope, target: Uuid) -> String {
    match scope {
        AssistantScope::Company => "assistant:company".to_owned(),
        AssistantScope::Brand | AssistantScope::Inbox => {
            format!("assistant:{}:{target}", scope.as_str())
        }
    }
}
