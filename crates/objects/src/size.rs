//! How large an object may be.

/// The largest object, in bytes: what carriers take and deliver is smaller.
pub const MOST_BYTES: u64 = 5 * 1024 * 1024;
