//! `millrace document`: the documents of what outsiders call and read, as they are committed.

use std::process::ExitCode;

use crate::cli::DocumentKind;

/// Prints one.
pub fn run(kind: DocumentKind) -> anyhow::Result<ExitCode> {
    let document = match kind {
        DocumentKind::Openapi => api::document::openapi_json(),
        DocumentKind::Asyncapi => api::document::asyncapi_json(),
        DocumentKind::Postman => api::document::postman_json(),
    };
    print!("{document}");
    Ok(ExitCode::SUCCESS)
}
