//! What a simulation is given: the campaign with its first instant, and recipients whose messages
//! are complete up to the gates.

use jiff::Timestamp;

use crate::{
    address::Address,
    draft::Draft,
    gates::Candidate,
    ids::{CampaignId, ContactId, MessageId, TenantId},
    message::class::{Channel, MessageClass},
};

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Setting {
    /// When everybody is asked first.
    pub at: Timestamp,
    /// The tenant whose campaign it is.
    pub tenant: TenantId,
    /// The campaign that is simulated.
    pub campaign: CampaignId,
    /// What its messages are for.
    pub class: MessageClass,
    /// How its messages travel.
    pub channel: Channel,
    /// Whether it sends a template of the carrier's, which goes out at any time.
    pub is_carrier_template: bool,
}

/// A recipient whose message is complete up to the gates.
#[derive(Debug, Clone)]
pub struct SimulatedRecipient {
    /// The recipient as the tenant knows them.
    pub contact: ContactId,
    /// The message's id: as in the real run, as it spreads deferred messages.
    pub message: MessageId,
    /// The address that it would go to.
    pub address: Address,
    /// When the message is of no use any more.
    pub expires_at: Option<Timestamp>,
    /// The message made complete.
    pub draft: Draft,
}

impl SimulatedRecipient {
    /// The message as the gates see it at the first instant.
    pub(super) fn candidate<'a>(&'a self, setting: &'a Setting) -> Candidate<'a> {
        Candidate {
            id: self.message,
            tenant: &setting.tenant,
            class: setting.class,
            channel: setting.channel,
            is_carrier_template: setting.is_carrier_template,
            address: &self.address,
            campaign: Some(setting.campaign),
            submitted_at: setting.at,
            expires_at: self.expires_at,
            on_late: None,
            cost: self.draft.cost,
            segments: self.draft.segments,
            placed: None,
            place: &self.draft.place,
            senders: &self.draft.senders,
        }
    }
}
