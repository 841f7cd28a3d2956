//! Bandwidth's error codes: cause and next step in words. A call is refused without a code, so the
//! HTTP status stands for one; the codes of four digits come with reports, and two of them with
//! orders of numbers. Of those of reports, 4xxx stays the
//! same when it is repeated, 5xxx may be tried again, and 9xxx does not tell what became of the
//! text.

use crate::answer::{AccountVerdict, CodeInfo, info, opted_out};

/// The text or its encoding is not valid.
pub(super) const BAD_ENCODING: u32 = 4301;

/// The sender is not valid.
pub(super) const BAD_FROM: u32 = 4302;

/// The recipient's number is not valid.
pub(super) const BAD_TO: u32 = 4303;

/// The account has no site to order numbers for: a number of ours, below those of HTTP.
pub(super) const NO_SITE: u32 = 90;

/// An order failed, which it does where somebody else has the number: likewise.
pub(super) const NUMBER_TAKEN: u32 = 91;

/// The account API's own codes that this version knows: what it says of orders in `<Code>`. None of
/// them is a code of a report.
const OF_ORDERS: [u32; 2] = [5005, 5070];

/// The code of an order that the account API names, where this version knows it: it has more than
/// its HTTP status says.
pub(super) fn of_order(named: &str) -> Option<u32> {
    named.parse().ok().filter(|code| OF_ORDERS.contains(code))
}

/// Texts that were filtered or blocked for their content, their volume or their sender.
pub(crate) const COMPLAINTS: &[u32] = &[4470, 4481, 4770, 4771, 4772, 4785];

/// Cause and next step of a code. One that the table does not list gets an entry that says so
/// (`code` 0).
pub fn cause(code: u32) -> &'static CodeInfo {
    match TABLE.binary_search_by_key(&code, |info| info.code) {
        Ok(index) => &TABLE[index],
        Err(_) => &UNLISTED,
    }
}

/// What a code says of the account that was called: those of HTTP do. An account that is not there
/// is answered 404.
pub(crate) fn account_verdict(code: u32) -> AccountVerdict {
    match code {
        401 | 403 | 404 => AccountVerdict::Refused,
        408 | 409 | 429 | 500..=599 => AccountVerdict::Later,
        _ => AccountVerdict::Unsaid,
    }
}

static UNLISTED: CodeInfo = CodeInfo {
    code: 0,
    cause: "Bandwidth reported an error that this version does not know",
    next_step: "Look the code up in Bandwidth's list of error codes; do not resend blindly",
    opt_out: false,
};

/// Sorted by code.
#[rustfmt::skip]
static TABLE: &[CodeInfo] = &[
    info(90, "the account has no site to order numbers for",
        "Make a site with a location in the Bandwidth dashboard, and assign the location to the \
        application"),
    info(91, "the order failed: somebody else has the number, as a rule",
        "Search again and order another number"),
    info(400, "the request was not valid",
        "Check number, sender and text; report it if they are right"),
    info(401, "Bandwidth did not accept the account's credentials",
        "Enter the current API user and password of the carrier account"),
    info(403, "Bandwidth forbade the call for this account",
        "Check the API user's permissions and the account's state in the Bandwidth dashboard"),
    info(404, "Bandwidth knows no such account",
        "Check the account's id and the base URL of the carrier account"),
    info(405, "Bandwidth does not take such a call",
        "Report this: the request is built by the platform"),
    info(406, "Bandwidth does not answer in the form that was asked for",
        "Report this: the request is built by the platform"),
    info(415, "Bandwidth does not read the form of the request",
        "Report this: the request is built by the platform"),
    info(429, "the account's queue at Bandwidth is full",
        "Nothing to do: sending slows down by itself; lower the account's pace if it stays"),
    info(4001, "the account may not send such texts", "Have the service enabled by Bandwidth"),
    info(4301, "the text or its encoding is not valid",
        "Correct the text; it has at most 2,048 characters"),
    info(4302, "the sender is not valid", "Choose another sender"),
    info(4303, "the recipient's number is not valid", "Correct the contact's number"),
    info(4350, "the text has a form that the destination does not take",
        "Shorten the text or leave special characters out"),
    info(4360, "the text expired before it was sent", "Send it again if it still matters"),
    info(4401, "the text could not be routed", "Have the sender's set-up checked by Bandwidth"),
    info(4403, "texts from this sender are forbidden", "Choose another sender"),
    info(4404, "texts to this number are forbidden", "Do not text the number again"),
    info(4405, "the sender's number is not allocated", "Choose another sender"),
    info(4406, "the recipient's number is not allocated",
        "Correct the contact's number or stop texting it"),
    info(4407, "the sender is not a number of the account",
        "Assign the number to the account's application at Bandwidth"),
    info(4408, "the recipient's number has no account", "Do not text the number again"),
    info(4410, "the media could not be fetched", "Correct the media address and send once more"),
    info(4411, "the media is too big", "Shrink the media and send once more"),
    info(4412, "the media has a type that is not taken", "Convert the media and send once more"),
    info(4420, "there is no route to the destination",
        "Leave the destination out, or use another carrier for it"),
    info(4421, "there is no route to the destination",
        "Leave the destination out, or use another carrier for it"),
    info(4431, "the account may not send from short codes",
        "Have short codes enabled by Bandwidth"),
    info(4432, "texts to this country are not allowed",
        "Have the country enabled by Bandwidth, or leave it out"),
    info(4433, "the account may not send from toll-free numbers",
        "Have toll-free numbers enabled by Bandwidth"),
    info(4434, "the account may not send to toll-free numbers", "Leave toll-free numbers out"),
    info(4435, "the message has more than ten recipients", "Send to at most ten recipients"),
    info(4451, "the API user is not of this account", "Enter the API user of the carrier account"),
    info(4452, "the application is not of this account",
        "Enter the application of the carrier account"),
    info(4470, "Bandwidth took the text for spam",
        "Review content and consent; never send it again unchanged"),
    info(4481, "the sender is blocked at Bandwidth",
        "Choose another sender and have this one checked by Bandwidth"),
    info(4482, "the recipient is blocked at Bandwidth", "Do not text the number again"),
    info(4492, "the number is an emergency number", "Never text the number"),
    info(4493, "the account is not authorised to send",
        "Check the account's state in the Bandwidth dashboard"),
    info(4700, "the carrier does not offer such texts",
        "Use another kind of sender for this destination"),
    info(4701, "the destination does not take such texts", "Ask the contact for a mobile number"),
    info(4702, "the phone could not be reached", "Try once more, hours later"),
    info(4711, "the media is too big for the carrier", "Shrink the media and send once more"),
    info(4712, "the carrier does not take media of this type",
        "Convert the media and send once more"),
    info(4720, "the recipient's number is not valid",
        "Correct the contact's number or stop texting it"),
    info(4721, "the recipient's number is out of service", "Stop texting the number"),
    info(4730, "the carrier has no route to the recipient", "Stop texting the number"),
    info(4740, "the carrier does not accept the sender", "Choose another sender"),
    info(4750, "the carrier rejected the text", "Review the text; do not send it again unchanged"),
    info(4751, "the text is too long for the carrier", "Shorten the text"),
    info(4752, "the carrier could not read the text", "Leave special characters out"),
    info(4753, "the handset rejected the text", "Do not send it again unchanged"),
    info(4770, "the carrier took the text for spam",
        "Review content and consent; never send it again unchanged"),
    info(4771, "the carrier rejected a shortened link", "Use a link of your own domain"),
    info(4772, "the carrier blocks the sender or the recipient",
        "Stop texting the number, and review content and consent"),
    info(4773, "the sender's campaign is not active", "Have the campaign's registration checked"),
    info(4774, "the sender is not provisioned for its campaign",
        "Have the number's assignment to its campaign checked"),
    opted_out(4775, "the recipient has opted out at the carrier",
        "Do not text the recipient again until they opt in"),
    info(4780, "the brand's daily limit at the carrier is reached", "Send again on the next day"),
    info(4781, "the campaign's rate at the carrier is exceeded",
        "Lower the pace and send again later"),
    info(4785, "the carrier blocked the text for its volume",
        "Lower the pace and review the content"),
    info(4790, "the carrier does not know the short code",
        "Have the short code checked by Bandwidth"),
    info(4791, "the short code is not active at the carrier",
        "Have the short code checked by Bandwidth"),
    info(4792, "the short code may not text this recipient",
        "Have the short code checked by Bandwidth"),
    info(4793, "the short code may not send such texts",
        "Have the short code checked by Bandwidth"),
    info(4795, "the toll-free number is not verified", "Have the toll-free number verified"),
    info(5005, "the number is not to be had any more: somebody else has it, as a rule",
        "Search again and order another number"),
    info(5070, "the number is not valid", "Order a number that a search has given"),
    info(5100, "Bandwidth could not send for the moment", "Send again later"),
    info(5101, "Bandwidth could not send for the moment", "Send again later"),
    info(5106, "Bandwidth gave the text up after several attempts", "Send once more later"),
    info(5111, "Bandwidth could not send for the moment", "Send again later"),
    info(5201, "Bandwidth gave the text up after several attempts", "Send once more later"),
    info(5211, "Bandwidth could not send for the moment", "Send again later"),
    info(5220, "Bandwidth could not send for the moment", "Send again later"),
    info(5231, "Bandwidth gave the text up after several attempts", "Send once more later"),
    info(5500, "Bandwidth gave the text up after several attempts", "Send once more later"),
    info(5501, "Bandwidth gave the text up after several attempts", "Send once more later"),
    info(5600, "the carrier could not take the text", "Send once more later"),
    info(5610, "the carrier could not take the text", "Send once more later"),
    info(5620, "the carrier could not take the text", "Send once more later"),
    info(5630, "the carrier could not take the text", "Send once more later"),
    info(5650, "the carrier could not take the text", "Send once more later"),
    info(5999, "Bandwidth gave the text up after several attempts", "Send once more later"),
    info(9902, "the carrier gave no receipt within two hours",
        "Do not send it again: it may have arrived"),
    info(9999, "the carrier gave a code that Bandwidth does not know",
        "Do not send it again: it may have arrived"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_so_that_every_entry_is_found() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        assert!(TABLE.len() > 80, "{} codes", TABLE.len());
        for listed in TABLE {
            assert_eq!(cause(listed.code), listed);
        }
    }

    #[test]
    fn every_entry_has_words_and_only_the_recipients_own_wish_is_an_opt_out() {
        let mut opt_outs = Vec::new();
        for info in TABLE {
            assert!(info.cause.len() > 10 && info.next_step.len() > 10, "{}", info.code);
            assert!(!info.cause.ends_with('.') && !info.next_step.ends_with('.'), "{}", info.code);
            if info.opt_out {
                opt_outs.push(info.code);
            }
        }
        assert_eq!(opt_outs, [4775]);
    }

    #[test]
    fn a_code_that_is_not_listed_says_so() {
        assert!(OF_ORDERS.iter().all(|code| cause(*code).code == *code));
        assert_eq!((of_order("5005"), of_order("5100"), of_order("x")), (Some(5005), None, None));
        for code in [0, 1, 402, 4999, 5000, 30003, u32::MAX] {
            assert_eq!(cause(code).code, 0);
            assert!(!cause(code).opt_out);
        }
    }
}
