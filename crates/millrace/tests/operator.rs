//! The operator's commands, as the built binary runs them against private servers.

#[path = "operator/companies.rs"]
mod companies;
#[path = "operator/doctor.rs"]
mod doctor;
#[path = "operator/examples.rs"]
mod examples;
#[path = "operator/keys.rs"]
mod keys;
#[path = "operator/nats.rs"]
mod nats;
#[path = "operator/newcomer.rs"]
mod newcomer;
#[path = "operator/public_url.rs"]
mod public_url;
#[path = "operator/roles.rs"]
mod roles;
#[path = "operator/top.rs"]
mod top;
#[path = "operator/up.rs"]
mod up;
#[path = "operator/world.rs"]
mod world;
