//! Reconcile on a real database.

mod calls;
mod dead;
mod evidence;
mod last_date;
mod late;
mod letters;
mod open_numbers;
mod prices;
mod receipts;
mod silent;
mod sweep;
mod templates;
mod ticks;
mod unmatched;
mod watch;
mod world;
