//! How a stage or a source ended: what it has left for others.

/// What is left of the work of a process when it ends. Others do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Messages taken in and not finished: they were given back and come again.
    pub left: usize,
    /// Frames pulled and not read: likewise.
    pub unread: usize,
    /// Frames whose ack the broker has not confirmed: they may come again, which changes nothing.
    pub unacked: usize,
    /// Whether the work under way ended within the time allowed. Rows that a tick of a source had
    /// leased are taken again after their lease.
    pub in_time: bool,
}

impl Drained {
    /// Nothing is left.
    pub const EMPTY: Self = Self { left: 0, unread: 0, unacked: 0, in_time: true };

    /// What two of one process have left together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            left: self.left + other.left,
            unread: self.unread + other.unread,
            unacked: self.unacked + other.unacked,
            in_time: self.in_time && other.in_time,
        }
    }
}
