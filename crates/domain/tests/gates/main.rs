//! The gates, from outside: one message, its facts, and what is decided.

mod addresses;
mod capacity;
mod classes;
mod consent;
mod desk;
mod fold;
mod health;
mod hours;
mod lateness;
mod lines;
mod people;
mod recheck;
mod simulation;
mod whole;
