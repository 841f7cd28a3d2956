//! A message: its class, its state, and what each stage decided about it.

pub mod class;
pub mod passport;
pub mod state;
