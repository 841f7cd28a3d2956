//! Inbound on a real database.

mod automatic;
mod conversations;
mod texts;
mod whatsapp;
mod world;
