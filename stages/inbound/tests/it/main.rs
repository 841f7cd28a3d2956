//! Inbound on a real database.

mod automatic;
mod conversations;
mod echoes;
mod texts;
mod whatsapp;
mod world;
