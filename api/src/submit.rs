//! From a request to `msg.submitted.<lane>`: validation, ids, frames.

pub(crate) mod callable;
pub(crate) mod carrier_template;
pub(crate) mod coalesce;
pub(crate) mod content;
pub(crate) mod kept;
pub(crate) mod keys;
pub(crate) mod message;
pub(crate) mod named;
pub(crate) mod one;
mod rich;
pub(crate) mod seen;
pub(crate) mod singles;
pub(crate) mod tenants;
pub(crate) mod turns;
