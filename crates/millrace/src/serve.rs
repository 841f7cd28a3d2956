//! The long-running processes: the ingress, each stage, the sandbox.

pub mod api;
pub mod sandbox;
pub mod stage;
