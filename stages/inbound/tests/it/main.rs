//! Inbound on a real database.

mod automatic;
mod texts;
mod whatsapp;
mod world;
