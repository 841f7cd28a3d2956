//! What is wrong with a setting, in one line.

use std::borrow::Cow;

/// One setting, or two together, cannot be. The text is one line without secrets; the process ends
/// with [`EXIT_BAD_SETTINGS`](super::EXIT_BAD_SETTINGS).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct SettingsError {
    /// The setting, by its variable.
    pub name: Cow<'static, str>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl SettingsError {
    /// What is wrong with the setting of this variable.
    pub fn new(name: impl Into<Cow<'static, str>>, problem: impl Into<String>) -> Self {
        Self { name: name.into(), problem: problem.into() }
    }
}
