//! What `compose/` declares is what the binary has: commands, settings, stages, consumers, metrics.

mod alerts;
mod containerfile;
mod declared;
mod files;
mod metrics;
mod processes;
mod scalers;
mod settings;
