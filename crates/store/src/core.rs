//! What every other module stands on: connections and their tenant scope, what a failed statement
//! means, keys that travel as arrays, the words and numbers of rows, the schema, and sealing.

pub mod fault;
pub mod inspect;
pub mod keyed;
pub mod login;
pub mod migrate;
pub mod privileges;
pub mod reach;
#[cfg(test)]
mod recordsets;
pub mod roles;
pub mod scope;
pub mod seal;
pub(crate) mod secrets;
#[cfg(test)]
mod sources;
pub(crate) mod state_codes;
pub(crate) mod turns;
pub(crate) mod words;
