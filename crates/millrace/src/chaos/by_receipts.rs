//! Messages whose carrier cannot be asked about them, as WhatsApp: it lists nothing and tells of no
//! text by its id, so receipts are all the evidence. One whose receipts were all lost stays `sent`
//! and is over at the receipt horizon; one whose call was cut ends as `unknown`, and is never sent
//! again. Neither is a fault, and there must be few of them.

use carriers::Carrier;
use domain::message::{class::Channel, state::NO_RECEIPT};

use super::reported::ReportedMessage;
use crate::verdict;

/// Fewer than one of them in so many may have no last receipt: the carrier drops one in twenty.
const WITHOUT_RECEIPT_IN: usize = 5;

/// Fewer than one of them in so many may end as unknown: each kill of `send` leaves the calls that
/// were under way.
const UNKNOWN_IN: usize = 10;

/// Whether every carrier of a channel tells of a text when it is asked.
pub(super) fn can_be_asked(carriers: &[Carrier], channel: Channel) -> bool {
    let mut of_channel = carriers.iter().filter(|carrier| carrier.channel() == channel);
    of_channel.all(|carrier| carrier.abilities().fetches && carrier.abilities().lists)
}

/// Whether the horizon has ended the wait for its receipt: it stays as it is.
pub(super) fn is_without_receipt(told: &ReportedMessage) -> bool {
    told.state == "sent" && told.code.as_deref() == Some(NO_RECEIPT)
}

/// Whether it may be told otherwise than at the carrier, whose status of it is `there`.
pub(super) fn is_excused(told: &ReportedMessage, there: Option<&str>) -> bool {
    let is_without_receipt = is_without_receipt(told) && there.is_some();
    !told.can_be_asked && (is_without_receipt || told.state == "unknown")
}

/// Checks that no such message is open, and that few had to do without evidence.
pub(super) fn final_states(all: &[ReportedMessage], wrong: &mut Vec<String>) {
    let count = |is: &dyn Fn(&ReportedMessage) -> bool| all.iter().filter(|told| is(told)).count();
    let open =
        count(&|told| verdict::OPEN.contains(&told.state.as_str()) && !is_without_receipt(told));
    if open > 0 {
        wrong.push(format!("{open} messages that no carrier can be asked about are open"));
    }

    let (silent, unknown) = (count(&is_without_receipt), count(&|told| told.state == "unknown"));
    if silent > 0 && silent * WITHOUT_RECEIPT_IN >= all.len() {
        wrong.push(format!("{silent} of {} messages have no receipt", all.len()));
    }
    if unknown > 0 && unknown * UNKNOWN_IN >= all.len() {
        wrong.push(format!("{unknown} of {} messages ended as unknown", all.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(state: &str, code: Option<&str>, can_be_asked: bool) -> ReportedMessage {
        let (id, state) = ("1".to_owned(), state.to_owned());
        ReportedMessage { id, state, code: code.map(str::to_owned), can_be_asked, cost: 0 }
    }

    #[test]
    fn whatsapp_cannot_be_asked_and_the_carriers_of_sms_can() {
        let all = [Carrier::Twilio, Carrier::Bandwidth, Carrier::WhatsappCloud];
        assert!(can_be_asked(&all, Channel::Sms));
        assert!(!can_be_asked(&all, Channel::Whatsapp));
    }

    #[test]
    fn what_is_known_of_neither_side_is_excused_where_nobody_can_be_asked() {
        let over = told("sent", Some(NO_RECEIPT), false);
        assert!(is_excused(&over, Some("delivered")));
        assert!(!is_excused(&over, None), "the carrier has named it, and does not have it");
        assert!(is_excused(&told("unknown", None, false), None));
        assert!(!is_excused(&told("unknown", None, true), None));
        assert!(!is_excused(&told("sent", None, false), Some("delivered")), "it is open");
    }

    #[test]
    fn open_messages_are_wrong_and_so_are_many_without_evidence() {
        let found = |of: &[ReportedMessage]| {
            let mut wrong = Vec::new();
            final_states(of, &mut wrong);
            wrong.len()
        };
        let delivered = || (0..9).map(|_| told("delivered", None, false));
        let over = || told("sent", Some(NO_RECEIPT), false);

        assert_eq!(found(&[]), 0);
        assert_eq!(found(&delivered().chain([over()]).collect::<Vec<_>>()), 0);
        assert_eq!(found(&delivered().chain([told("sent", None, false)]).collect::<Vec<_>>()), 1);
        assert_eq!(
            found(&delivered().chain([told("unknown", None, false)]).collect::<Vec<_>>()),
            1
        );
        assert_eq!(found(&[over()]), 1);
    }
}
