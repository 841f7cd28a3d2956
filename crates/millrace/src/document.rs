//! `millrace document`: the documents of what outsiders call and read, as they are committed.

use std::process::ExitCode;

use crate::cli::DocumentKind;

/// Prints a document as it is committed.
pub fn run(kind: DocumentKind) -> anyhow::Result<ExitCode> {
    let document = match kind {
        DocumentKind::Openapi => api::documents::openapi_json(),
        DocumentKind::Asyncapi => api::documents::asyncapi_json(),
        DocumentKind::Postman => api::documents::postman_json(),
    };
    print!("{document}");
    Ok(ExitCode::SUCCESS)
}
