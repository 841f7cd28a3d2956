//! What the api tells of one message at the end of a run.

/// A message as the api tells it.
pub(super) struct ReportedMessage {
    pub(super) id: String,
    pub(super) state: String,
    /// The reason of its state, where it has one.
    pub(super) code: Option<String>,
    /// Whether a carrier can be asked about it; else receipts are all that tells of it.
    pub(super) can_be_asked: bool,
    /// Micro-units of what the carrier took.
    pub(super) cost: i64,
}
