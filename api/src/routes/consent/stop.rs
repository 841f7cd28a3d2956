//! A number on the do-not-contact list, or to be put on it or taken off: as callers write it, and
//! as it is recorded.

use domain::{address::Address, country::Country, gates::Stops, message::class::Channel};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::recipients::{
    consent::{Action, ConsentChange, ConsentMethod, Proof},
    list::RecipientRow,
};
use utoipa::ToSchema;

use super::scope;
use crate::{
    auth::Caller,
    document::words::ConsentScope,
    fields,
    http::{Errors, FieldError},
    ids,
};

/// The longest reason, in characters.
const MAX_REASON: usize = 100;

/// A number to be put on the do-not-contact list.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewDoNotContact)]
#[serde(deny_unknown_fields)]
pub(super) struct NewStop {
    /// The number, in E.164 or as people of its country write it.
    #[schema(min_length = 1, max_length = 64)]
    pub(super) phone: String,
    /// The country of a number that is written without a plus sign, by code or English name; none:
    /// the tenant's.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub(super) country: Option<String>,
    /// Why the number must not be texted.
    #[schema(min_length = 1, max_length = 100)]
    pub(super) reason: String,
    /// What it stops; where it is not said, `all` after a complaint, a threat with the law or a
    /// wrong number, else `marketing`. A program has none.
    #[serde(default)]
    #[schema(value_type = Option<Stops>)]
    pub(super) stops: Option<String>,
    /// The channel that it is stopped on; `sms` where it is not said.
    #[serde(default)]
    pub(super) channel: Channel,
    /// Whose list it is put on, the tenant's or that of one program. Follows from `program` where
    /// it is not said.
    #[serde(default)]
    #[schema(value_type = Option<ConsentScope>)]
    pub(super) scope: Option<String>,
    /// The one program that is stopped; none: everything of the tenant.
    #[serde(default)]
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    pub(super) program: Option<String>,
}

/// A number on the list, or to be put on it or taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) address: Address,
    pub(super) channel: Channel,
    pub(super) reach: Reach,
}

/// What an entry is about. Of two about the same the greater one stops more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// Everything of the tenant, as far as it stops that.
    Tenant(Stops),
    /// One program of the tenant.
    Program(String),
}

impl NewStop {
    /// The number as the list has it, or everything that is wrong. `tenants` is the country of
    /// numbers without a plus sign and a country of their own.
    pub(super) fn check(&self, tenants: Option<Country>) -> Result<Stop, Vec<FieldError>> {
        let mut errors = Errors::default();
        reason(&self.reason, &mut errors);
        let program = scope::program(self.scope.as_deref(), self.program.as_deref(), &mut errors);
        let reach = match program {
            Some(program) => {
                let detail = "an entry of a program stops the program";
                errors.check(self.stops.is_none(), "stops", "unexpected", detail);
                Reach::Program(program)
            }
            None => {
                let stops = self.stops.as_deref();
                Reach::Tenant(fields::stops("stops", stops, &self.reason, &mut errors))
            }
        };
        let home = fields::home(self.country.as_deref(), &self.phone, tenants, &mut errors);
        let number = fields::number("phone", &self.phone, home, &mut errors);

        let (Some(number), true) = (number, errors.is_empty()) else {
            return Err(errors.into_vec());
        };
        Ok(Stop { address: number.into(), channel: self.channel, reach })
    }
}

impl Stop {
    /// What it is about, whatever it stops of that: the number, the channel, the program.
    pub(super) fn subject(&self) -> (Address, Channel, Option<String>) {
        let program = match &self.reach {
            Reach::Tenant(_) => None,
            Reach::Program(program) => Some(program.clone()),
        };
        (self.address.clone(), self.channel, program)
    }

    /// Whether the number is on the list with this scope, and stopped as far.
    pub(super) fn is_listed(&self, recipient: Option<&RecipientRow>) -> bool {
        recipient.is_some_and(|recipient| match &self.reach {
            Reach::Program(program) => recipient.stopped_programs.contains(program),
            Reach::Tenant(stops) => recipient.stops() >= Some(*stops),
        })
    }

    /// The line for the ledger that puts it on the list or takes it off.
    pub(super) fn change(
        self,
        caller: &Caller,
        action: Action,
        reason: &str,
        at: Timestamp,
    ) -> ConsentChange {
        let (program, stops) = match self.reach {
            Reach::Program(program) => (Some(program), None),
            Reach::Tenant(stops) => (None, Some(stops).filter(|_| action == Action::DoNotContact)),
        };

        ConsentChange {
            tenant: caller.tenant.id().clone(),
            consent_id: ids::fresh(),
            address: self.address,
            channel: self.channel,
            action,
            program,
            stops,
            method: ConsentMethod::Api,
            language: None,
            source: Some(reason.trim().to_owned()),
            proof: Proof::default(),
            evidence: json!({ "by": caller.subject }),
            at,
            recorded_by: caller.subject.clone(),
        }
    }
}

/// Checks why a number is put on the list or taken off.
pub(super) fn reason(written: &str, errors: &mut Errors) {
    errors.text("reason", written, 1, MAX_REASON);
}
