//! Opt-outs that a carrier tells of: a refused send or a failed receipt whose code says that the
//! person wants no more texts.

use domain::{
    address::Address,
    ids::{ContactId, MessageId, TenantId},
    message::class::Channel,
};
use jiff::Timestamp;
use stage::Fault;
use wire::event::{ContactData, Event, EventKind};

use crate::{
    Scoped,
    recipients::consent::{self, Action, ConsentChange, ConsentMethod, Proof},
};

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
    /// The carrier's code.
    pub code: u32,
    /// Business time at which the carrier told.
    pub at: Timestamp,
    /// The stage that learned of it.
    pub by: &'static str,
}

impl CarrierOptOut<'_> {
    /// `contact.opted_out`; the same message always makes the same event, so that it may be
    /// published again.
    pub fn event(&self) -> Event {
        let data = ContactData {
            contact: self.contact,
            cause: "carrier".into(),
            campaign: None,
            merged: None,
        };
        let kind = EventKind::ContactOptedOut;
        Event::new(kind, self.tenant, self.message.0, 1, self.at, &data)
    }
}

/// Records the opt-outs: see [`consent::record`]. One that was recorded before changes nothing.
pub async fn opt_out(tx: &mut Scoped, told: &[CarrierOptOut<'_>]) -> Result<(), Fault> {
    let Some(now) = told.iter().map(|one| one.at).max() else { return Ok(()) };
    let changes: Vec<ConsentChange> = told.iter().map(change).collect();
    consent::record(tx, now, &changes).await
}

fn change(one: &CarrierOptOut<'_>) -> ConsentChange {
    ConsentChange {
        tenant: one.tenant.clone(),
        consent_id: one.event().id,
        address: one.address.clone(),
        channel: one.channel,
        action: Action::Revoke,
        program: None,
        stops: None,
        method: ConsentMethod::Carrier,
        language: None,
        source: None,
        proof: Proof::default(),
        evidence: serde_json::json!({ "message": one.message, "code": one.code }),
        at: one.at,
        recorded_by: format!("stage:{}", one.by),
    }
}
