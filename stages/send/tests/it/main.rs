//! Send on a real database, against the sandbox's Twilio.

mod answers;
mod claims;
mod pace;
mod recovery;
mod world;
