//! Which messages of a list are wanted: what callers may ask for, and what is wrong with it.

use carriers::Carrier;
use domain::{
    address::Address,
    country::Country,
    ids::{CampaignId, SenderId},
    message::{class::MessageClass, state::MessageState},
};
use jiff::Timestamp;
use serde::Deserialize;
use store::messages::read::MessageFilter;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    document::examples,
    fields,
    http::{Errors, Problem},
};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Those to this number, in E.164 or as people of the tenant's country write it.
    #[param(min_length = 1, max_length = 64, example = json!(examples::PHONE))]
    to: Option<String>,
    /// Those of this campaign; beside `to`, one that there is not has none.
    campaign: Option<Uuid>,
    /// Those that were accepted at this instant or later.
    #[param(example = "2026-01-01T00:00:00Z")]
    since: Option<Timestamp>,
    /// Those that were accepted before this instant.
    #[param(example = "2027-01-01T00:00:00Z")]
    until: Option<Timestamp>,
    /// Those in one of these states, separated by commas: `accepted`, `deferred`, `held`, `queued`,
    /// `in_doubt`, `sent`, `blocked`, `cancelled`, `expired`, `failed`, `unknown`, `delivered`,
    /// `read`.
    #[param(pattern = "^([a-z_]+(,[a-z_]+)*)?$", max_length = 200, example = "sent,delivered")]
    status: Option<String>,
    /// Those of this class.
    #[param(value_type = Option<MessageClass>, inline, example = "promo")]
    class: Option<String>,
    /// Those that this sender carries.
    #[param(example = json!(examples::SENDER))]
    sender: Option<Uuid>,
    /// Those whose sender is at this carrier.
    #[param(max_length = 64, example = json!(Carrier::ALL[0].as_str()))]
    carrier: Option<String>,
    /// Those with this reason of a gate, or this error of the carrier.
    #[param(max_length = 64)]
    code: Option<String>,
}

/// The filter that the query asks for, or everything that is wrong with it.
pub(super) fn filter(wanted: Wanted, home: Option<Country>) -> Result<MessageFilter, Problem> {
    let mut errors = Errors::default();
    let to = wanted.to.as_deref();
    let number = to.and_then(|to| fields::number("to", to, home, &mut errors));
    let states = states(wanted.status.as_deref().unwrap_or_default(), &mut errors);

    let class = wanted.class.as_deref().map(MessageClass::from_name);
    let names = MessageClass::ALL.map(MessageClass::as_str).join(", ");
    errors.check(class != Some(None), "class", "unknown", &names);

    let carrier = wanted.carrier.as_deref();
    let is_known = carrier.is_none_or(|name| Carrier::from_name(name).is_some());
    let names: Vec<_> = Carrier::ALL.iter().map(|carrier| carrier.as_str()).collect();
    errors.check(is_known, "carrier", "unknown", &names.join(", "));
    errors.done()?;

    Ok(MessageFilter {
        states,
        class: class.flatten(),
        sender: wanted.sender.map(SenderId),
        carrier: wanted.carrier,
        contacts: Vec::new(),
        campaign: wanted.campaign.map(CampaignId),
        code: wanted.code,
        address: number.map(Address::from),
        since: wanted.since,
        until: wanted.until,
    })
}

/// Reads names of states that are separated by commas.
fn states(written: &str, errors: &mut Errors) -> Vec<MessageState> {
    let names = written.split(',').map(str::trim).filter(|name| !name.is_empty());
    let read: Vec<Option<MessageState>> = names.map(MessageState::from_name).collect();
    let known = MessageState::ALL.map(MessageState::as_str).join(", ");
    errors.check(read.iter().all(Option::is_some), "status", "unknown", &known);
    read.into_iter().flatten().collect()
}
