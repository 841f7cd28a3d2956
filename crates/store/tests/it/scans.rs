//! Look-ups cost the same however much waits: what each reads and how long it takes, as the role of
//! the stages. `make scans` runs them with millions of rows and prints what docs/performance.md
//! shows.

mod campaigns;
mod measure;
mod queues;
mod stop;
mod tenants;
