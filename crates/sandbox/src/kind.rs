//! The kinds of texts that people send.

/// What somebody sends: what a persona means, and what inbound texts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Stop,
    Alto,
    Start,
    Help,
    Question,
    Other,
}

impl Kind {
    /// In the order of their discriminants, which index counts.
    pub(crate) const ALL: [Self; 6] =
        [Self::Stop, Self::Alto, Self::Start, Self::Help, Self::Question, Self::Other];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Alto => "alto",
            Self::Start => "start",
            Self::Help => "help",
            Self::Question => "question",
            Self::Other => "other",
        }
    }
}
