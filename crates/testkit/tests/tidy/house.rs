//! What may be said where: SQL in the store alone, and no path of one machine anywhere.

use super::tree::{Found, files, rust};

/// Files outside the store that may hold SQL: one makes the roles and the database that the store
/// then works in.
const SQL_ELSEWHERE: [&str; 1] = ["crates/boot/src/embedded/postgres.rs"];

/// Tests, and the crate that they run on, may look at rows, and make those that no part of the
/// product makes.
#[test]
fn sql_is_written_in_the_store_alone() {
    let marks = ["query", "query_as", "query_scalar", "query_file", "raw_sql"]
        .map(|name| format!("sqlx::{name}"));
    let mut found = Found::default();
    for file in rust() {
        let path = file.path.as_str();
        let allowed = path.starts_with("crates/store/") || SQL_ELSEWHERE.contains(&path);
        if allowed || path.contains("/tests/") || path.starts_with("crates/testkit/") {
            continue;
        }
        for (at, line) in file.lines() {
            let code = line.split("//").next().unwrap_or_default();
            if marks.iter().any(|mark| calls(code, mark)) {
                found.at(&file.path, at, "SQL belongs into crates/store");
            }
        }
    }
    found.none("All SQL lives in crates/store, one module for each table family.");
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    // In two parts, so that this file does not name them.
    let env = concat!(".", "env");
    let paths = [concat!("/", "work"), concat!("../", "shared"), concat!("/", "root/")];
    let mut found = Found::default();
    for file in files(&[""]) {
        if file.name() == env {
            found.at(&file.path, 1, "settings come from the environment, not from this file");
        }
        for (at, line) in file.lines() {
            let named = paths.iter().find(|path| stands_alone(line, path));
            let named = named.copied().or_else(|| stands_alone(line, env).then_some(env));
            if let Some(path) = named {
                found.at(&file.path, at, format!("names {path}"));
            }
        }
    }
    found.none("The project stands alone: it runs from any folder of any machine.");
}

/// Whether code calls this function or macro: what follows the name opens or turbofishes.
fn calls(code: &str, name: &str) -> bool {
    let follows = |at: usize| code[at + name.len()..].chars().next();
    code.match_indices(name).any(|(at, _)| matches!(follows(at), Some('(' | '!' | ':' | '<')))
}

/// Whether a text names a path, not a longer word or a method that is called so.
fn stands_alone(line: &str, path: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')');
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let begins = path.starts_with("..") || !before.is_some_and(part);
        let ends = path.ends_with('/')
            || !after.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '('));
        begins && ends
    })
}
