//! Reads the tables, links and examples of `subjects.md`, for the tests that compare it with code.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::{fs, path::PathBuf};

/// The text of `subjects.md`.
pub fn document() -> String {
    fs::read_to_string(path()).expect("subjects.md is at the root of the repository")
}

/// Where the document is; every crate of ours lies two folders below the root.
pub fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../subjects.md")
}

/// The rows of the one table with these column names, as cells.
pub fn table(columns: &[&str]) -> Vec<Vec<String>> {
    let document = document();

    let mut lines = document.lines().skip_while(|line| cells(line) != columns);
    assert!(lines.next().is_some(), "subjects.md has no table with the columns {columns:?}");
    let rule = lines.next().unwrap_or_default();
    assert!(rule.starts_with("|---"), "subjects.md: no rule under {columns:?}");

    let rows = lines.take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "subjects.md: the table {columns:?} is empty");
    for row in &rows {
        assert_eq!(row.len(), columns.len(), "subjects.md: a ragged row of {columns:?}: {row:?}");
    }
    rows
}

/// What a cell has in backticks, in order.
pub fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The name of a cell that is one name in backticks.
pub fn name(cell: &str) -> &str {
    match code(cell)[..] {
        [name] => name,
        _ => panic!("subjects.md: one name in backticks is expected, found {cell:?}"),
    }
}

/// The fenced blocks of a language, each with the last link before it.
pub fn blocks(language: &str) -> Vec<(String, String)> {
    let (mut blocks, mut link, mut inside) = (Vec::new(), String::new(), None::<String>);
    for line in document().lines() {
        match &mut inside {
            Some(block) if line == "```" => {
                blocks.push((link.clone(), std::mem::take(block)));
                inside = None;
            }
            Some(block) => block.extend([line, "\n"]),
            None if line == format!("```{language}") => inside = Some(String::new()),
            None => link = links(line).pop().unwrap_or(link),
        }
    }
    blocks
}

/// The targets of the Markdown links in a text.
pub fn links(text: &str) -> Vec<String> {
    let starts = text.split("](").skip(1);
    starts.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

/// A subject with `<placeholders>` as the broker's pattern: each is one token.
pub fn pattern(subject: &str) -> String {
    let token = |token: &str| if token.starts_with('<') { "*".into() } else { token.to_owned() };
    subject.split('.').map(token).collect::<Vec<_>>().join(".")
}

/// Whether two of the broker's patterns have a subject in common: `*` is one token, `>` the rest.
pub fn overlap(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split('.'), other.split('.'));
    loop {
        match (one.next(), other.next()) {
            (Some(">"), Some(_)) | (Some(_), Some(">")) | (None, None) => return true,
            (Some(a), Some(b)) if a == b || a == "*" || b == "*" => {}
            (_, _) => return false,
        }
    }
}

/// Whether every subject of the second pattern is one of the first.
pub fn covers(wide: &str, narrow: &str) -> bool {
    let mut narrow = narrow.split('.');
    for wanted in wide.split('.') {
        match (wanted, narrow.next()) {
            (">", Some(_)) => return true,
            ("*", Some(token)) if token != ">" => {}
            (exact, Some(token)) if exact == token => {}
            (_, _) => return false,
        }
    }
    narrow.next().is_none()
}

fn cells(line: &str) -> Vec<String> {
    let Some(inner) = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) else {
        return Vec::new();
    };
    inner.split('|').map(|cell| cell.trim().to_owned()).collect()
}
