//! What a failed statement means for the batch that it was part of.

use stage::{Dependency, Fault};

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
