//! The operator's commands, as the built binary runs them against private servers.

#[path = "operator/doctor.rs"]
mod doctor;
#[path = "operator/keys.rs"]
mod keys;
#[path = "operator/world.rs"]
mod world;
