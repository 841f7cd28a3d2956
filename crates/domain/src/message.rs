//! A message: what it is for, where it stands, and what each stage decided about it.

pub mod class;
pub mod passport;
pub mod state;
