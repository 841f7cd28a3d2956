//! What a failed statement means for the batch that it was part of.

use stage::{Dependency, Fault};

/// What is told of a value that cannot be decoded.
const COLUMN: &str = "document in column";

/// What a failed statement means for the batch that it was part of.
pub fn fault(error: sqlx::Error) -> Fault {
    let what = Dependency::Database;
    match error {
        // Passports and other documents are decoded with their row: what cannot be is newer than
        // us. The value itself may be a text, so its column alone is told.
        sqlx::Error::ColumnDecode { index, .. } => Fault::Newer { what: COLUMN, value: index },
        sqlx::Error::Decode(_) => Fault::Newer { what: COLUMN, value: "unknown".into() },
        error if is_refusal(&error) => Fault::Refused { what, source: error.into() },
        error => Fault::Unavailable { what, source: error.into() },
    }
}

/// Whether the database, or the driver before it, has refused the data of the statement.
fn is_refusal(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(answer) => is_about_data(&answer.code().unwrap_or_default()),
        sqlx::Error::Encode(_) => true,
        // Everything else speaks about the server, the connection or us.
        _ => false,
    }
}

/// SQLSTATE classes that speak about the data: 22 data exception, 23 integrity violation,
/// 54 program limit exceeded. Everything else speaks about the server or about us, and is retried.
fn is_about_data(code: &str) -> bool {
    ["22", "23", "54"].iter().any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_retried_refused_data_dies_and_unreadable_data_waits() {
        let unreadable =
            sqlx::Error::ColumnDecode { index: "3".into(), source: "a new gate".into() };
        let told = fault(unreadable).to_string();
        assert_eq!(told, "a newer version stored the document in column \"3\"");
        assert!(matches!(fault(sqlx::Error::Encode("too long".into())), Fault::Refused { .. }));
        assert!(matches!(fault(sqlx::Error::PoolTimedOut), Fault::Unavailable { .. }));
    }
}
