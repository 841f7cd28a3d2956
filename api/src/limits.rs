//! Limits that several parts of the ingress keep to.

use std::time::Duration;

/// How long a publish may take before the caller is told to come again.
pub(crate) const PUBLISH_BUDGET: Duration = Duration::from_secs(5);
