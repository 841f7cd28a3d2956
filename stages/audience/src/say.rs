//! What a campaign says: a message to each recipient.

use jiff::{SignedDuration, Timestamp};
use store::campaigns::audience::{FedRecipient, RunningCampaign};
use wire::{
    Subject, Submitted,
    frame::Outgoing,
    message::{Content, From, Head},
};

/// The message to one recipient. The address was validated when the contact was made, so it reads
/// as one and there is a message.
pub(crate) fn message(
    now: Timestamp,
    campaign: &RunningCampaign,
    to: &FedRecipient,
) -> Option<Outgoing> {
    let validity = campaign.validity_seconds.map(|s| SignedDuration::from_secs(s.into()));
    let head = Head {
        id: to.message,
        tenant: campaign.tenant.clone(),
        turn: 1,
        class: campaign.class,
        channel: campaign.channel,
        to: to.address.parse().ok()?,
        campaign: Some(campaign.id),
        submitted_at: now,
        expires_at: validity.map(|validity| now + validity),
        on_late: None,
        trace: None,
    };

    let message = Submitted {
        head,
        content: Content::Campaign,
        from: From::Pool(campaign.pool),
        body_hash: String::new(),
        metadata: Default::default(),
        batch: None,
    };
    Some(Outgoing::new(Subject::Submitted(campaign.class.lane()), &message.with_body_hash()))
}
