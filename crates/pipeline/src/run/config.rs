//! How a stage is run: which lanes, how many messages at once, how long a drain may take.

use std::time::Duration;

use domain::message::class::Lane;
use wire::stream::ACK_WAIT;

/// Which lanes a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lanes {
    /// The urgent lane only.
    Urgent,
    /// The bulk lane only.
    Bulk,
    /// Both, by separate consumers.
    #[default]
    Both,
}

impl Lanes {
    /// Whether a consumer of this lane is served. A stream without lanes always is.
    pub fn include(self, lane: Option<Lane>) -> bool {
        match (self, lane) {
            (Self::Both, _) | (_, None) => true,
            (Self::Urgent, Some(lane)) => lane == Lane::Urgent,
            (Self::Bulk, Some(lane)) => lane == Lane::Bulk,
        }
    }
}

/// How a stage is run. The bounds hold for each consumer by itself; those of a batch are a quarter
/// in an urgent lane, where whoever could fill one is kept apart.
#[derive(Debug, Clone)]
pub struct StageConfig {
    /// Which lanes this process serves.
    pub lanes: Lanes,
    /// Messages handed over at once, at most.
    pub batch_max: usize,
    /// How many messages of one tenant, ready at once, have batches of their own.
    pub flood: usize,
    /// How many messages of one tenant are handed over before it is the next one's turn.
    pub turn: usize,
    /// Batches under way at once, at most.
    pub batches_under_way: usize,
    /// Messages held at once, waiting ones included. At least 512: room for two full frames.
    pub in_flight: usize,
    /// The consumer's `ack_wait`: progress beats go out at a third of it.
    pub ack_wait: Duration,
    /// How long batches under way may take once a drain has begun.
    pub drain: Duration,
    /// How long the answers of a batch that the stage still works on are gathered before they are
    /// published: fuller frames against an earlier PubAck.
    pub gather: Duration,
}

impl StageConfig {
    /// The same for an urgent lane. Somebody waits for each of its messages: what is before it in
    /// this process is to be done in a moment. It holds as many as any, so that none has to wait in
    /// the broker until a flood is done.
    pub(super) fn urgent(&self) -> Self {
        let batch_max = (self.batch_max / 4).max(1);
        Self {
            batch_max,
            flood: batch_max,
            turn: self.turn / 4,
            gather: self.gather / 4,
            ..self.clone()
        }
    }
}

impl Default for StageConfig {
    fn default() -> Self {
        Self {
            lanes: Lanes::Both,
            batch_max: 512,
            flood: usize::MAX,
            turn: 128,
            batches_under_way: 3,
            in_flight: 2048,
            ack_wait: ACK_WAIT,
            drain: Duration::from_secs(20),
            gather: Duration::from_millis(20),
        }
    }
}
