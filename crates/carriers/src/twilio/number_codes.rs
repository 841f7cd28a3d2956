//! Twilio's error codes about phone numbers: orders that are refused, and searches. Source:
//! Twilio's error catalogue.

use crate::answer::{CodeInfo, info};

/// Sorted by code.
#[rustfmt::skip]
pub(super) static TABLE: &[CodeInfo] = &[
    info(21404, "a trial account at Twilio has no more numbers",
        "Upgrade the account at Twilio, or release the number that it has"),
    info(21421, "the number is not valid", "Order a number that a search has given"),
    info(21422, "somebody else has the number", "Search again and order another one"),
    info(21451, "there is no such area code", "Search with another area code"),
    info(21452, "Twilio has no numbers in this area code", "Search with another area code"),
    info(21615, "numbers of this country need an address of the account",
        "Enter an address in Twilio's console, and order the number there"),
    info(21631, "numbers of this country need a regulatory bundle",
        "Have a bundle approved in Twilio's console, and order the number there"),
    info(21649, "numbers of this country need a regulatory bundle",
        "Have a bundle approved in Twilio's console, and order the number there"),
];
