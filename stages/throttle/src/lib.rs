//! Throttle: the order in which admitted messages go to the carrier, just ahead of the pace.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.admitted.<lane>.<shard>` |
//! | Emits | `msg.released.<lane>.<shard>`, the same payload, byte by byte |
//! | Reads | nothing |
//! | Writes | nothing |
//! | Calls | nobody |
//! | Never | enforces the pace (the claim of `send` does); reads the database |
//!
//! Urgent comes before bulk by lanes of their own, and by the depth that each may fill of a
//! sender's next second. Tenants take turns by deficit round robin. The gates admit no more than a
//! sender carries in a second; a message that would still wait here for longer than `PATIENCE` goes
//! on, and `send` parks it in a row. See `docs/adr/0003-throttle-shards.md` and
//! `docs/adr/0014-meters-and-neighbours.md`.

mod decide;
mod drr;
mod pace;
mod say;

use std::sync::{Mutex, PoisonError};

use stage::{Batch, Cx, Fault, Stage, StageName};
use wire::{Relayed, Stream};

use pace::SenderPaces;

/// The throttle stage.
#[derive(Debug, Default)]
pub struct ThrottleStage {
    paces: Mutex<SenderPaces>,
}

impl ThrottleStage {
    /// A throttle that has released nothing yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Stage for ThrottleStage {
    const NAME: StageName = StageName::Throttle;
    const FROM: &'static [Stream] = &[Stream::Admitted];
    type In = Relayed;

    async fn handle(&self, cx: &Cx, batch: Batch<Relayed>) -> Result<(), Fault> {
        // decide
        let served = {
            let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
            decide::serve(&mut paces, cx.machine, batch.items())
        };

        // say
        for one in served {
            batch.answer(one.index, say::outcome(cx, &one));
        }
        Ok(())
    }
}
