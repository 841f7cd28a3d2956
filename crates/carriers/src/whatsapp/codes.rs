//! Error codes of the Cloud API: cause and next step in words. The same codes answer a call and
//! come with statuses. What a code says of a call that it answers is in `classify`.
//!
//! Source: Meta's "Error codes" of the Cloud API, 2026-05-15, and the SDK pywa 4.5.

use crate::answer::{CodeInfo, info};

/// Messages that people blocked or reported as spam, or an account that broke a policy.
pub(crate) const COMPLAINTS: &[u32] = &[368, 131_048];

/// People who have stopped the marketing of a business in WhatsApp itself.
pub(crate) const MARKETING_STOPS: &[u32] = &[131_050];

/// Cause and next step of a code. One that the table does not list gets an entry that says so
/// (`code` 0).
pub fn cause(code: u32) -> &'static CodeInfo {
    // Meta cannot tell who is calling: the token again, by another number.
    let code = if code == 0 { 190 } else { code };
    match TABLE.binary_search_by_key(&code, |info| info.code) {
        Ok(index) => &TABLE[index],
        Err(_) if (200..=299).contains(&code) => &PERMISSION,
        Err(_) if (133_000..=133_015).contains(&code) => &REGISTRATION,
        Err(_) => &UNLISTED,
    }
}

static UNLISTED: CodeInfo = CodeInfo {
    code: 0,
    cause: "WhatsApp reported an error that this version does not know",
    next_step: "Look the code up in Meta's list of error codes; do not resend blindly",
    opt_out: false,
};

static PERMISSION: CodeInfo = CodeInfo {
    code: 200,
    cause: "the access token may not do this",
    next_step: "Give the system user whatsapp_business_messaging and access to the account",
    opt_out: false,
};

static REGISTRATION: CodeInfo = CodeInfo {
    code: 133_000,
    cause: "the number is not registered as it must be",
    next_step: "Register the number again in WhatsApp Manager, or send from another one",
    opt_out: false,
};

/// Sorted by code.
#[rustfmt::skip]
static TABLE: &[CodeInfo] = &[
    info(1, "Meta met an error that it does not explain",
        "Do not send it again before its status is known"),
    info(2, "Meta's service was not available for the moment",
        "Do not send it again before its status is known"),
    info(3, "the app may not make this call", "Check the app's permissions at Meta"),
    info(4, "the app makes too many calls",
        "Nothing to do: sending slows down by itself; spread the load if it stays"),
    info(10, "the access token may not do this",
        "Give the system user whatsapp_business_messaging and access to the account"),
    info(33, "Meta knows no such id, or the access token may not see it",
        "Correct the sender, whose number is the phone number id that Meta shows, or the account's \
        id, which is that of the WhatsApp Business Account"),
    info(100, "the request was not valid",
        "Check sender, recipient, template and parameters; report it if they are right"),
    info(190, "the access token has expired or was withdrawn",
        "Enter a new token of a system user, which does not expire"),
    info(368, "the account is blocked for violations of Meta's policies",
        "See the account's state in Meta Business Support, and ask for a review"),
    info(80_007, "the WhatsApp Business Account makes too many calls",
        "Nothing to do: sending slows down by itself; lower the pace if it stays"),
    info(130_429, "the number sends faster than WhatsApp lets it",
        "Nothing to do: sending slows down by itself; lower the sender's pace if it stays"),
    info(130_472, "the person is part of an experiment of Meta and gets no marketing messages",
        "Do not send marketing to this person on WhatsApp; use SMS"),
    info(130_497, "the account may not message people in this country",
        "Leave the country out, or use another channel for it"),
    info(131_000, "WhatsApp met an error that it does not explain",
        "Do not send it again before its status is known"),
    info(131_005, "the access token may not do this",
        "Give the system user whatsapp_business_messaging and access to the account"),
    info(131_008, "a parameter of the request is missing",
        "Give every parameter that the template has; report it if they are all there"),
    info(131_009, "a parameter of the request is not valid",
        "Check the template's parameters and the recipient's number"),
    info(131_016, "WhatsApp could not take messages for the moment",
        "Nothing to do: it is tried again"),
    info(131_021, "sender and recipient are the same number", "Send to another number"),
    info(131_026, "the message cannot be delivered: the person is not on WhatsApp, has an old \
        version of it, or has not accepted its terms",
        "Use SMS for this person"),
    info(131_030, "a test number may message listed recipients alone",
        "Add the recipient to the test number's list, or send from a real number"),
    info(131_031, "the WhatsApp Business Account is locked",
        "See the account's state in WhatsApp Manager, and ask for a review"),
    info(131_037, "the number's display name is not approved",
        "Have the display name approved in WhatsApp Manager"),
    info(131_042, "the WhatsApp Business Account has no valid way to pay",
        "Correct the account's payment method in WhatsApp Manager"),
    info(131_044, "the WhatsApp Business Account has no valid way to pay",
        "Correct the account's payment method in WhatsApp Manager"),
    info(131_045, "the number's registration is not complete",
        "Register the number again in WhatsApp Manager"),
    info(131_047, "more than 24 hours have passed since the person last wrote",
        "Send a template: free texts go out within 24 hours of the person's message alone"),
    info(131_048, "too many messages of the number were blocked or reported as spam",
        "Stop the campaign, review content and consent, and see the number's quality rating"),
    info(131_049, "WhatsApp held it back: the person gets enough marketing messages for now",
        "Do not send marketing to this person within a day; it is no opt-out"),
    info(131_050, "the person has stopped marketing messages of this number on WhatsApp",
        "Send no marketing to this person on WhatsApp until they allow it again"),
    info(131_051, "WhatsApp does not take messages of this type", "Send another type of message"),
    info(131_052, "media that the person sent could not be fetched",
        "Ask the person to send it again"),
    info(131_053, "the media of the message could not be read",
        "Check the media's address, type and size, and send once more"),
    info(131_056, "too many messages went to this person from this number in a short time",
        "Nothing to do: it is sent later; send one message where several are meant"),
    info(131_057, "the account is in maintenance, as when its limits are raised",
        "Nothing to do: it is tried again"),
    info(131_062, "this message cannot be sent to a user id",
        "Ask the person for their number, or use a message that takes user ids"),
    info(131_063, "marketing templates are not enabled for this account on the Cloud API",
        "See the account's settings for marketing messages in WhatsApp Manager"),
    info(131_064, "the number's limit was lowered because templates had a wrong category",
        "Correct the templates' categories, and see the account in WhatsApp Manager"),
    info(132_000, "the parameters are not as many as the template has",
        "Give as many parameters as the template has variables"),
    info(132_001, "there is no such template in this language, or it is not approved",
        "Choose an approved template and one of its languages"),
    info(132_005, "the text is too long once the template is filled",
        "Shorten the parameters"),
    info(132_007, "the template's text violates a policy of WhatsApp",
        "See why in WhatsApp Manager, and correct the template"),
    info(132_008, "a parameter's value is not of the kind that the template asks for",
        "Correct the parameter"),
    info(132_012, "a parameter's form is not the one that the template asks for",
        "Give the parameters as the template has them"),
    info(132_015, "the template is paused because its quality is low",
        "Edit the template, or use another one, until WhatsApp takes it up again"),
    info(132_016, "the template is disabled for good because its quality is low",
        "Create another template"),
    info(132_018, "a parameter's value holds what templates may not hold",
        "Leave line breaks, tabs and runs of spaces out of parameters"),
    info(132_068, "the flow of the template is blocked", "See the flow in WhatsApp Manager"),
    info(132_069, "the flow of the template is slowed down", "Send again later"),
    info(133_010, "the number is not registered with the Cloud API",
        "Register the number, then send again"),
    info(133_016, "the number was registered or taken off too often in a short time",
        "Wait some hours, and register the number then"),
    info(135_000, "WhatsApp could not send the message, and does not say why",
        "Do not send it again before its status is known"),
    info(137_000, "the person's identity has changed", "Send again without the identity's hash"),
];

#[cfg(test)]
mod tests {
    use domain::gates::Stops;

    use super::*;
    use crate::whatsapp::answered;

    #[test]
    fn the_table_is_sorted_so_that_every_entry_is_found() {
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        assert!(TABLE.len() > 45, "{} codes", TABLE.len());
        for listed in TABLE {
            assert_eq!(cause(listed.code), listed);
        }
    }

    #[test]
    fn every_entry_has_words_and_says_what_it_is_to_a_call() {
        for info in TABLE {
            assert!(info.cause.len() > 10 && info.next_step.len() > 10, "{}", info.code);
            assert!(!info.cause.ends_with('.') && !info.next_step.ends_with('.'), "{}", info.code);
            assert!(answered(info.code).is_some(), "{} is no answer to a call", info.code);
        }
    }

    #[test]
    fn every_permission_and_registration_is_explained() {
        assert_eq!(cause(294), &PERMISSION);
        assert_eq!(cause(133_006), &REGISTRATION);
        assert_eq!(cause(133_010).code, 133_010);
        assert_eq!(cause(0).code, 190, "and is not taken for a code that is not listed");
    }

    #[test]
    fn a_stop_of_marketing_is_no_stop_of_everything() {
        assert!(TABLE.iter().all(|info| !info.opt_out));
        for code in MARKETING_STOPS {
            assert_eq!(cause(*code).code, *code);
            assert_eq!(crate::Carrier::WhatsappCloud.wish(*code), Some(Stops::Marketing));
        }
        assert_eq!(crate::Carrier::WhatsappCloud.wish(131_049), None, "it is Meta's own limit");
    }
}
