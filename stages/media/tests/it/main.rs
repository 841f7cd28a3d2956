//! Media on a real database, with a carrier that is simulated, a folder of its own, and servers
//! that a tenant might name.

mod bucket;
mod fetching;
mod keeping;
mod world;
