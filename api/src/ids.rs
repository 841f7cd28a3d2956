//! New ids, where a request brings no key to derive one from.

use uuid::Uuid;

/// An id that nothing else has; ids made later sort later.
#[expect(clippy::disallowed_methods, reason = "the ingress is where new ids begin")]
pub(crate) fn fresh() -> Uuid {
    Uuid::now_v7()
}
