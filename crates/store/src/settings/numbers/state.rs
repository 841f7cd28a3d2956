//! How far a tenant has come with a number.

use crate::core::words::words;

/// How far the tenant has come with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberState {
    /// The carrier is asked for it, or has taken the order and works on it.
    Ordered,
    /// Whether the carrier has given it is not known.
    InDoubt,
    /// The carrier account has it.
    Owned,
    /// The carrier has not given it.
    Failed,
    /// The carrier account had it, and the carrier lists it no more.
    Gone,
    /// The carrier is asked to take it back.
    Releasing,
}

words! { NumberState = "state of a number" }

domain::described_words! {
    NumberState, "How far a tenant has come with a number: it is ordered, it is not known whether \
        the carrier has given it, the account has it, the carrier has not given it, the carrier \
        lists it no more, or the carrier is asked to take it back.";
}

impl NumberState {
    /// Every state, in the order in which a number goes through them.
    pub const ALL: [Self; 6] =
        [Self::Ordered, Self::InDoubt, Self::Owned, Self::Failed, Self::Gone, Self::Releasing];

    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordered => "ordered",
            Self::InDoubt => "in_doubt",
            Self::Owned => "owned",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Releasing => "releasing",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}
