//! The reply stage on a real database, with the sandbox as the model.

mod answering;
mod failing;
mod limits;
mod owners;
mod silence;
mod world;
