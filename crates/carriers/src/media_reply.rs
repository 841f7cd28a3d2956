//! What came of fetching media: what a fetch says, and what a carrier says that is asked where
//! they are.

/// What came of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaReply {
    /// All that is there.
    Bytes(Vec<u8>),
    /// There are more bytes than were asked for.
    TooLarge,
    /// The address may not be called.
    NotAllowed,
    /// The server says that it has none for us.
    Gone,
    /// The server gave no answer of use: later it may.
    Unavailable,
}
