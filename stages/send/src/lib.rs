//! Send: claims a message, calls its carrier, records the answer. Once in effect.
//!
//! | | |
//! |---|---|
//! | Consumes | `msg.released.<lane>.<shard>` |
//! | Emits | `events.<tenant>.message.sent`, `.failed`, `.deferred`, `.held`, `.blocked`, |
//! | | `.expired`, `events.<tenant>.in_doubt.raised`, `events.<tenant>.contact.opted_out` |
//! | Reads | `standings`, `senders`, `carrier_accounts`, `policies`, `switches`, `campaigns`, |
//! | | `pace`, `account_pace`, `account_turns`, `pair_pace`, `messages` |
//! | Writes | `messages`, `open_claims`, `pace`, `account_pace`, `account_turns`, `pair_pace`, |
//! | | `parked`, `lines`, `doubts`, `counters`, `standings`, `consents` |
//! | Calls | the carrier of the sender's account |
//! | Never | calls twice for one claim, calls after the claim's time to begin, or sends |
//! | | where a call may have been made before |
//!
//! No carrier offers an idempotency key, so "once" is a claim before and evidence after:
//!
//! 1. **Claim** (`claim.rs`): one transaction per chunk takes the last look at opt-outs, switches,
//!    window, policy and pace, and marks what may go as ours until `call_by` and the request
//!    timeout have passed.
//! 2. **Call** (`call.rs`): it does not begin once our own clock says that `call_by` is over.
//! 3. **Record** (`recording.rs`): some milliseconds of answers at a time. An answer that cannot
//!    be recorded now is kept until the message is handed over again; if this process dies first,
//!    the claim runs out and the message is in doubt. Then `reconcile` decides by evidence; this
//!    stage never calls a second time.

mod answer;
mod call;
mod claim;
mod config;
mod decide;
mod end;
mod load;
mod opt_out;
mod outage;
mod pace;
mod permits;
mod record;
mod recording;
mod say;
mod spread;
mod tempo;
mod under_way;
mod unrecorded;

use std::time::Duration;

use stage::{Batch, Cx, Fault, Stage, StageName};
use store::{Store, core::seal::Sealer};
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;
use wire::{Admitted, Stream};

pub use crate::config::SendConfig;
use crate::{
    call::{CallResult, call_all},
    claim::Claimer,
    recording::Recorder,
    unrecorded::Unrecorded,
};

/// The stage that calls carriers.
pub struct SendStage {
    config: SendConfig,
    /// Signs links to media.
    sealer: Sealer,
    claimer: Claimer,
    recorder: Recorder,
    unrecorded: Unrecorded,
}

impl SendStage {
    /// A sender over this store. `http` is `carriers::http::client()`: it follows no redirect and
    /// retries nothing. `sealer` opens the accounts' tokens, and signs links to media.
    pub fn new(store: Store, sealer: Sealer, http: reqwest::Client, config: SendConfig) -> Self {
        let owner = owner();
        Self {
            claimer: Claimer::new(store.clone(), owner, sealer.clone(), http, config.clone()),
            recorder: Recorder::new(store, owner, config.first_look()),
            unrecorded: Unrecorded::default(),
            sealer,
            config,
        }
    }
}

impl Stage for SendStage {
    const NAME: StageName = StageName::Send;
    const FROM: &'static [Stream] = &[Stream::Released];
    const FILLS: &'static [Stream] = &[Stream::Events];
    type In = Admitted;
    const LINGER: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_millis(250);

    async fn handle(&self, cx: &Cx, batch: Batch<Admitted>) -> Result<(), Fault> {
        let (to_call, claimed) = unbounded_channel();
        let (to_record, results) = unbounded_channel::<CallResult>();

        // What a carrier answered before, and could not be recorded then, is not called again.
        let (known, waiting) = self.unrecorded.split(batch.items());
        for result in known {
            call::hand_on(&to_record, result);
        }

        // Three legs at once: a claim that fails must not stop the calls that are under way, and a
        // slow record must not keep a claimed call from beginning.
        let (claims, (), records) = tokio::join!(
            self.claimer.claim_all(cx, &batch, waiting, to_call),
            call_all((&self.config, &self.sealer), cx, &batch, claimed, to_record),
            self.recorder.record_all(cx, &batch, results, &self.unrecorded),
        );
        claims.and(records)
    }
}

/// Names the claims of this process: the one name here that must never come twice, so it is drawn
/// and not derived.
#[expect(clippy::disallowed_methods, reason = "a process has nothing else to be named by")]
fn owner() -> Uuid {
    Uuid::new_v4()
}
