//! The runtime that stages and sources run on. Only this crate pulls, publishes, acknowledges,
//! retries and dead-letters; what a stage is written against is in `stage`.

pub mod access;
pub mod backlog;
pub mod broker;
pub mod change;
pub mod consumers;
pub mod credentials;
pub mod inspect;
pub mod letter;
mod measure;
mod moved;
pub mod progress;
pub mod publish;
pub mod purge;
pub mod room;
pub mod run;
pub mod settle;
pub mod streams;

pub use broker::Broker;
pub use consumers::{ConsumerSettings, apply_consumers};
pub use letter::Seal;
pub use progress::Progress;
pub use publish::{PublishError, Publisher};
pub use purge::StreamPurge;
pub use run::{Drained, Lanes, Runtime, SourceConfig, StageConfig, run, run_source};
pub use streams::{StreamSettings, apply_streams};
