//! How much of what is sealed was sealed anew.

use std::fmt;

/// What has become of sealed texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RotationSums {
    /// How many were sealed anew.
    pub renewed: usize,
    /// The first key had sealed them before.
    pub current: usize,
    /// No key of the list opens them.
    pub closed: usize,
}

impl fmt::Display for RotationSums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { renewed, current, closed } = self;
        write!(f, "{renewed} sealed anew, {current} were already")?;
        if *closed > 0 {
            write!(f, ", {closed} are opened by no key")?;
        }
        Ok(())
    }
}
