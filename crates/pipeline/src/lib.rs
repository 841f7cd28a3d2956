//! The Stage and Source contracts and the runtime that they run on. Only this crate pulls,
//! publishes, acknowledges, retries and dead-letters; a stage sees a flat batch of messages.

pub mod broker;
pub mod consumers;
pub mod fault;
pub mod letter;
pub mod machine;
mod measure;
pub mod outcome;
pub mod progress;
pub mod publish;
pub mod run;
pub mod settle;
pub mod stage;
pub mod streams;

pub use broker::Broker;
pub use consumers::{ConsumerSettings, apply_consumers};
pub use fault::{Dependency, Fault};
pub use letter::Seal;
pub use outcome::{Cause, Outcome};
pub use progress::Progress;
pub use publish::{PublishError, Publisher};
pub use run::{Clock, Drained, Lanes, Runtime, SourceConfig, StageConfig, run, run_source};
pub use stage::{Batch, Cx, Mark, Source, Stage, StageName, Tick};
pub use streams::{StreamSettings, apply_streams};
pub use wire::frame::Outgoing;
