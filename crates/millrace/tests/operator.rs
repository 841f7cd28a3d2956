//! The operator's commands, as the built binary runs them against private servers.

#[path = "operator/doctor.rs"]
mod doctor;
#[path = "operator/world.rs"]
mod world;
