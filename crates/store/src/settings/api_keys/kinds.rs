//! What keys are for and what they may do.

use std::fmt;

use crate::core::words::words;

/// What a key or token may do. The api's table of roles says what that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// May do everything, and give keys out.
    Owner,
    /// Everything but what belongs to the owner.
    Admin,
    /// Campaigns, contacts, templates, switches.
    Operator,
    /// Conversations and single messages.
    Agent,
    /// May read, and change nothing.
    Viewer,
}

impl KeyRole {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 5] =
        [Self::Owner, Self::Admin, Self::Operator, Self::Agent, Self::Viewer];

    /// The name in rows, tokens and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Agent => "agent",
            Self::Viewer => "viewer",
        }
    }

    /// The role of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

words! { KeyRole = "role of a key" }

domain::described_words! {
    KeyRole, "What a key or token may do; the security scheme lists the permissions of each role.";
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a key is for real traffic. A test key works in its tenant's twin ([`super::twins`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// For real traffic: `mr_live_...`.
    Live,
    /// For trying out: `mr_test_...`.
    Test,
}

impl KeyKind {
    /// Both kinds of keys.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// How keys of this kind begin.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Live => "mr_live_",
            Self::Test => "mr_test_",
        }
    }

    /// The name in requests and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind of a row.
    pub(super) fn of(is_test: bool) -> Self {
        if is_test { Self::Test } else { Self::Live }
    }
}

domain::described_words! {
    KeyKind, "`live` for real traffic; `test` for the twin, whose texts stay in the sandbox.";
}
