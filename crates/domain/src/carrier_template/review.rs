//! How far the review of a template has come, and whether a message may be sent by it.

/// How far the review of a template has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewState {
    /// The carrier is asked to keep it, and has not answered yet.
    Submitted,
    /// The carrier has it under review.
    Pending,
    /// It may be sent.
    Approved,
    /// The review went against it.
    Rejected,
    /// The carrier has stopped it for a time, as people did not like it.
    Paused,
    /// The carrier has stopped it for good, or it is about to be gone.
    Disabled,
    /// The carrier has not taken it.
    Failed,
    /// The carrier says something else of it, which this version does not know.
    Other,
}

crate::described_words! {
    ReviewState, "How far the review of a template has come: the carrier is asked to keep it, \
        reviews it, has approved or rejected it, has stopped it for a time or for good, has not \
        taken it, or says something else of it.";
}

/// Why no message is sent by a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsendable {
    /// The reason, for programs.
    pub code: &'static str,
    /// What is wrong, and what to do.
    pub detail: &'static str,
}

impl ReviewState {
    /// Every state, in the order in which a template goes through them.
    pub const ALL: [Self; 8] = [
        Self::Submitted,
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Paused,
        Self::Disabled,
        Self::Failed,
        Self::Other,
    ];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
            Self::Other => "other",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether the carrier may have a template in this state: all but one that it has not taken.
    pub fn is_at_carrier(self) -> bool {
        match self {
            Self::Submitted
            | Self::Pending
            | Self::Approved
            | Self::Rejected
            | Self::Paused
            | Self::Disabled
            | Self::Other => true,
            Self::Failed => false,
        }
    }

    /// Why a message by a template in this state is refused before it is sent; none where it is
    /// tried. A word that is not known is the carrier's to judge.
    pub fn unsendable(self) -> Option<Unsendable> {
        let (code, detail) = match self {
            Self::Approved | Self::Other => return None,
            Self::Submitted | Self::Pending => (
                "template_pending",
                "the carrier reviews this template still: send by it once it is approved, or \
                 synchronise the account's templates",
            ),
            Self::Rejected => (
                "template_rejected",
                "the carrier has rejected this template: GET /v1/carrier-templates says why; \
                 change it at the carrier, or make another one",
            ),
            Self::Paused => (
                "template_paused",
                "the carrier has paused this template, as people did not like it: wait, or use \
                 another one",
            ),
            Self::Disabled => (
                "template_disabled",
                "the carrier has stopped this template for good: use another one",
            ),
            Self::Failed => (
                "template_rejected",
                "the carrier has not taken this template: GET /v1/carrier-templates says why; \
                 make it again",
            ),
        };

        Some(Unsendable { code, detail })
    }
}

/// What is known of a template at one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateStanding {
    /// Whether all templates of the account are known.
    pub is_listed: bool,
    /// How far the template's review has come; none where the account is not known to have it.
    pub state: Option<ReviewState>,
}

impl TemplateStanding {
    /// Why the account surely sends no message by the template; none where it is tried.
    pub fn unsendable(self) -> Option<Unsendable> {
        match self.state {
            Some(state) => state.unsendable(),
            None => self.is_listed.then_some(UNKNOWN_TEMPLATE),
        }
    }
}

/// Why a message by a template is refused that the account does not have in this language.
pub const UNKNOWN_TEMPLATE: Unsendable = Unsendable {
    code: "template_unknown",
    detail: "the account has no such template in this language: make it, name another language, \
             or synchronise the account's templates if it was made at the carrier just now",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_back_by_their_names() {
        for state in ReviewState::ALL {
            assert_eq!(ReviewState::from_name(state.as_str()), Some(state));
        }
        assert_eq!(ReviewState::from_name("APPROVED"), None);
    }

    #[test]
    fn what_is_not_on_a_whole_list_is_not_there_and_else_nobody_knows() {
        let why = |is_listed, state| TemplateStanding { is_listed, state }.unsendable();
        assert_eq!(why(true, None), Some(UNKNOWN_TEMPLATE));
        assert_eq!(why(false, None), None);
        assert_eq!(why(true, Some(ReviewState::Approved)), None);
        let paused = why(false, Some(ReviewState::Paused)).map(|why| why.code);
        assert_eq!(paused, Some("template_paused"));
    }

    #[test]
    fn what_is_approved_or_not_known_is_tried_and_all_else_says_what_to_do() {
        let tried: Vec<ReviewState> =
            ReviewState::ALL.into_iter().filter(|state| state.unsendable().is_none()).collect();
        assert_eq!(tried, [ReviewState::Approved, ReviewState::Other]);
        let refused = ReviewState::ALL.into_iter().filter_map(ReviewState::unsendable);
        for Unsendable { code, detail } in refused.chain([UNKNOWN_TEMPLATE]) {
            assert!(code.starts_with("template_") && detail.contains(": "), "{detail}");
        }
    }
}
