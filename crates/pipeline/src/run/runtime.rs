//! What every stage and source of a process runs on.

use std::sync::Arc;

use stage::Clock;
use tokio_util::sync::CancellationToken;

use crate::{broker::Broker, letter::Seal, progress::Progress};

/// What every stage and source of a process runs on. Clones share it.
#[derive(Clone)]
pub struct Runtime {
    /// The connection to NATS.
    pub broker: Broker,
    /// Tells business time.
    pub clock: Clock,
    /// Seals what goes to DEAD.
    pub seal: Arc<dyn Seal>,
    /// Cancelled on SIGTERM: every stage and source drains.
    pub stop: CancellationToken,
    /// Whether the process's consumers move, for `/readyz`.
    pub progress: Progress,
}
