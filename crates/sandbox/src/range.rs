//! A range of milliseconds, as settings name one.

use serde::{Deserialize, Serialize};

/// The longest time that a range may name: ten minutes.
const MAX_MS: u32 = 600_000;

/// Milliseconds `[from, to]`, both included; one number means exactly that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RangeForm", into = "[u32; 2]")]
pub(crate) struct Range {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "[from, to] in milliseconds, or one number")]
enum RangeForm {
    Exactly(u32),
    Between([u32; 2]),
}

impl TryFrom<RangeForm> for Range {
    type Error = String;

    fn try_from(form: RangeForm) -> Result<Self, String> {
        let (from, to) = match form {
            RangeForm::Exactly(ms) => (ms, ms),
            RangeForm::Between([from, to]) => (from, to),
        };

        if from <= to && to <= MAX_MS {
            Ok(Self { from, to })
        } else {
            Err(format!("a range is [from, to] in milliseconds, rising, at most {MAX_MS}"))
        }
    }
}

impl From<Range> for [u32; 2] {
    fn from(range: Range) -> Self {
        [range.from, range.to]
    }
}
