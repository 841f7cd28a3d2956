//! Who logs in at the broker, and what each may say, hear and ask there. The broker runs in
//! operator mode: an operator vouches for accounts, an account for users, and what a user may do
//! stands in its JWT. Everything here follows from the streams of `wire`, the table of consumers
//! and the table of what is said.

pub mod claims;
pub mod grants;
pub mod processes;
pub mod subscribers;

pub use claims::ClaimsError;
pub use grants::Grants;
pub use processes::ProcessKind;
pub use subscribers::SubscriberSigner;
