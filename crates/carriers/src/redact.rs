//! What `Debug` shows in place of texts, phone numbers and secrets, so that no log can hold one.

use std::fmt;

/// Stands for a value that must not be shown; tells its length in bytes, which helps and harms not.
pub(crate) struct Hidden<'a>(pub(crate) &'a str);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<hidden, {} bytes>", self.0.len())
    }
}
