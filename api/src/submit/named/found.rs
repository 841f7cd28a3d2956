//! What is there of what messages name, and what is wrong with the rest.

use std::collections::{BTreeMap, HashMap};

use domain::{
    carrier_template::Unsendable,
    draft::{self, DraftRequest, Origin, Person, Supplies},
    ids::{ContactId, PoolId, SenderId},
    invisible::is_blank,
};
use wire::{
    Submitted,
    message::{Content, From},
};

use super::{
    super::{callable::Callable, kept::KeptName},
    asked::Asked,
};
use crate::http::FieldError;

/// Why a sender is refused that is there.
const UNUSABLE_SENDER: &str =
    "this sender carries nothing: name another, or set its usable to true";

/// Why a pool is refused that is there.
const UNUSABLE_POOL: &str = "no sender of this pool carries anything: set usable of one to true";

/// The senders and pools that were asked for and are there, each with whether anything of it
/// can be called, and the templates of carriers that were asked for, each with why it is not sent.
pub(super) struct Found {
    pub(super) senders: HashMap<SenderId, Callable>,
    pub(super) pools: HashMap<PoolId, Callable>,
    pub(super) unsendable: BTreeMap<KeptName, Option<Unsendable>>,
}

impl Found {
    /// A template of a carrier that was asked for and is surely not sent.
    pub(super) fn kept(&self, message: &Submitted) -> Option<FieldError> {
        let name = KeptName::of(message)?;
        let why = self.unsendable.get(&name).copied().flatten()?;
        Some(error("carrier_template", why.code, why.detail))
    }

    /// A sender or a pool that was asked for and is not there, carries nothing, or is not to be
    /// called: the gates would block each message of it, or send would hold it.
    pub(super) fn error(&self, message: &Submitted, asked: &Asked) -> Option<FieldError> {
        match message.from {
            From::Sender(id) if asked.senders.contains(&id) => match self.senders.get(&id) {
                None => {
                    Some(error("from", "not_found", "no sender of yours has this id or number"))
                }
                Some(of) => of.error("from", UNUSABLE_SENDER),
            },
            From::Pool(id) if asked.pools.contains(&id) => match self.pools.get(&id) {
                None => Some(error("pool", "not_found", "no pool with this id")),
                Some(of) => of.error("pool", UNUSABLE_POOL),
            },
            From::Sender(_) | From::Pool(_) | From::Any => None,
        }
    }
}

impl Callable {
    fn error(&self, field: &str, unusable: &str) -> Option<FieldError> {
        match self {
            Self::Yes => None,
            Self::Unusable => Some(error(field, "unusable", unusable)),
            Self::HostNotAllowed(why) => Some(error(field, "host_not_allowed", why)),
        }
    }
}

/// Why the template makes no text for this person.
pub(super) fn template_error(
    message: &Submitted,
    person: &Person,
    supplies: &Supplies,
) -> Option<FieldError> {
    let head = &message.head;
    let contact = ContactId::of(&head.tenant, head.to.as_str());
    let request = DraftRequest {
        class: head.class,
        channel: head.channel,
        to: &head.to,
        origin: origin(message),
    };
    let code = draft::draft(&request, contact, person, supplies)?.failed?;

    let Content::Template { id, variables } = &message.content else { return None };
    Some(match code {
        "unknown_template" => error("template.id", "not_found", "no template with this id"),
        "missing_variable" => {
            let required = supplies.texts.of_template(&head.tenant, *id);
            let required = required.map(|variants| variants.required()).unwrap_or_default();
            let is_said = |value: &str| !is_blank(value);
            let lacks = |name: &&str| {
                let given = variables.get(*name).map(String::as_str);
                !given.is_some_and(is_said) && !person.field(name).is_some_and(is_said)
            };
            let names: Vec<&str> = required.into_iter().filter(lacks).collect();
            let detail = format!("give {}, or a fallback in the template", names.join(", "));
            error("template.variables", code, &detail)
        }
        code => error("template", code, draft::reason(code)),
    })
}

/// What a message is drafted from.
pub(super) fn origin(message: &Submitted) -> Origin<'_> {
    Origin {
        tenant: &message.head.tenant,
        campaign: None,
        content: &message.content,
        from: &message.from,
    }
}

fn error(field: &str, code: &'static str, detail: &str) -> FieldError {
    FieldError { field: field.into(), code, detail: detail.into() }
}
