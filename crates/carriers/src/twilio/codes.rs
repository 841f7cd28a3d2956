//! Twilio's error codes as the answer to a send (synchronous): what each says about the message's
//! verdict, and its cause and next step in words. Source: Twilio's error catalogue.

use std::time::Duration;

use crate::answer::{AccountVerdict, CodeInfo, Refusal, ThrottleScope};

/// Cause and next step of a Twilio code, whether it came with the answer to a send, with a delivery
/// report or about a number. A code that no table lists gets an entry that says so (`code` 0).
pub fn cause(code: u32) -> &'static CodeInfo {
    if let Some(row) = row(code) {
        return &row.info;
    }
    let tables = [super::delivery_codes::TABLE, super::number_codes::TABLE];
    let find = |table: &'static [CodeInfo]| {
        let index = table.binary_search_by_key(&code, |info| info.code).ok()?;
        table.get(index)
    };
    tables.into_iter().find_map(find).unwrap_or(&UNLISTED)
}

/// What a code says of the account that was called.
pub(crate) fn account_verdict(code: u32) -> AccountVerdict {
    match row(code).map(|row| row.verdict) {
        Some(CodeVerdict::AccountStopped) => AccountVerdict::Refused,
        Some(CodeVerdict::Throttled(..) | CodeVerdict::Ambiguous) => AccountVerdict::Later,
        Some(CodeVerdict::Refused(_)) | None => AccountVerdict::Unsaid,
    }
}

/// What a code in the answer to a send means for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CodeVerdict {
    /// Never sent, and never will be.
    Refused(Refusal),
    /// Never processed, may be tried again; holds for exactly this HTTP status.
    Throttled(ThrottleScope, Option<Duration>),
    /// The account or its credentials are stopped; this text was not taken.
    AccountStopped,
    /// Says nothing certain.
    Ambiguous,
}

pub(super) struct Row {
    /// The HTTP status that Twilio sends the code with.
    pub(super) http: u16,
    pub(super) verdict: CodeVerdict,
    pub(super) info: CodeInfo,
}

/// The row of a code, if the table lists it.
pub(super) fn row(code: u32) -> Option<&'static Row> {
    TABLE.binary_search_by_key(&code, |row| row.info.code).ok().map(|index| &TABLE[index])
}

static UNLISTED: CodeInfo = CodeInfo {
    code: 0,
    cause: "Twilio reported an error that this version does not know",
    next_step: "Look the code up at twilio.com/docs/api/errors; do not resend blindly",
    opt_out: false,
};

/// A sender's queue holds hours of texts; a minute empties a little of it.
const QUEUE_FULL_WAIT: Duration = Duration::from_secs(60);

const fn row_of(
    http: u16,
    code: u32,
    verdict: CodeVerdict,
    cause: &'static str,
    next_step: &'static str,
) -> Row {
    let opt_out = matches!(verdict, CodeVerdict::Refused(Refusal::OptedOut));
    Row { http, verdict, info: CodeInfo { code, cause, next_step, opt_out } }
}

use CodeVerdict::{AccountStopped, Ambiguous, Refused, Throttled};
use Refusal::{Content, OptedOut, Recipient, Region, Request, Sender};

/// Sorted by code.
#[rustfmt::skip]
static TABLE: &[Row] = &[
    row_of(400, 20001, Refused(Request), "the request held unknown parameters",
        "Report this: the request is built by the platform"),
    row_of(401, 20003, AccountStopped, "Twilio did not accept the account's credentials",
        "Enter the current Account SID and Auth Token of the carrier account"),
    row_of(403, 20005, AccountStopped, "the Twilio account is not active",
        "Reactivate the account in the Twilio console"),
    row_of(403, 20006, AccountStopped, "Twilio denied access to the account",
        "Check the account's state and permissions in the Twilio console"),
    row_of(403, 20403, AccountStopped, "Twilio forbade the call for this account",
        "Check the account's state and permissions in the Twilio console"),
    row_of(404, 20404, AccountStopped, "Twilio knows no such account",
        "Check the Account SID and the base URL of the carrier account"),
    row_of(409, 20409, Ambiguous, "the call conflicted with another one",
        "Nothing to do: the outcome is looked up at Twilio"),
    row_of(429, 20429, Throttled(ThrottleScope::Account, None), "too many calls at once for the account",
        "Nothing to do: sending slows down by itself; lower the account's concurrency if it stays"),
    row_of(500, 20500, Ambiguous, "Twilio had an internal error",
        "Nothing to do: the outcome is looked up at Twilio"),
    row_of(503, 20503, Ambiguous, "Twilio was not available",
        "Nothing to do: the outcome is looked up at Twilio"),
    row_of(400, 21211, Refused(Recipient), "the recipient's number is not valid",
        "Correct the contact's number"),
    row_of(400, 21212, Refused(Sender), "the sender is not valid or may not originate texts",
        "Choose another sender"),
    row_of(400, 21408, Refused(Region), "texts to this country are not enabled for the account",
        "Enable the country in Twilio's geographic permissions, or leave it out"),
    row_of(400, 21602, Refused(Content), "the message has neither text nor media",
        "Give the message a body"),
    row_of(400, 21603, Refused(Sender), "the request named no sender",
        "Add a sender to the pool"),
    row_of(400, 21604, Refused(Recipient), "the request named no recipient",
        "Give the contact a number"),
    row_of(400, 21606, Refused(Sender), "the sender cannot text this destination from this account",
        "Choose a sender of the account that is enabled for texts there"),
    row_of(400, 21608, Refused(Recipient), "a trial account may text verified numbers only",
        "Verify the number with Twilio or upgrade the account"),
    row_of(400, 21609, Refused(Request), "Twilio did not accept the callback URL",
        "Set MILLRACE_PUBLIC_URL to a public address without underscores in its host"),
    row_of(400, 21610, Refused(OptedOut), "the recipient has opted out of this sender",
        "Do not text the recipient again until they reply START"),
    row_of(400, 21611, Throttled(ThrottleScope::Sender, Some(QUEUE_FULL_WAIT)),
        "the sender's queue at Twilio is full",
        "Nothing to do: the sender is slowed; lower its pace or add senders if it stays"),
    row_of(400, 21612, Refused(Recipient), "the recipient cannot be reached from this sender",
        "Use another kind of sender for this destination"),
    row_of(400, 21614, Refused(Recipient), "the number is not a mobile number",
        "Do not text this number; ask the contact for a mobile number"),
    row_of(400, 21617, Refused(Content), "the text is longer than 1,600 characters",
        "Shorten the text"),
    row_of(400, 21620, Refused(Content), "a media address is not valid",
        "Correct the media address"),
    row_of(400, 21623, Refused(Content), "the message has too many media",
        "Send at most ten media"),
    row_of(400, 21624, Refused(Request), "the validity period is outside 1 to 36,000 seconds",
        "Correct the validity period"),
    row_of(400, 21654, Refused(Content), "the content template is missing",
        "Choose a template"),
    row_of(400, 21655, Refused(Content), "Twilio knows no such content template",
        "Choose a template of this account"),
    row_of(400, 21656, Refused(Content), "the template's variables are not valid",
        "Correct the template's variables"),
    row_of(404, 21701, Refused(Sender), "the messaging service does not exist",
        "Choose a messaging service of this account"),
    row_of(400, 21703, Refused(Sender), "the messaging service has no sender for this destination",
        "Add a fitting sender to the messaging service"),
    row_of(400, 21704, Refused(Sender), "the messaging service has no senders",
        "Add a sender to the messaging service"),
    row_of(400, 21705, Refused(Sender), "the messaging service's id is not valid",
        "Choose a messaging service of this account"),
    row_of(400, 90007, Refused(Request), "the validity period is outside 1 to 36,000 seconds",
        "Correct the validity period"),
];

#[cfg(test)]
mod tests {
    use super::{TABLE, cause, row};
    use crate::twilio::{delivery_codes, number_codes};

    #[test]
    fn all_tables_are_sorted_so_that_every_entry_is_found() {
        assert!(TABLE.is_sorted_by(|a, b| a.info.code < b.info.code));
        assert!(delivery_codes::TABLE.is_sorted_by(|a, b| a.code < b.code));
        for listed in TABLE {
            assert_eq!(cause(listed.info.code), &listed.info);
            assert!(row(listed.info.code).is_some());
        }
        assert!(number_codes::TABLE.is_sorted_by(|a, b| a.code < b.code));
        for listed in delivery_codes::TABLE.iter().chain(number_codes::TABLE) {
            assert_eq!(cause(listed.code), listed);
            assert!(row(listed.code).is_none(), "{} is in two tables", listed.code);
        }
    }

    #[test]
    fn every_entry_has_words_and_only_the_recipients_own_wish_is_an_opt_out() {
        let all = TABLE.iter().map(|row| &row.info).chain(delivery_codes::TABLE);
        let all = all.chain(number_codes::TABLE);
        let mut opt_outs = Vec::new();
        for info in all {
            assert!(info.cause.len() > 10 && info.next_step.len() > 10, "{}", info.code);
            assert!(!info.cause.ends_with('.') && !info.next_step.ends_with('.'), "{}", info.code);
            if info.opt_out {
                opt_outs.push(info.code);
            }
        }
        assert_eq!(opt_outs, [21610, 63014, 63033]);
    }

    #[test]
    fn a_code_that_is_not_listed_says_so() {
        for code in [0, 1, 30037, 30040, 30453, 99999, u32::MAX] {
            assert_eq!(cause(code).code, 0);
            assert!(!cause(code).opt_out);
        }
    }
}
