//! Twilio's default opt-out keywords and what it answers to them by itself.

use crate::kind::Kind;

/// What a keyword, or Advanced Opt-Out, makes of an inbound text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keyword {
    Stop,
    Start,
    Help,
}

const STOP: [&str; 8] =
    ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: [&str; 3] = ["START", "UNSTOP", "YES"];
const HELP: [&str; 2] = ["HELP", "INFO"];

impl Keyword {
    /// The keyword that a text is: one word, whatever its case, blanks around it ignored.
    pub(crate) fn of(body: &str) -> Option<Self> {
        let word = body.trim().to_uppercase();
        let among = |list: &[&str]| list.contains(&word.as_str());

        if among(&STOP) {
            Some(Self::Stop)
        } else if among(&START) {
            Some(Self::Start)
        } else if among(&HELP) {
            Some(Self::Help)
        } else {
            None
        }
    }

    /// Reads the value of `OptOutType`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "STOP" => Some(Self::Stop),
            "START" => Some(Self::Start),
            "HELP" => Some(Self::Help),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
        }
    }

    pub(crate) fn auto_reply(self) -> &'static str {
        match self {
            Self::Stop => {
                "You have successfully been unsubscribed. You will not receive any more messages \
                 from this number. Reply START to resubscribe."
            }
            Self::Start => {
                "You have successfully been re-subscribed to messages from this number. Reply \
                 HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply."
            }
            Self::Help => "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
        }
    }
}

/// The kind that an inbound text is counted as.
pub(crate) fn kind(body: &str, keyword: Option<Keyword>) -> Kind {
    if body.trim().eq_ignore_ascii_case("alto") {
        return Kind::Alto;
    }

    match keyword {
        Some(Keyword::Stop) => Kind::Stop,
        Some(Keyword::Start) => Kind::Start,
        Some(Keyword::Help) => Kind::Help,
        None if body.contains('?') => Kind::Question,
        None => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_keyword_alone_counts_whatever_its_case() {
        for text in ["STOP", " stop \n", "Unsubscribe", "optout", "END"] {
            assert_eq!(Keyword::of(text), Some(Keyword::Stop), "{text}");
        }
        assert_eq!(Keyword::of("unstop"), Some(Keyword::Start));
        assert_eq!(Keyword::of("info"), Some(Keyword::Help));
        for text in ["STOP PLEASE", "ALTO", "STOP.", "", "please stop"] {
            assert_eq!(Keyword::of(text), None, "{text}");
        }
    }
}
