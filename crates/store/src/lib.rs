//! Postgres: roles, tenant scope, and one module per table family. All SQL of Millrace is here,
//! checked at compile time against the migrations (`crates/store/.sqlx` holds the offline data).

pub mod accounts;
pub mod analytics;
pub mod answers;
pub mod audience;
pub mod audit;
pub mod budgets;
pub mod campaigns;
pub mod cancel;
pub mod claims;
pub mod consents;
pub mod contacts;
pub mod counters;
pub mod dead;
pub mod doubts;
pub mod enrich;
pub mod facts;
pub mod gate;
pub mod idempotency;
pub mod imports;
pub mod inbound;
pub mod keys;
pub mod ledger;
pub mod lines;
pub mod messages_read;
pub mod migrate;
pub mod outbox;
pub mod parked;
pub mod platform;
pub mod policies;
pub mod receipts;
pub mod replies;
pub mod rollup;
pub mod schedule;
pub mod scope;
pub mod seal;
pub mod senders;
pub mod simulate;
pub mod standings;
pub mod switches;
pub mod templates;
pub mod tenants;
pub mod totals;
pub mod wakes;

use std::time::Duration;

pub use scope::{Role, Scoped, Store};
use stage::{Dependency, Fault};

/// A number that does not fit a column is a defect of ours, not of the caller.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a failed statement means for the batch that it was part of.
pub fn fault(error: sqlx::Error) -> Fault {
    let refused = match &error {
        sqlx::Error::Database(answer) => {
            is_about_data(answer.code().as_deref().unwrap_or_default())
        }
        sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        _ => false,
    };
    let what = Dependency::Database;
    let source = error.into();
    if refused { Fault::Refused { what, source } } else { Fault::Unavailable { what, source } }
}

/// SQLSTATE classes that speak about the data: 22 data exception, 23 integrity violation,
/// 54 program limit exceeded. Everything else speaks about the server or about us, and is retried.
fn is_about_data(code: &str) -> bool {
    ["22", "23", "54"].iter().any(|class| code.starts_with(class))
}

/// A tenant key read from a row: the column's check keeps it well formed.
pub(crate) fn tenant(key: &str) -> domain::ids::TenantId {
    key.parse().expect("tenants.tenant_id is checked by the table")
}
