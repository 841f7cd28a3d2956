//! What is mailed and texted to people who sign in. A text is one segment.

use crate::codes::Letter;

/// What everybody is told who gets a code.
const NOT_YOURS: &str = "If you have not asked for it, leave it: nobody comes in without it.";

/// A code that signs in.
pub(crate) fn sign_in(code: &str) -> Letter {
    Letter {
        subject: "Your code for Millrace",
        text: format!("{code} is your code for Millrace, for ten minutes. {NOT_YOURS}"),
    }
}

/// A link that signs in.
pub(crate) fn link(public_url: &str, token: &str) -> Letter {
    Letter {
        subject: "Your link to Millrace",
        text: format!(
            "This link signs you in to Millrace, once and for ten minutes:\n\n\
             {public_url}/sign-in#{token}\n\n{NOT_YOURS}"
        ),
    }
}

/// A link that brings to a company. It names no company: a stranger may have called theirs what
/// they want to have said to somebody.
pub(crate) fn invited(public_url: &str, code: &str) -> Letter {
    Letter {
        subject: "You are invited to Millrace",
        text: format!(
            "A company that texts its customers through Millrace invites you. This link brings you \
             there, once and for seven days:\n\n{public_url}/sign-in#{code}\n\n\
             If you know of none, leave it."
        ),
    }
}

/// The same as a text, of one segment where the platform's address is not long.
pub(crate) fn invited_by_text(public_url: &str, code: &str) -> Letter {
    Letter {
        subject: "You are invited to Millrace",
        text: format!(
            "You are invited to Millrace. Not yours? Leave it: {public_url}/sign-in#{code}"
        ),
    }
}

/// A code that founds a company. It says no name of theirs: a stranger may have chosen it to have
/// something said to somebody.
pub(crate) fn sign_up(code: &str) -> Letter {
    Letter {
        subject: "Your code for Millrace",
        text: format!("{code} signs you up for Millrace, for ten minutes. {NOT_YOURS}"),
    }
}

/// A code that signs somebody in who wanted to sign up.
pub(crate) fn known_already(code: &str) -> Letter {
    Letter {
        subject: "You have signed up before",
        text: format!("You have signed up for Millrace before: {code} signs you in. {NOT_YOURS}"),
    }
}

/// A code that sets a new password.
pub(crate) fn reset(code: &str) -> Letter {
    Letter {
        subject: "A new password for Millrace",
        text: format!("{code} sets a new password for Millrace, for ten minutes. {NOT_YOURS}"),
    }
}

/// A code that shows whose an address is.
pub(crate) fn prove(code: &str) -> Letter {
    Letter {
        subject: "Is this your address?",
        text: format!("{code} shows Millrace that this address is yours. {NOT_YOURS}"),
    }
}

/// What an address is told that was replaced.
pub(crate) fn replaced() -> Letter {
    Letter {
        subject: "You sign in with another address now",
        text: "Your address at Millrace has been replaced by another. If that was not you, tell \
               whoever looks after people in your company at once."
            .to_owned(),
    }
}

/// What a number is told that signs in no more, as whoever had it had not shown that an address of
/// mail beside it was theirs.
pub(crate) fn taken_away() -> Letter {
    Letter {
        subject: "Your number signs in no more",
        text: "Your number signs in to Millrace no more: the mail beside it was proven to be \
               somebody's. If it is yours, sign in by mail and add your number again."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use domain::encoding::EncodingRule;

    use super::*;

    /// As long as the code of an invitation is.
    const INVITATION: &str = "mr_invite_0123456789012345678901234567890123456789012";

    #[test]
    fn a_text_is_one_segment() {
        for letter in [
            sign_in("417305"),
            sign_up("417305"),
            known_already("417305"),
            reset("417305"),
            prove("417305"),
            replaced(),
            taken_away(),
            invited_by_text("https://millrace.example.com", INVITATION),
        ] {
            let segments = domain::encoding::count_segments(&letter.text, EncodingRule::Grapheme);
            assert_eq!(segments, 1, "{}", letter.text);
        }
    }
}
