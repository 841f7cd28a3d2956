//! The rules of Millrace as plain data and pure functions: no IO, no clock, no randomness.
//!
//! Everything that decides a message's fate lives here or in a stage's `decide.rs`, so that gate,
//! explain, simulate and send share one code.

pub mod account;
pub mod address;
pub mod automatic;
pub mod billing;
pub mod carrier_template;
pub mod clock;
pub mod country;
pub mod draft;
pub mod email;
pub mod encoding;
pub mod gates;
pub mod gcra;
pub mod health;
pub mod ids;
pub mod invisible;
pub mod json;
pub mod language;
pub mod lexicon;
pub mod media;
pub mod message;
pub mod money;
pub mod nanp;
pub mod phone;
pub mod platform;
pub mod quiet_hours;
pub mod schema;
pub mod sender_code;
pub mod simulate;
pub mod storable;
pub mod template;
pub mod zones;
