//! Migrations: how they are named and written.

use super::tree::{Found, Source, files};

#[test]
fn migrations_are_numbered_without_gaps() {
    let mut found = Found::default();
    let migrations = migrations();
    assert!(!migrations.is_empty(), "migrations/ holds the schema");
    for (expected, file) in (1..).zip(&migrations) {
        let name = file.name().trim_end_matches(".sql");
        let (number, idea) = name.split_once('_').unwrap_or((name, ""));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if idea.is_empty() || !idea.chars().all(plain) {
            found.at(&file.path, 1, "a migration is named NNNN_name.sql, lowercase");
        }
        if number != format!("{expected:04}") {
            found.at(&file.path, 1, format!("{expected:04} is expected here"));
        }
    }
    found.none("Migrations are named NNNN_name.sql, one number after the other.");
}

#[test]
fn migrations_are_written_in_lowercase() {
    let mut found = Found::default();
    for file in migrations() {
        for (at, line) in file.lines() {
            if code(line).contains(|c: char| c.is_ascii_uppercase()) {
                found.at(&file.path, at, line.trim());
            }
        }
    }
    found.none("SQL is written in lowercase.");
}

#[test]
fn every_migration_opens_with_what_it_is_for() {
    let mut found = Found::default();
    for file in migrations() {
        if !file.text.starts_with("-- ") {
            found.at(&file.path, 1, "the first line is to be `-- ` and what the file is for");
        }
    }
    found.none("Every migration opens with what it is for.");
}

fn migrations() -> Vec<Source> {
    let sql = files(&[".sql"]).into_iter();
    sql.filter(|file| file.path.starts_with("migrations/")).collect()
}

/// A line without its comment, its quoted text and its quoted names, which keep their case.
fn code(line: &str) -> String {
    let unquoted: String = line.split(['\'', '"']).step_by(2).collect();
    unquoted.split("--").next().unwrap_or_default().to_owned()
}
