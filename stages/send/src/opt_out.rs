//! The opt-out that a carrier tells of by refusing a text.

use domain::message::class::MessageClass;
use jiff::Timestamp;
use stage::StageName;
use store::recipients::opt_out::CarrierOptOut;
use wire::Admitted;

/// The opt-out that the carrier told of with this code at that time. None for an answer that the
/// law asks for: a carrier that refuses the confirmation of an opt-out tells nothing new.
pub(crate) fn told_by(message: &Admitted, code: u32, at: Timestamp) -> Option<CarrierOptOut<'_>> {
    let head = &message.message.head;
    (head.class != MessageClass::Compliance).then(|| CarrierOptOut {
        tenant: &head.tenant,
        message: head.id,
        contact: message.message.contact,
        address: &head.to,
        channel: head.channel,
        code,
        at,
        by: StageName::Send.as_str(),
    })
}
