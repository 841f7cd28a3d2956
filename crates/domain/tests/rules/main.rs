//! The rules of the domain against vectors, tables and properties, as one test program.

mod address;
mod billing;
mod encoding;
mod lexicon;
mod money;
mod phone;
mod quiet_hours;
mod template;
mod zones;
