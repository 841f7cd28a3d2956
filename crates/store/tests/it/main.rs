//! Statements, functions and plans on a real database: one test binary, one database per test.

mod accounts;
mod addresses;
mod cancel;
mod contact_sets;
mod counters;
mod counts;
mod functions;
mod hot;
mod lines;
mod newer;
mod order;
mod plans;
mod release;
mod retention;
mod scans;
mod skew;
mod tenants;
