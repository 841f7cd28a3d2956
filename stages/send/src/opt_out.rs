//! The opt-out that a carrier tells of by refusing a text.

use carriers::Carrier;
use domain::{gates::Stops, message::class::MessageClass};
use jiff::Timestamp;
use stage::StageName;
use store::recipients::opt_out::CarrierOptOut;
use wire::Admitted;

/// The opt-out that the carrier told of with this code at that time. None for an answer that the
/// law asks for: a carrier that refuses the confirmation of an opt-out tells nothing new.
pub(crate) fn told_by(
    message: &Admitted,
    carrier: Option<Carrier>,
    code: u32,
    at: Timestamp,
) -> Option<CarrierOptOut<'_>> {
    let head = &message.message.head;
    let stops = carrier.and_then(|carrier| carrier.wish(code)).unwrap_or(Stops::All);
    (head.class != MessageClass::Compliance).then(|| CarrierOptOut {
        tenant: &head.tenant,
        message: head.id,
        contact: message.message.contact,
        address: &head.to,
        channel: head.channel,
        stops,
        code,
        at,
        by: StageName::Send.as_str(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::tests::admitted;

    #[test]
    fn who_stops_marketing_alone_has_not_opted_out() {
        let message = admitted(MessageClass::Promo);
        let told = |carrier, code| {
            let told = told_by(&message, Some(carrier), code, Timestamp::UNIX_EPOCH);
            let told = told.expect("it is a wish");
            (told.stops, told.event().is_some())
        };
        assert_eq!(told(Carrier::WhatsappCloud, 131_050), (Stops::Marketing, false));
        assert_eq!(told(Carrier::Twilio, 21610), (Stops::All, true));

        let confirmation = admitted(MessageClass::Compliance);
        let told = told_by(&confirmation, Some(Carrier::Twilio), 21610, Timestamp::UNIX_EPOCH);
        assert!(told.is_none(), "it tells nothing new");
    }
}
