//! Send on a real database, against the sandbox's Twilio.

mod answers;
mod cancelled;
mod claims;
mod doubts;
mod outcomes;
mod pace;
mod recovery;
mod world;
