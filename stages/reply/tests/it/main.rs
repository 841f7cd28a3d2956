//! The reply stage and its source on a real database, with the sandbox as the model.

mod answering;
mod bursts;
mod failing;
mod guards;
mod injections;
mod owners;
mod scale;
mod settings;
mod silence;
mod takeover;
mod tools;
mod world;
