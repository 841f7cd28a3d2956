//! What changes when somebody says something about people: by the API, in bulk or by a file. One
//! code for all of them, and for the preview, so that they cannot disagree.

mod edit;
mod found;
mod input;
mod instant;
mod plan;
mod read;

use std::collections::{BTreeMap, HashMap};

use domain::{address::Address, ids::ContactId, message::class::Channel};
use stage::Fault;
use store::{
    Scoped, contacts,
    recipients::{consent, list},
    settings::tenants,
};

pub(crate) use edit::{Edit, edited};
pub(crate) use found::found;
pub(crate) use input::{Input, Recorder};
pub(crate) use instant::moment;
pub(crate) use plan::Outcome;
pub(crate) use read::{MAX_ATTRIBUTES, Raw, RawConsent, RawStop, Reference, read};

use plan::plan;

/// What is said of somebody for whom the company's plan has no room.
pub(crate) const OVER_PLAN: &str =
    "the plan has no room for more contacts: whoever runs the platform raises it";

/// What becomes of people who are compared with what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writing {
    /// The difference is written.
    Yes,
    /// Nothing is: a preview, of people after so many who would be new.
    No { new_before: u64 },
}

/// Compares people with what is stored and, if asked to, writes the difference. Each number may be
/// in `inputs` once; several may be one contact's, of which each adds to what those before it say.
/// The outcomes are in the order of the inputs. Who is new while the company's plan has no room is
/// left out, unless what is said of them stops texts: that counts always.
///
/// # Errors
/// An outage, or a text that Postgres cannot store.
pub(crate) async fn apply(
    tx: &mut Scoped,
    by: &Recorder,
    inputs: &[Input],
    writing: Writing,
) -> Result<Vec<Outcome>, Fault> {
    // load
    let write = writing == Writing::Yes;
    let own = |input: &Input| ContactId::of(&by.tenant, input.number.as_str()).0;
    let cards: Vec<_> = inputs.iter().map(|input| (&by.tenant, own(input))).collect();
    let owners = contacts::set::owners(tx, &cards).await?;
    let id = |input: &Input| owners.get(&own(input)).copied().unwrap_or_else(|| own(input));
    let ids: Vec<_> = inputs.iter().map(id).collect();
    let addresses: Vec<_> = inputs.iter().map(|input| Address::from(input.number)).collect();
    let known = contacts::load(tx, &by.tenant, &ids, write).await?;
    let known: HashMap<_, _> = known.into_iter().map(|row| (row.contact_id, row)).collect();
    let recipients = list::load(tx, &by.tenant, &addresses, Channel::Sms, write).await?;
    let recipients: HashMap<_, _> =
        recipients.into_iter().map(|row| (row.address.clone(), row)).collect();
    let is_any_new = inputs.iter().any(|input| !known.contains_key(&id(input)));
    let mut left = match is_any_new {
        true => tenants::contacts_left(tx, &by.tenant).await?,
        false => None,
    };
    if let (Some(left), Writing::No { new_before }) = (&mut left, writing) {
        *left = left.saturating_sub(new_before);
    }

    // decide
    let mut outcomes = Vec::with_capacity(inputs.len());
    let (mut changed, mut changes) = (BTreeMap::new(), Vec::new());
    for input in inputs {
        let before = changed.get(&id(input)).or_else(|| known.get(&id(input)));
        let plan = plan(by, input, before, recipients.get(input.number.as_str()));
        if plan.outcome == Outcome::Created {
            if left == Some(0) && !plan.changes.iter().any(|change| change.action.stops()) {
                outcomes.push(Outcome::OverPlan);
                continue;
            }
            left = left.map(|left| left.saturating_sub(1));
        }
        outcomes.push(plan.outcome);
        changed.extend(plan.contact.map(|contact| (contact.contact_id, contact)));
        changes.extend(plan.changes);
    }

    // record
    if write && !changed.is_empty() {
        contacts::save(tx, &by.tenant, &changed.into_values().collect::<Vec<_>>()).await?;
    }
    if write && !changes.is_empty() {
        consent::record(tx, by.now, &changes).await?;
    }
    Ok(outcomes)
}
