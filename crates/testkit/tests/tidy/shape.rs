//! How a file of Rust looks: what it opens with, how long it and its functions are, how wide.

use super::tree::{Found, Source, rust};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 100;

#[test]
fn every_file_opens_with_what_it_is_for() {
    let mut found = Found::default();
    for file in rust() {
        let first = file.text.lines().next().unwrap_or_default();
        let says = first.strip_prefix("//! ").unwrap_or_default();
        if says.trim().is_empty() || says.starts_with("TODO") {
            found.at(&file.path, 1, "the first line is to be `//! ` and what the file is for");
        }
    }
    found.none("Every file opens with what it is for.");
}

#[test]
fn modules_are_written_in_one_style() {
    let mut found = Found::default();
    for file in rust().iter().filter(|file| file.name() == "mod.rs") {
        // Cargo takes every file right below `tests/` for a program of its own, but no folder.
        let folders: Vec<&str> = file.path.rsplit('/').collect();
        let shared_by_programs = folders.get(2) == Some(&"tests");
        if !shared_by_programs {
            found.at(&file.path, 1, "name the file after its module, beside the folder");
        }
    }
    found.none("A module is `x.rs`, and what it holds is in `x/`.");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let mut found = Found::default();
    for file in rust() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            found.at(&file.path, lines, format!("{lines} lines"));
        }
    }
    found.none("A file has at most 400 lines: split it by idea.");
}

#[test]
fn no_function_is_longer_than_70_lines() {
    let mut found = Found::default();
    for file in rust() {
        for (name, line, lines) in functions(&file) {
            if lines > FUNCTION_LINES {
                found.at(&file.path, line, format!("{name} has {lines} lines"));
            }
        }
    }
    found.none("A function has at most 70 lines.");
}

#[test]
fn no_line_is_wider_than_100_columns() {
    let mut found = Found::default();
    for file in rust() {
        for (at, line) in file.lines() {
            let wide = line.chars().count();
            if wide > COLUMNS && !is_excused(line) {
                found.at(&file.path, at, format!("{wide} columns"));
            }
        }
    }
    found.none("A line has at most 100 columns, what cannot be broken aside.");
}

#[test]
fn no_test_is_ignored() {
    let mut found = Found::default();
    for file in rust() {
        for (at, line) in file.lines() {
            if line.trim_start().starts_with(concat!("#[", "ignore")) {
                found.at(&file.path, at, "a test that does not run shows nothing");
            }
        }
    }
    found.none("No test is ignored.");
}

/// What cannot be broken: a table row or an address in a comment, one string literal.
fn is_excused(line: &str) -> bool {
    let text = line.trim_start();
    if text.starts_with("//") {
        let comment = text.trim_start_matches(['/', '!']).trim_start();
        return comment.starts_with('|') || comment.contains("https://");
    }
    let quotes = line.match_indices('"').filter(|(at, _)| !line[..*at].ends_with('\\'));
    let quotes: Vec<usize> = quotes.map(|(at, _)| at).collect();
    let literals = quotes.chunks_exact(2).map(|pair| line[pair[0]..pair[1]].chars().count());
    let longest = literals.max().unwrap_or_default();
    line.chars().count() - longest <= COLUMNS
}

/// Name, first line and length of each function, from its `fn` to the brace at the same indent.
/// The code is formatted, so that this is where it ends.
fn functions(file: &Source) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut functions = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        if line.ends_with('}') || line.ends_with(';') {
            functions.push((name, at + 1, 1));
            continue;
        }
        let same = |line: &&str| line.len() - line.trim_start().len() == indent;
        let ends = |line: &&str| {
            let text = line.trim_start();
            same(line) && (text.starts_with('}') || (text.starts_with(')') && text.ends_with(';')))
        };
        if let Some(length) = lines[at + 1..].iter().position(ends) {
            functions.push((name, at + 1, length + 2));
        }
    }
    functions
}

/// The name of the function that begins on this line, if one does.
fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let is_before = |word: &str| matches!(word, "async" | "const") || word.starts_with("pub");
    let first = words.find(|word| !is_before(word))?;
    if first != "fn" {
        return None;
    }
    let name = words.next()?.split(['(', '<']).next()?;
    Some(name.to_owned())
}
