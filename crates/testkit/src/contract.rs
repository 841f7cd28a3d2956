//! The contract of everything with side effects, run on real processes: a stage gets the same input
//! again in another cut and under other facts, works in two processes at once, is killed at each of
//! its IO points, is late or frozen, loses its broker or its database, finds poison among its
//! input. It must come to the same end each time.
//!
//! What prepares a stage, and the list of stages, is in the only crate that knows every stage
//! (`crates/millrace/tests/contract.rs`); here is what needs no knowledge of them.

mod end;
mod kills;
mod look;
mod points;
mod poison;
mod process;
mod repeat;
mod trials;
mod world;

use std::time::Duration;

use stage::StageName;

pub use poison::Poison;
pub use process::StageProcess;
pub use trials::stands_everything;
pub use world::World;

/// How long anything may take that a trial waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a stage may hold a message before another process gets it.
const ACK_WAIT: Duration = Duration::from_secs(1);

/// A stage or a source that is put through the contract.
pub trait ContractSubject: Sync {
    /// The stage whose process it runs in.
    fn stage(&self) -> StageName;

    /// The program that runs stages.
    fn program(&self) -> &'static str;

    /// What it takes its work from.
    fn work(&self) -> &ContractWork;

    /// Whether it says anything to the broker: a source may have rows alone to do.
    fn calls_broker(&self) -> bool;

    /// Whether it calls the database.
    fn has_database(&self) -> bool;

    /// What the database alone refuses of its input.
    fn poison(&self) -> Poison;

    /// What it is told of again when nobody has done it: a process that was told of it died late.
    fn retold(&self) -> Option<Retold>;

    /// Makes its input: a platform whose earlier stages have done their work.
    fn prepare(&self, world: &World<'_>) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Changes the facts, so that about half of what was decided would be decided otherwise.
    fn change(&self, world: &World<'_>) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// Where something takes its work from.
#[derive(Debug, Clone, Copy)]
pub enum ContractWork {
    /// Frames that its consumers hand it.
    Frames,
    /// Rows that it looks for itself.
    Rows(DueRows),
}

/// What is told again from rows, though its frames are acknowledged. Statements of the superuser.
#[derive(Debug, Clone, Copy)]
pub struct Retold {
    /// Makes all that is left due to be told again.
    pub due: &'static str,
    /// Counts what is left.
    pub left: &'static str,
}

/// How rows become due. Statements of the superuser.
#[derive(Debug, Clone, Copy)]
pub struct DueRows {
    /// How many parts of equal make the rows are dealt into.
    pub parts: usize,
    /// Words of the statement that begins a tick.
    pub tick: &'static str,
    /// Puts all rows aside.
    pub aside: &'static str,
    /// Makes one part of so many due: `$1` of `$2`, from nought. Changes a row or more.
    pub give: &'static str,
    /// As if all leases had ended.
    pub later: &'static str,
    /// Counts what is left to do.
    pub left: &'static str,
}
