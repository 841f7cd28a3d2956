//! The keywords that Twilio itself answers and acts on by default, so that we do not answer them a
//! second time. Our own opt-out list is wider and lives in `domain`.
//!
//! Not so for short codes outside a messaging service: there Twilio does nothing by default, and
//! the account's settings must say so.

use super::webhook::{InboundMessage, OptOutType};
use crate::report::KeywordGroup;

/// Block the sender (or the whole messaging service) for the recipient, and confirm.
pub const OPT_OUT_KEYWORDS: [&str; 8] =
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];

/// Lift the block, and confirm.
pub const OPT_IN_KEYWORDS: [&str; 3] = ["START", "UNSTOP", "YES"];

/// Answer with a help text.
pub const HELP_KEYWORDS: [&str; 2] = ["HELP", "INFO"];

/// The keyword group that Twilio has answered this text for, if any: what Advanced Opt-Out says,
/// else the default rule, which is the keyword alone, in any case, with blanks around it.
pub fn answered_by_carrier(text: &InboundMessage) -> Option<KeywordGroup> {
    match text.opt_out_type {
        Some(OptOutType::Stop) => return Some(KeywordGroup::OptOut),
        Some(OptOutType::Start) => return Some(KeywordGroup::OptIn),
        Some(OptOutType::Help) => return Some(KeywordGroup::Help),
        None => {}
    }
    let word = text.body.trim();
    let is_one_of = |list: &[&str]| list.iter().any(|keyword| word.eq_ignore_ascii_case(keyword));
    if is_one_of(&OPT_OUT_KEYWORDS) {
        Some(KeywordGroup::OptOut)
    } else if is_one_of(&OPT_IN_KEYWORDS) {
        Some(KeywordGroup::OptIn)
    } else if is_one_of(&HELP_KEYWORDS) {
        Some(KeywordGroup::Help)
    } else {
        None
    }
}
