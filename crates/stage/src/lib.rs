//! What a stage is written against: the [`Stage`] and [`Source`] contracts, the batch that a stage
//! answers, the outcomes and faults that it may answer with, and the times that it may read.
//!
//! There is no broker and no database in here: `pipeline` runs what implements these contracts,
//! `store` says which fault a failed statement is.

pub mod batch;
pub mod contract;
pub mod fault;
pub mod machine;
pub mod name;
pub mod outcome;
pub mod time;

pub use batch::Batch;
pub use contract::{Mark, Source, Stage, Tick};
pub use fault::{Dependency, Fault};
pub use name::StageName;
pub use outcome::{Cause, MAX_WAIT, Outcome};
pub use time::{Clock, Cx};
