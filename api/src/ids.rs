//! New ids and keys, where a request brings none.

use domain::ids::GENERATED_KEY;
use uuid::Uuid;

/// An id that nothing else has; ids made later sort later.
#[expect(clippy::disallowed_methods, reason = "the ingress is where new ids begin")]
pub(crate) fn fresh() -> Uuid {
    Uuid::now_v7()
}

/// The key of a request that brings none: what becomes of it may not be known, and a repeat under
/// this key is the same message.
pub(crate) fn generated_key() -> String {
    format!("{GENERATED_KEY}{}", fresh().simple())
}
