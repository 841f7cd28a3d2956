//! Opt-outs that a carrier tells of: a refused send or a failed receipt whose code says that the
//! person wants no more texts, or no more marketing.

use domain::{
    address::Address,
    gates::Stops,
    ids::{ContactId, MessageId, TenantId, event_id},
    message::class::Channel,
};
use jiff::Timestamp;
use stage::Fault;
use wire::event::{ContactData, Event, EventKind};

use crate::{
    Scoped,
    recipients::consent::{self, Action, ConsentChange, ConsentMethod, Proof},
};

/// What an entry of the do-not-contact list gives as its reason.
const REASON: &str = "stopped marketing at the carrier";

/// One opt-out. The message that brought it to light names it: a repeat is the same opt-out.
#[derive(Debug, Clone)]
pub struct CarrierOptOut<'a> {
    /// The tenant that owns the message.
    pub tenant: &'a TenantId,
    /// The message that the carrier turned down.
    pub message: MessageId,
    /// The person who opted out.
    pub contact: ContactId,
    /// The address that the text went to.
    pub address: &'a Address,
    /// The channel that they left.
    pub channel: Channel,
    /// Whether they want nothing any more, or no marketing alone.
    pub stops: Stops,
    /// The carrier's code.
    pub code: u32,
    /// Business time at which the carrier told.
    pub at: Timestamp,
    /// The stage that learned of it.
    pub by: &'static str,
}

impl CarrierOptOut<'_> {
    /// `contact.opted_out`; the same message always makes the same event, so that it may be
    /// published again. None where marketing alone is stopped: that is no opt-out.
    pub fn event(&self) -> Option<Event> {
        let data = ContactData {
            contact: self.contact,
            cause: "carrier".into(),
            campaign: None,
            merged: None,
        };
        let kind = EventKind::ContactOptedOut;
        match self.stops {
            Stops::All => Some(Event::new(kind, self.tenant, self.message.0, 1, self.at, &data)),
            Stops::Marketing => None,
        }
    }
}

/// Records the opt-outs: see [`consent::record`]. One that was recorded before changes nothing.
pub async fn opt_out(tx: &mut Scoped, told: &[CarrierOptOut<'_>]) -> Result<(), Fault> {
    let Some(now) = told.iter().map(|one| one.at).max() else { return Ok(()) };
    let changes: Vec<ConsentChange> = told.iter().map(change).collect();
    consent::record(tx, now, &changes).await
}

fn change(one: &CarrierOptOut<'_>) -> ConsentChange {
    let (action, stops, source) = match one.stops {
        Stops::All => (Action::Revoke, None, None),
        Stops::Marketing => (Action::DoNotContact, Some(one.stops), Some(REASON.to_owned())),
    };

    ConsentChange {
        tenant: one.tenant.clone(),
        // That of the event that says it, where there is one.
        consent_id: event_id(one.message.0, EventKind::ContactOptedOut.as_str(), 1),
        address: one.address.clone(),
        channel: one.channel,
        action,
        program: None,
        stops,
        method: ConsentMethod::Carrier,
        language: None,
        source,
        proof: Proof::default(),
        evidence: serde_json::json!({ "message": one.message, "code": one.code }),
        at: one.at,
        recorded_by: format!("stage:{}", one.by),
    }
}
